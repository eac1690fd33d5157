use std::fmt;

use kontor_types::{Digest, Money, Timestamp};

use crate::Refusal;

/// The scope that callers cannot use.
const OWN: &str = "ledger";
/// Longest key within its scope, in bytes.
const LONGEST_KEY: usize = 255;
const LONGEST_SCOPE: usize = 64;
const LONGEST_MEMO: usize = 500;
/// Most legs of one transfer.
const MOST_LEGS: usize = 64;

/// What makes a transfer the same one when it is asked for again: a key of the caller's choice within the caller's scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// A key in a scope; equal keys of different scopes do not meet.
    ///
    /// # Errors
    /// [`Refusal::Text`] when one of them is empty, too long or has other characters.
    pub fn new(scope: &str, key: &str) -> Result<Self, Refusal> {
        let word = |char: char| char.is_ascii_alphanumeric() || "._:@-".contains(char);
        if scope.is_empty() || scope.len() > LONGEST_SCOPE || !scope.chars().all(word) {
            let rule = "1 to 64 letters, digits or . _ : @ -";
            return Err(Refusal::Text { what: "scope", rule });
        }
        if scope == OWN {
            return Err(Refusal::Text { what: "scope", rule: "not `ledger`, which is the ledger's own" });
        }
        if key.is_empty() || key.len() > LONGEST_KEY || key.chars().any(char::is_control) {
            return Err(Refusal::Text { what: "key", rule: "1 to 255 bytes without control characters" });
        }
        Ok(Self(format!("{scope}/{key}")))
    }

    /// The key under which an expired reservation is freed.
    pub(crate) fn of_expiry(reservation: i64) -> Self {
        Self(format!("{OWN}/expire-{reservation}"))
    }

    /// Scope and key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One amount that goes from an account to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// The account debited: where a person's money goes from.
    pub debit: i64,
    /// The account credited: where it goes to.
    pub credit: i64,
    /// How much; more than nothing.
    pub amount: Money,
}

/// How much of a reservation is posted, or of a transfer refunded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amounts {
    /// All that is left.
    Full,
    /// This much from each account that paid, over its legs in proportion to what is left of them; every paying account must have
    /// as much left as the others.
    Part(Money),
    /// This many minor units of each leg, in their order.
    Legs(Vec<i64>),
}

/// What is asked of the ledger. Numbers of transfers can be guessed: whether the caller may settle or refund one is for whoever
/// calls to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Move money at once.
    Move(Vec<Leg>),
    /// Hold money, until a moment if one is given.
    Reserve {
        /// What may be posted at most.
        legs: Vec<Leg>,
        /// From when on it can only be freed; not part of what a repetition must agree in, so that a time may be reckoned anew.
        expires_at: Option<Timestamp>,
    },
    /// Move held money; what is left over is free again.
    Post {
        /// The reservation's number.
        reservation: i64,
        /// How much of it.
        amounts: Amounts,
    },
    /// Free held money.
    Void {
        /// The reservation's number.
        reservation: i64,
    },
    /// Give back what was moved or posted.
    Refund {
        /// The transfer's number.
        transfer: i64,
        /// How much of it.
        amounts: Amounts,
    },
}

/// A transfer asked for under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What makes it the same request when it comes again.
    pub key: Key,
    /// What to do.
    pub order: Order,
    /// What people will read about it; not part of what a repetition must agree in.
    pub memo: String,
}

impl Request {
    /// A request without a memo.
    pub const fn new(key: Key, order: Order) -> Self {
        Self { key, order, memo: String::new() }
    }

    /// Tells people what it is about.
    #[must_use]
    pub fn memo(mut self, memo: impl Into<String>) -> Self {
        self.memo = memo.into();
        self
    }

    /// What can be said without looking at the books.
    fn validate(&self) -> Result<(), Refusal> {
        if self.memo.len() > LONGEST_MEMO || self.memo.chars().any(char::is_control) {
            return Err(Refusal::Text { what: "memo", rule: "at most 500 bytes without control characters" });
        }
        let legs = match &self.order {
            Order::Move(legs) | Order::Reserve { legs, .. } => legs,
            Order::Post { amounts: Amounts::Legs(amounts), .. }
            | Order::Refund { amounts: Amounts::Legs(amounts), .. }
                if amounts.len() > MOST_LEGS =>
            {
                return Err(Refusal::Amount { rule: "a transfer has 1 to 64 legs" });
            }
            Order::Post { .. } | Order::Void { .. } | Order::Refund { .. } => return Ok(()),
        };
        if legs.is_empty() || legs.len() > MOST_LEGS {
            return Err(Refusal::Amount { rule: "a transfer has 1 to 64 legs" });
        }
        if legs.iter().any(|leg| leg.amount.minor <= 0) {
            return Err(Refusal::Amount { rule: "every amount is more than nothing" });
        }
        if legs.iter().any(|leg| leg.debit == leg.credit) {
            return Err(Refusal::Amount { rule: "an amount goes from one account to another" });
        }
        Ok(())
    }

    /// What has to be equal when a key comes again.
    fn digest(&self) -> Digest {
        let mut bytes = Vec::with_capacity(64);
        match &self.order {
            Order::Move(legs) => put_legs(&mut bytes, b'm', legs),
            Order::Reserve { legs, .. } => put_legs(&mut bytes, b'r', legs),
            Order::Post { reservation, amounts } => put_amounts(&mut bytes, b'p', *reservation, amounts),
            Order::Void { reservation } => put_amounts(&mut bytes, b'v', *reservation, &Amounts::Full),
            Order::Refund { transfer, amounts } => put_amounts(&mut bytes, b'b', *transfer, amounts),
        }
        Digest::of(&bytes)
    }
}

/// A request that is valid by itself, with what it must agree in when it comes again.
#[derive(Debug, Clone)]
pub struct Asked {
    pub request: Request,
    pub digest: Digest,
}

impl Asked {
    pub fn new(request: Request) -> Result<Self, Refusal> {
        request.validate()?;
        Ok(Self { digest: request.digest(), request })
    }
}

fn put(bytes: &mut Vec<u8>, number: i64) {
    bytes.extend(number.to_be_bytes());
}

fn put_legs(bytes: &mut Vec<u8>, word: u8, legs: &[Leg]) {
    bytes.push(word);
    bytes.extend((legs.len() as u64).to_be_bytes());
    for leg in legs {
        put(bytes, leg.debit);
        put(bytes, leg.credit);
        put(bytes, leg.amount.minor);
        bytes.extend(leg.amount.currency.as_str().as_bytes());
    }
}

fn put_amounts(bytes: &mut Vec<u8>, word: u8, origin: i64, amounts: &Amounts) {
    bytes.push(word);
    put(bytes, origin);
    match amounts {
        Amounts::Full => bytes.push(b'f'),
        Amounts::Part(part) => {
            bytes.push(b'p');
            put(bytes, part.minor);
            bytes.extend(part.currency.as_str().as_bytes());
        }
        Amounts::Legs(legs) => {
            bytes.push(b'l');
            for amount in legs {
                put(bytes, *amount);
            }
        }
    }
}
