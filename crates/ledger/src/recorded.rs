use kontor_db::ledger_transfers::{Kind, Leg, Transfer};

/// A transfer that is in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The transfer.
    pub transfer: Transfer,
    /// Its legs, in their order.
    pub legs: Vec<Leg>,
    /// Whether it was there before under this key; information only. It is also set for the first who asks, when the answer to the
    /// first commit was lost.
    pub repeated: bool,
    /// What has become of it since.
    pub state: State,
}

/// What has become of a transfer. Whoever delivers for it looks here: a repetition is `Ok` also when the money went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is as it was recorded, and nothing of it went back.
    Done,
    /// A reservation that holds its money.
    Open,
    /// A reservation whose time is over: it can only be freed.
    Expired,
    /// A reservation that holds nothing any more.
    Settled {
        /// The transfer that posted it or made it void.
        by: i64,
        /// Which of the two.
        kind: Kind,
    },
    /// Some of it went back.
    Refunded {
        /// How much of each leg, in their order.
        back: Vec<i64>,
    },
}

impl Recorded {
    /// Whether it is as it was asked for: money moved and stays, or is held and may be posted.
    pub const fn stands(&self) -> bool {
        matches!(self.state, State::Done | State::Open)
    }
}
