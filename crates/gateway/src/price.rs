use std::fmt;

use kontor_types::Currency;

use crate::{Price, Usage};

/// Millionths of one major unit.
pub const MICROS: i64 = 1_000_000;
/// Decimals of a price.
const DECIMALS: usize = 6;
/// Longest text of a price.
const LONGEST: usize = 20;

/// What a call cost: so many millionths of one major unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// What it is counted in.
    pub currency: Currency,
    /// Millionths.
    pub micros: i64,
}

/// A price that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The currency is none.
    #[error("`{0}` is no currency: write a code of ISO 4217 such as USD")]
    Currency(String),
    /// The amount is none.
    #[error(
        "`{0}` is no price of a million tokens: write digits with at most one point and six decimals, such as 0.25"
    )]
    Amount(String),
}

/// A price as it is computed with: millionths of one major unit for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    pub currency: Currency,
    pub input: i64,
    pub cached: i64,
    pub output: i64,
}

impl Rates {
    pub fn read(price: &Price) -> Result<Self, PriceError> {
        let currency = price.currency.parse().map_err(|_| PriceError::Currency(price.currency.clone()))?;
        let input = amount(&price.input)?;
        let cached = if price.cached.is_empty() { input } else { amount(&price.cached)? };
        Ok(Self { currency, input, cached, output: amount(&price.output)? })
    }

    /// What these tokens cost, the last part of a millionth counted as a whole.
    pub fn cost(&self, usage: &Usage) -> i64 {
        let cached = usage.cached.min(usage.prompt);
        let parts = [(usage.prompt - cached, self.input), (cached, self.cached), (usage.completion, self.output)];
        let sum: i128 = parts.iter().map(|(tokens, rate)| i128::from(*tokens) * i128::from(*rate)).sum();
        let whole = (sum + i128::from(MICROS) - 1) / i128::from(MICROS);
        i64::try_from(whole).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, micros) = (if self.micros < 0 { "-" } else { "" }, self.micros.unsigned_abs());
        let unit = MICROS.unsigned_abs();
        write!(formatter, "{sign}{}.{:06} {}", micros / unit, micros % unit, self.currency)
    }
}

/// Millionths in one minor unit of a currency.
pub fn micros_of_minor(currency: Currency) -> i64 {
    10_i64.pow(6_u32.saturating_sub(u32::from(currency.exponent())))
}

/// Reads a decimal number as millionths; nothing is rounded.
fn amount(text: &str) -> Result<i64, PriceError> {
    let refuse = || PriceError::Amount(text.chars().take(LONGEST).collect());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() > LONGEST || !digits(whole) || !digits(fraction) || fraction.len() > DECIMALS {
        return Err(refuse());
    }
    let whole: i64 = whole.parse().map_err(|_| refuse())?;
    let millionths: i64 = format!("{fraction:0<DECIMALS$}").parse().map_err(|_| refuse())?;
    whole.checked_mul(MICROS).and_then(|whole| whole.checked_add(millionths)).ok_or_else(refuse)
}

/// About how many tokens a text is: a quarter of its ASCII, and seven tenths of its other characters.
pub fn about(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    let others = text.chars().filter(|char| !char.is_ascii()).count() as u64;
    ascii.div_ceil(4).saturating_add((others * 7).div_ceil(10))
}

#[cfg(test)]
mod tests {
    use super::{Rates, amount};
    use crate::{Price, Usage};

    #[test]
    fn prices_are_exact_or_refused() {
        for (text, micros) in [("0.25", 250_000), ("2", 2_000_000), ("0.000001", 1), ("0", 0), ("15.50", 15_500_000)] {
            assert_eq!(amount(text), Ok(micros), "{text}");
        }
        for text in ["", "-1", "1e3", "0.0000001", "1.", ".5", "NaN", "1,5", " 1", "99999999999999999999"] {
            assert!(amount(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_cost_is_rounded_up_to_a_millionth() -> Result<(), crate::PriceError> {
        let price = |input: &str, output: &str| Price {
            currency: "USD".to_owned(),
            input: input.to_owned(),
            cached: "0.1".to_owned(),
            output: output.to_owned(),
        };
        let usage = Usage { prompt: 20, cached: 5, completion: 18, estimated: false };
        // 15 × 0.25 + 5 × 0.1 + 18 × 2 = 40.25
        assert_eq!(Rates::read(&price("0.25", "2"))?.cost(&usage), 41);
        let huge = Usage { prompt: u64::MAX, cached: 0, completion: u64::MAX, estimated: false };
        assert_eq!(Rates::read(&price("9999999", "9999999"))?.cost(&huge), i64::MAX);
        Ok(())
    }
}
