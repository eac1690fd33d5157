use kontor_types::{Code, Problem};

macro_rules! whys {
    ($($(#[$doc:meta])+ $name:ident = $word:literal, $code:ident;)+) => {
        /// Why a purchase, or a step of it, is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Why {
            $($(#[$doc])+ $name,)+
        }

        impl Why {
            /// A stable word for it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            /// What was written down as a word.
            pub(crate) fn read(word: &str) -> Self {
                match word {
                    $($word => Self::$name,)+
                    _ => Self::PaymentRefused,
                }
            }

            const fn problem(self) -> Code {
                match self {
                    $(Self::$name => Code::$code,)+
                }
            }
        }
    };
}

whys! {
    /// There is no such mandate.
    MandateUnknown = "mandate_unknown", NotFound;
    /// It was taken back.
    MandateRevoked = "mandate_revoked", MandateRefused;
    /// Its time is over.
    MandateExpired = "mandate_expired", MandateRefused;
    /// Its time has not begun.
    MandateNotYet = "mandate_not_yet", MandateRefused;
    /// It was used as often as it may be.
    MandateUsedUp = "mandate_used_up", MandateRefused;
    /// It does not allow this merchant.
    MandateMerchant = "mandate_merchant", MandateRefused;
    /// It does not allow this category of things.
    MandateCategory = "mandate_category", MandateRefused;
    /// It is for another currency.
    MandateCurrency = "mandate_currency", MandateRefused;
    /// More than it allows, for one purchase or altogether.
    MandateOverLimit = "mandate_over_limit", MandateRefused;
    /// It is for another quote.
    MandateQuote = "mandate_quote", MandateRefused;
    /// Its signature does not hold, or what was signed breaks a rule.
    MandateSignature = "mandate_signature", MandateRefused;
    /// There is not enough in the purse.
    InsufficientFunds = "insufficient_funds", InsufficientFunds;
    /// More than whoever asked for it said.
    OverLimit = "over_limit", CheckoutRefused;
    /// The quote breaks a rule.
    QuoteInvalid = "quote_invalid", CheckoutRefused;
    /// The time of the quote is over.
    QuoteExpired = "quote_expired", CheckoutRefused;
    /// The merchant wants something else than it quoted.
    QuoteChanged = "quote_changed", CheckoutRefused;
    /// There is no such checkout.
    CheckoutUnknown = "checkout_unknown", NotFound;
    /// The checkout is in a state that does not allow this.
    CheckoutState = "checkout_state", Conflict;
    /// The key was used for something else.
    KeyConflict = "key_conflict", KeyConflict;
    /// There is no such merchant.
    MerchantUnknown = "merchant_unknown", NotFound;
    /// The buyer has no such run that ended well.
    RunUnknown = "run_unknown", NotFound;
    /// The merchant has not as much as that.
    OutOfStock = "out_of_stock", CheckoutRefused;
    /// The merchant does not take the order.
    PaymentRefused = "payment_refused", CheckoutRefused;
    /// The merchant never answered, and an administrator ended it.
    Decided = "decided", CheckoutRefused;
    /// An amount or a number breaks its rule.
    AmountInvalid = "amount_invalid", AmountInvalid;
    /// A text or a list breaks its rule.
    Invalid = "invalid", InvalidRequest;
}

/// A refusal: a stable word, and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// Why.
    pub why: Why,
    /// What stands against it this time.
    pub detail: String,
}

impl Refusal {
    pub(crate) fn new(why: Why, detail: impl Into<String>) -> Self {
        Self { why, detail: detail.into() }
    }

    /// The stable word.
    pub const fn code(&self) -> &'static str {
        self.why.as_str()
    }
}

/// Why a verb about purchases did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is against a rule; nothing was done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The merchant was asked to take the order and did not say what it did. The money stays held.
    #[error("the merchant has not said yet whether it took the order: {reason}")]
    Unknown {
        /// What came in the place of an answer.
        reason: String,
    },
    /// The merchant does not answer, or not in a way that can be read; nothing was bought.
    #[error("the merchant `{merchant}` does not answer as it should: {reason}")]
    Merchant {
        /// The hub's name for it.
        merchant: String,
        /// What happened.
        reason: String,
    },
    /// The caller may not do this.
    #[error(transparent)]
    Access(#[from] kontor_access::Error),
    /// The ledger failed, or refused what should have been in order.
    #[error("the ledger did not record it")]
    Ledger(#[from] kontor_ledger::Error),
    /// The database failed.
    #[error("a query about purchases failed")]
    Db(#[from] kontor_db::Error),
    /// A row does not hold what it should.
    #[error("what is kept of {what} cannot be read")]
    Damaged {
        /// Of what.
        what: &'static str,
    },
}

impl Error {
    pub(crate) fn refused(why: Why, detail: impl Into<String>) -> Self {
        Self::Refused(Refusal::new(why, detail))
    }

    /// There is no such mandate.
    pub fn unknown_mandate() -> Self {
        Self::refused(Why::MandateUnknown, "there is no such mandate")
    }

    /// There is no such checkout.
    pub fn unknown_checkout() -> Self {
        Self::refused(Why::CheckoutUnknown, "there is no such checkout")
    }

    /// The refusal, if it is one.
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether asking again with the same key may end otherwise.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Merchant { .. } | Self::Db(_))
    }

    /// What a user is told.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Refused(Refusal { why, detail }) => {
                let problem = Problem::new(why.problem(), format!("{detail} ({})", why.as_str()));
                match hint(*why) {
                    Some(hint) => problem.hint(hint),
                    None => problem,
                }
            }
            Self::Unknown { .. } => Problem::new(Code::Conflict, self.to_string()).hint(
                "the money stays held until it is known; ask again in a moment with the same key, the hub asks too",
            ),
            Self::Merchant { .. } => Problem::new(Code::MerchantUnavailable, self.to_string())
                .hint("nothing was bought and nothing is held; try again, or buy from another merchant"),
            Self::Access(error) => error.problem(),
            Self::Ledger(kontor_ledger::Error::Refused(refusal)) => {
                Problem::new(Code::AmountInvalid, format!("{refusal} ({})", refusal.code()))
            }
            Self::Ledger(_) | Self::Db(_) | Self::Damaged { .. } => Problem::new(Code::Internal, "the database failed"),
        }
    }
}

const fn hint(why: Why) -> Option<&'static str> {
    Some(match why {
        Why::MandateRevoked | Why::MandateExpired | Why::MandateUsedUp | Why::MandateQuote => {
            "give a new mandate with `kontor mandate new`"
        }
        Why::MandateNotYet => "wait until the mandate begins, or give another with `kontor mandate new`",
        Why::MandateMerchant | Why::MandateCategory | Why::MandateCurrency | Why::MandateOverLimit => {
            "`kontor mandate show` says what the mandate allows; only its owner can allow more, with a new one"
        }
        Why::InsufficientFunds => "`kontor purse show` says what is free in the purse; an administrator can top it up",
        Why::QuoteExpired | Why::QuoteChanged => {
            "ask the merchant for a new quote, and look at its price before you go on"
        }
        Why::RunUnknown => "name runs of your own that finished (`kontor runs list`), or none: then no author shares",
        Why::KeyConflict => "use a new key for each new request",
        _ => return None,
    })
}
