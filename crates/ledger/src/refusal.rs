use kontor_types::Currency;

/// Why a transfer was not recorded; nothing of it was, and the same key can be used again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The key was used for something else.
    #[error("the key was used for another transfer ({number}): use a new key for a new transfer")]
    KeyConflict {
        /// The transfer recorded under it.
        number: i64,
    },
    /// A text, or a list, breaks its rule.
    #[error("the {what} is not valid: {rule}")]
    Text {
        /// Which of them.
        what: &'static str,
        /// What it has to be.
        rule: &'static str,
    },
    /// There is no such account.
    #[error("there is no account {number}")]
    AccountUnknown {
        /// What was asked for.
        number: i64,
    },
    /// The account takes nothing new.
    #[error("account {number} is closed")]
    AccountClosed {
        /// Which.
        number: i64,
    },
    /// Another account stands under that owner, code and currency.
    #[error("account {number} has this owner, code and currency, but another side or guard")]
    AccountDiffers {
        /// Which.
        number: i64,
    },
    /// The amount is counted in another currency than the account.
    #[error("account {number} is counted in {expected}, not in {found}")]
    CurrencyMismatch {
        /// Which account.
        number: i64,
        /// Its currency.
        expected: Currency,
        /// The amount's currency.
        found: Currency,
    },
    /// The amounts cannot be transferred: none, zero, negative, or another number of them than legs.
    #[error("the amounts are not valid: {rule}")]
    Amount {
        /// What they have to be.
        rule: &'static str,
    },
    /// An account would hold more than can be counted.
    #[error("account {number} cannot count that much")]
    Overflow {
        /// Which.
        number: i64,
    },
    /// The account has less than that free.
    #[error("account {number} has only {free} free")]
    InsufficientFunds {
        /// Which.
        number: i64,
        /// What is free in it.
        free: kontor_types::Money,
    },
    /// There is no such transfer, or not of a kind that this can be done to.
    #[error("transfer {number} is no {wanted}")]
    TransferUnknown {
        /// What was asked for.
        number: i64,
        /// What it had to be.
        wanted: &'static str,
    },
    /// The reservation was posted or is void.
    #[error("reservation {number} is settled already, by transfer {by}")]
    Settled {
        /// Which.
        number: i64,
        /// What settled it.
        by: i64,
    },
    /// The reservation ended by itself.
    #[error("reservation {number} has expired")]
    Expired {
        /// Which.
        number: i64,
    },
    /// More would go out than was held, or go back than was captured and not yet refunded.
    #[error("only {left} minor units of transfer {number} are left")]
    Exceeds {
        /// Which.
        number: i64,
        /// How much can still be posted or refunded.
        left: i64,
    },
}

impl Refusal {
    /// A stable name for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeyConflict { .. } => "key_conflict",
            Self::Text { .. } => "text_invalid",
            Self::AccountUnknown { .. } => "account_unknown",
            Self::AccountClosed { .. } => "account_closed",
            Self::AccountDiffers { .. } => "account_differs",
            Self::CurrencyMismatch { .. } => "currency_mismatch",
            Self::Amount { .. } => "amount_invalid",
            Self::Overflow { .. } => "amount_overflow",
            Self::InsufficientFunds { .. } => "insufficient_funds",
            Self::TransferUnknown { .. } => "transfer_unknown",
            Self::Settled { .. } => "reservation_settled",
            Self::Expired { .. } => "reservation_expired",
            Self::Exceeds { .. } => "amount_exceeded",
        }
    }
}

/// Why the ledger did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is against the rules.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error("writing to the ledger failed")]
    Db(#[from] kontor_db::Error),
    /// Nothing of it is in the books, and the reason is not the request's.
    #[error("the transfer was not recorded: {reason}; ask again with the same key")]
    NotRecorded {
        /// What the database said.
        reason: String,
    },
    /// The answer was lost, or did not come in time.
    #[error(
        "whether the transfer was recorded is not known: {reason}; ask again with the same key, a new key may pay twice"
    )]
    Unknown {
        /// What happened.
        reason: String,
    },
    /// Too many wait before it, or another process has the ledger and does nothing; it was not recorded.
    #[error("the ledger is busy and has not recorded the transfer: ask again in some seconds with the same key")]
    Busy,
    /// The process is shutting down.
    #[error("the ledger takes nothing any more: it is shutting down")]
    Closed,
    /// Text could not be written.
    #[error("writing the export failed")]
    Write(#[from] std::io::Error),
}

impl Error {
    /// The refusal, if it is one.
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}
