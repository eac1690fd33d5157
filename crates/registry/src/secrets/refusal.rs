use std::fmt;

use kontor_access::policy::Reason;

/// A secret that is not given to a run, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRefusal {
    /// Which.
    pub name: String,
    /// Why.
    pub why: Withheld,
}

/// Why a secret is not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withheld {
    /// The publisher has none of this name.
    Missing,
    /// It was set anew or removed since the run was accepted.
    Replaced,
    /// It was not released to the skill.
    NotReleased,
    /// It was released to other bytes of the skill.
    OtherBytes,
    /// The policy does not permit it.
    Policy(Vec<Reason>),
    /// What is stored does not open: the key is not here, or the row was changed.
    Unreadable,
}

impl Withheld {
    /// A word that stays.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Replaced => "replaced",
            Self::NotReleased => "not_released",
            Self::OtherBytes => "other_bytes",
            Self::Policy(_) => "policy",
            Self::Unreadable => "unreadable",
        }
    }
}

impl fmt::Display for SecretRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the secret `{}` ", self.name)?;
        match &self.why {
            Withheld::Missing => formatter.write_str("is not set"),
            Withheld::Replaced => formatter.write_str("was set anew or removed since the run was accepted"),
            Withheld::NotReleased => formatter.write_str("is not released to this skill"),
            Withheld::OtherBytes => {
                formatter.write_str("is released to other versions of this skill, not to these bytes")
            }
            Withheld::Policy(reasons) if reasons.is_empty() => formatter.write_str("is permitted by no policy"),
            Withheld::Policy(reasons) => {
                let told: Vec<String> =
                    reasons.iter().map(|reason| format!("{} ({})", reason.text, reason.policy)).collect();
                write!(formatter, "is forbidden by the policy: {}", told.join("; "))
            }
            Withheld::Unreadable => {
                formatter.write_str("does not open with the keys of this hub; set it again, or restore the keys")
            }
        }
    }
}
