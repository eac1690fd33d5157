use std::collections::BTreeMap;

use kontor_crypto::{VerifyingKey, open_jws};
use kontor_types::{Currency, Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::terms::LARGEST_AMOUNT;
use crate::{NewLine, Refusal, Why, gives_orders};

/// The type in the header of a signed quote.
pub const QUOTE_TYPE: &str = "kontor-quote+jws";
/// Most lines of a quote.
const MOST_LINES: usize = 50;
/// The longest text of a quote that is kept, in characters.
const LONGEST: usize = 300;

/// What a merchant promises: these things for this price until then. All amounts are minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// What the merchant calls itself.
    pub merchant: String,
    /// The session at the merchant.
    pub session: String,
    /// What is bought.
    pub lines: Vec<QuoteLine>,
    /// The fee for bringing it.
    pub delivery: i64,
    /// What is taken off.
    pub discount: i64,
    /// What is to be paid: all lines and the fee without the discount.
    pub total: i64,
    /// The currency of all of it.
    pub currency: Currency,
    /// When the promise ends.
    pub expires_at: Timestamp,
}

/// One line of a quote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteLine {
    /// The merchant's id of the item.
    pub item: String,
    /// What the merchant calls it.
    pub title: String,
    /// What kind of thing it is.
    pub category: String,
    /// How many.
    pub quantity: i64,
    /// The price of one.
    pub price: i64,
    /// The price of all of them.
    pub total: i64,
}

impl Quote {
    /// The digest by which a signed quote is named.
    pub fn digest_of(signed: &str) -> Digest {
        Digest::of(signed.as_bytes())
    }

    /// Reads a quote that this key has signed and adds it up again. Whether it is the one that was asked for is another question.
    ///
    /// # Errors
    /// [`Why::QuoteInvalid`].
    pub fn open(signed: &str, key: &VerifyingKey) -> Result<Self, Refusal> {
        let payload = open_jws(QUOTE_TYPE, signed, key)
            .map_err(|error| invalid(format!("the quote's signature is refused: {error}")))?;
        let mut quote: Self =
            serde_json::from_slice(&payload).map_err(|error| invalid(format!("the quote cannot be read: {error}")))?;
        quote.add_up()?;
        for line in &mut quote.lines {
            line.title = shown(&line.title);
        }
        Ok(quote)
    }

    fn add_up(&self) -> Result<(), Refusal> {
        if self.lines.is_empty() || self.lines.len() > MOST_LINES {
            return Err(invalid(format!("a quote has 1 to {MOST_LINES} lines")));
        }
        let amount = |amount: i64| (0..=LARGEST_AMOUNT).contains(&amount);
        let mut sum: i64 = 0;
        for line in &self.lines {
            let QuoteLine { item, quantity, price, total, category, .. } = line;
            if item.is_empty() || item.len() > 200 || category.len() > 100 {
                return Err(invalid("a line of the quote names its item or category by too long a text, or none"));
            }
            if *quantity < 1 || !amount(*price) || price.checked_mul(*quantity) != Some(*total) {
                return Err(invalid(format!("the line of `{}` is not its price times its number", shown(item))));
            }
            sum =
                sum.checked_add(*total).filter(|sum| amount(*sum)).ok_or_else(|| invalid("the quote is too large"))?;
        }
        let with_delivery = sum.checked_add(self.delivery).filter(|_| amount(self.delivery));
        let whole = with_delivery.and_then(|whole| whole.checked_sub(self.discount)).filter(|_| amount(self.discount));
        if whole != Some(self.total) {
            return Err(invalid("the lines, the delivery and the discount of the quote are not its total"));
        }
        if !(1..=LARGEST_AMOUNT).contains(&self.total) {
            return Err(invalid("the total of a quote is more than nothing"));
        }
        Ok(())
    }

    /// Whether it is what was asked for, from whom it was asked, and still holds.
    pub(crate) fn fit(&self, merchant: &str, session: &str, wanted: &[NewLine], now: Timestamp) -> Result<(), Refusal> {
        if self.merchant != merchant {
            return Err(invalid(format!(
                "the quote is of `{}`, not of the merchant that was asked",
                shown(&self.merchant)
            )));
        }
        if self.session != session {
            return Err(invalid("the quote is for another session"));
        }
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for line in wanted {
            let count = counts.entry(&line.item).or_default();
            *count = count.saturating_add(line.quantity);
        }
        for line in &self.lines {
            let count = counts.entry(&line.item).or_default();
            *count = count.saturating_sub(line.quantity);
        }
        if let Some((item, _)) = counts.iter().find(|(_, left)| **left != 0) {
            return Err(invalid(format!("the quote has not as many of `{}` as were asked for", shown(item))));
        }
        if self.expires_at <= now {
            return Err(Refusal::new(Why::QuoteExpired, format!("the quote has ended at {}", self.expires_at)));
        }
        Ok(())
    }
}

impl Quote {
    /// Whether nothing in it gives orders to the programs that read it.
    pub(crate) fn speaks_to_buyers(&self) -> Result<(), Refusal> {
        let gives = |line: &&QuoteLine| [&line.item, &line.title, &line.category].iter().any(|text| gives_orders(text));
        match self.lines.iter().find(gives) {
            Some(line) => {
                Err(invalid(format!("a text of the quote gives orders to programs: `{}`", shown(&line.title))))
            }
            None => Ok(()),
        }
    }
}

/// Foreign text for people: short, in one line.
pub fn shown(text: &str) -> String {
    text.chars().take(LONGEST).map(|char| if char.is_control() { ' ' } else { char }).collect()
}

fn invalid(detail: impl Into<String>) -> Refusal {
    Refusal::new(Why::QuoteInvalid, detail)
}
