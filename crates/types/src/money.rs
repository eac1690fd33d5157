use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The active currencies of ISO 4217 that money is counted in, each followed by how many digits its minor unit is.
const CURRENCIES: &[&str] = &[
    "AED2", "AFN2", "ALL2", "AMD2", "AOA2", "ARS2", "AUD2", "AWG2", "AZN2", "BAM2", "BBD2", "BDT2", "BHD3", "BIF0",
    "BMD2", "BND2", "BOB2", "BRL2", "BSD2", "BTN2", "BWP2", "BYN2", "BZD2", "CAD2", "CDF2", "CHF2", "CLF4", "CLP0",
    "CNY2", "COP2", "CRC2", "CUP2", "CVE2", "CZK2", "DJF0", "DKK2", "DOP2", "DZD2", "EGP2", "ERN2", "ETB2", "EUR2",
    "FJD2", "FKP2", "GBP2", "GEL2", "GHS2", "GIP2", "GMD2", "GNF0", "GTQ2", "GYD2", "HKD2", "HNL2", "HTG2", "HUF2",
    "IDR2", "ILS2", "INR2", "IQD3", "IRR2", "ISK0", "JMD2", "JOD3", "JPY0", "KES2", "KGS2", "KHR2", "KMF0", "KPW2",
    "KRW0", "KWD3", "KYD2", "KZT2", "LAK2", "LBP2", "LKR2", "LRD2", "LSL2", "LYD3", "MAD2", "MDL2", "MGA2", "MKD2",
    "MMK2", "MNT2", "MOP2", "MRU2", "MUR2", "MVR2", "MWK2", "MXN2", "MYR2", "MZN2", "NAD2", "NGN2", "NIO2", "NOK2",
    "NPR2", "NZD2", "OMR3", "PAB2", "PEN2", "PGK2", "PHP2", "PKR2", "PLN2", "PYG0", "QAR2", "RON2", "RSD2", "RUB2",
    "RWF0", "SAR2", "SBD2", "SCR2", "SDG2", "SEK2", "SGD2", "SHP2", "SLE2", "SOS2", "SRD2", "SSP2", "STN2", "SVC2",
    "SYP2", "SZL2", "THB2", "TJS2", "TMT2", "TND3", "TOP2", "TRY2", "TTD2", "TWD2", "TZS2", "UAH2", "UGX0", "USD2",
    "UYU2", "UYW4", "UZS2", "VED2", "VES2", "VND0", "VUV0", "WST2", "XAF0", "XCD2", "XCG2", "XOF0", "XPF0", "YER2",
    "ZAR2", "ZMW2", "ZWG2",
];

/// Signs that stand before an amount; of one currency the first is written. A bare `¥` is the yuan.
const SIGNS: &[(&str, &str)] = &[
    ("JP¥", "JPY"),
    ("CN¥", "CNY"),
    ("US$", "USD"),
    ("HK$", "HKD"),
    ("¥", "CNY"),
    ("￥", "CNY"),
    ("$", "USD"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("₩", "KRW"),
    ("₹", "INR"),
];

/// Longest text that can be an amount.
const LONGEST: usize = 40;

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Currency(&'static str);

impl Currency {
    /// The code, three capital letters.
    pub const fn as_str(self) -> &'static str {
        self.0.split_at(3).0
    }

    /// How many digits of an amount are the minor unit: 2 for cents, 0 for the yen.
    pub const fn exponent(self) -> u8 {
        self.0.as_bytes()[3] - b'0'
    }

    /// This many minor units of it.
    pub const fn minor(self, minor: i64) -> Money {
        Money { currency: self, minor }
    }

    /// Reads an amount in major units, for example `20`, `20.5` or `20.00`; nothing is rounded.
    ///
    /// # Errors
    /// [`MoneyError::Amount`] unless it is plain digits with at most one point and no more decimals than the currency has.
    pub fn parse_amount(self, text: &str) -> Result<Money, MoneyError> {
        let refuse = || MoneyError::Amount { text: text.chars().take(LONGEST).collect(), currency: self };
        let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let decimals = usize::from(self.exponent());
        let fits = |part: &str| digits(part) && part.len() <= decimals;
        if text.len() > LONGEST || !digits(whole) || !fraction.is_none_or(fits) {
            return Err(refuse());
        }
        let fraction = fraction.unwrap_or_default();
        let padding = std::iter::repeat_n('0', decimals - fraction.len());
        let minor: String = whole.chars().chain(fraction.chars()).chain(padding).collect();
        Ok(self.minor(minor.parse().map_err(|_| refuse())?))
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let place = CURRENCIES.binary_search_by(|entry| entry.split_at(3).0.cmp(text));
        let found = place.ok().and_then(|place| CURRENCIES.get(place));
        found.map(|entry| Self(entry)).ok_or_else(|| MoneyError::Currency { text: text.chars().take(8).collect() })
    }
}

// Written out: a derive would want text that lives for ever.
impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// An amount: whole minor units of one currency, never a fraction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Money {
    /// What it is counted in: a code of ISO 4217.
    #[schema(value_type = String, pattern = "^[A-Z]{3}$")]
    pub currency: Currency,
    /// How many minor units.
    pub minor: i64,
}

