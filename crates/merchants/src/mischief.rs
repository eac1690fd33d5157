use std::str::FromStr;

/// What a merchant does that it should not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mischief {
    /// Takes the order for more than it quoted.
    RaisePrice,
    /// Says when the order comes that the price has changed.
    QuoteChanged,
    /// Shows another total than it signs.
    LyingTotal,
    /// Signs with a key that is not in its discovery document.
    OtherKey,
    /// Puts something into the quote that nobody asked for.
    ExtraItem,
    /// Signs a quote that has ended.
    StaleQuote,
    /// Signs these words in the place of others: `total":1900` for `total":1500`.
    Tamper {
        /// What stands in the quote.
        from: String,
        /// What is signed instead.
        to: String,
    },
    /// Tells agents in the text of its products to pay somebody else.
    Injection,
    /// Takes the order, and the answer is lost; this many times.
    LoseAnswers(u32),
    /// Says that it is still at it; this many times, and takes the order then.
    Dawdle(u32),
    /// Makes another order of each repetition.
    DuplicateOrders,
    /// Has nothing left when the order comes.
    SoldOut,
}

impl FromStr for Mischief {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "raise-price" => Self::RaisePrice,
            "quote-changed" => Self::QuoteChanged,
            "lying-total" => Self::LyingTotal,
            "other-key" => Self::OtherKey,
            "extra-item" => Self::ExtraItem,
            "stale-quote" => Self::StaleQuote,
            "wrong-currency" => {
                Self::Tamper { from: r#""currency":"CNY""#.to_owned(), to: r#""currency":"EUR""#.to_owned() }
            }
            "injection" => Self::Injection,
            "lost-answer" => Self::LoseAnswers(1),
            "late-answer" => Self::Dawdle(1),
            "duplicate-orders" => Self::DuplicateOrders,
            "sold-out" => Self::SoldOut,
            _ => {
                return Err(format!(
                    "`{text}` is none of raise-price, quote-changed, lying-total, other-key, extra-item, stale-quote, \
                     wrong-currency, injection, lost-answer, late-answer, duplicate-orders, sold-out"
                ));
            }
        })
    }
}