impl Money {
    /// Both together; none when the currencies differ or the sum is too large.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let minor = self.minor.checked_add(other.minor).filter(|_| self.currency == other.currency)?;
        Some(Self { minor, ..self })
    }

    /// This without the other; none when the currencies differ or the difference is too large.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let minor = self.minor.checked_sub(other.minor).filter(|_| self.currency == other.currency)?;
        Some(Self { minor, ..self })
    }

    /// The amount in major units with every decimal, for example `20.00`, `-0.05` or `1500`.
    pub fn amount(self) -> String {
        let decimals = usize::from(self.currency.exponent());
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let point = if decimals == 0 { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}")
    }

    /// As people write it: the sign if the currency has one, no decimals that are all zero; `¥20`, `$0.50`, `JP¥1500`.
    pub fn short(self) -> String {
        let amount = self.amount();
        let plain = amount.split_once('.').filter(|(_, fraction)| fraction.bytes().all(|byte| byte == b'0'));
        let amount = plain.map_or(amount.as_str(), |(whole, _)| whole);
        let sign = SIGNS.iter().rev().find(|(sign, code)| *code == self.currency.as_str() && *sign != "￥");
        match (sign, amount.strip_prefix('-')) {
            (Some((sign, _)), Some(positive)) => format!("-{sign}{positive}"),
            (Some((sign, _)), None) => format!("{sign}{amount}"),
            (None, _) => format!("{amount} {}", self.currency),
        }
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    /// Reads `20.00 CNY`, `CNY 20`, `¥20` or `$0.50`.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        for (sign, code) in SIGNS {
            if let Some(amount) = text.strip_prefix(sign) {
                return code.parse::<Currency>()?.parse_amount(amount);
            }
        }
        let (first, second) =
            text.split_once(' ').ok_or_else(|| MoneyError::Form { text: text.chars().take(LONGEST).collect() })?;
        match first.parse::<Currency>() {
            Ok(currency) => currency.parse_amount(second),
            Err(_) => second.parse::<Currency>()?.parse_amount(first),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.amount(), self.currency)
    }
}

/// Why a text is no amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// There is no such currency.
    #[error("`{text}` is no currency of ISO 4217: write three capital letters, for example CNY")]
    Currency {
        /// What was written, cut short.
        text: String,
    },
    /// The number cannot be counted in whole minor units.
    #[error("`{text}` is no amount of {currency}: write plain digits with at most {} decimals", currency.exponent())]
    Amount {
        /// What was written, cut short.
        text: String,
        /// What it should be counted in.
        currency: Currency,
    },
    /// There is no currency.
    #[error("`{text}` is no money: write for example 20.00 CNY")]
    Form {
        /// What was written, cut short.
        text: String,
    },
}
