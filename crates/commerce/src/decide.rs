//! What an administrator decides about a purchase of which the merchant never says how it ended.

use std::time::Duration;

use kontor_access::Caller;
use kontor_access::audit::{self, Event};
use kontor_db::checkouts::{self, Checkout as Row, CheckoutState as State};
use kontor_db::{Tx, mandates};
use kontor_types::{CheckoutId, Handle, Timestamp};
use serde_json::json;

use crate::checkout::{view, wrong_state};
use crate::commerce::person;
use crate::pay::{Outcome, settle};
use crate::{Checkout, Commerce, Error, Refusal, Why};

/// For so long nobody but the merchant says how a purchase ended.
const PATIENCE: Duration = Duration::from_mins(10);
/// The longest reason, and the longest name of an order.
const LONGEST: usize = 500;
const LONGEST_ORDER: usize = 200;
/// Purchases that are listed.
const MOST: u32 = 500;

/// What became of an order, as somebody found out who asked the merchant by another way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The merchant did not take it: the money is free again.
    NotTaken,
    /// The merchant took it, under this name: the money moves.
    Taken {
        /// The merchant's name for the order.
        order: String,
    },
}

impl Decision {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::NotTaken => "not_taken",
            Self::Taken { .. } => "taken",
        }
    }

    fn check(&self, reason: &str) -> Result<(), Refusal> {
        let plain = |text: &str, most: usize| {
            !text.trim().is_empty() && text.len() <= most && !text.chars().any(char::is_control)
        };
        let order = match self {
            Self::NotTaken => true,
            Self::Taken { order } => plain(order, LONGEST_ORDER),
        };
        if order && plain(reason, LONGEST) {
            return Ok(());
        }
        let text =
            "a decision has a reason of 1 to 500 bytes, and an order a name of 1 to 200, without control characters";
        Err(Refusal::new(Why::Invalid, text))
    }

    /// Whether this is how a checkout ended.
    fn is_end_of(&self, row: &Row) -> bool {
        match self {
            Self::NotTaken => row.state == State::Refused && row.refusal.as_deref() == Some(Why::Decided.as_str()),
            Self::Taken { order } => row.state == State::Paid && row.order_id.as_deref() == Some(order.as_str()),
        }
    }
}

/// A purchase for which money is held and whose merchant was asked and has not said how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// The purchase.
    pub checkout: Checkout,
    /// Whose it is.
    pub buyer: Handle,
    /// Since when the merchant owes an answer.
    pub asked_at: Timestamp,
}

impl Commerce {
    /// Purchases whose merchants have not said how they ended, the longest waiting first. Whoever calls has judged the right.
    pub async fn undecided(&self) -> Result<Vec<Undecided>, Error> {
        let now = self.now().after(Duration::from_micros(1));
        let mut conn = self.read().await?;
        let mut found = Vec::new();
        for row in checkouts::waiting(&mut conn, now, MOST).await? {
            if let Some(asked_at) = row.asked_at {
                let buyer = person(&mut conn, row.person_id).await?.handle;
                found.push(Undecided { checkout: view(row)?, buyer, asked_at });
            }
        }
        found.sort_by_key(|one| one.asked_at);
        Ok(found)
    }

    /// Ends a purchase whose merchant does not answer, as somebody found out by another way, who says why. The merchant is asked
    /// once more before; what it says then counts and not the decision. Whoever calls has judged the right; the same decision
    /// again changes nothing.
    ///
    /// The money is freed or moved once, by the same transfer as by the merchant's own word: whichever comes first. A merchant that
    /// says later that it took an order which was decided not taken is not paid for it.
    ///
    /// # Errors
    /// [`Why::CheckoutState`] unless the merchant was asked ten minutes ago and no end is known.
    pub async fn decide(
        &self,
        operator: &Caller,
        id: CheckoutId,
        decision: Decision,
        reason: &str,
    ) -> Result<Checkout, Error> {
        decision.check(reason)?;
        let row = checkouts::find(&mut self.read().await?, id).await?.ok_or_else(Error::unknown_checkout)?;
        if decision.is_end_of(&row) {
            return view(row);
        }
        if row.state != State::Reserved {
            return Err(wrong_state(row.state));
        }
        let Some(since) = row.asked_at else {
            return Err(Error::refused(
                Why::CheckoutState,
                "the merchant was not asked yet; the hub asks it in a moment",
            ));
        };
        let from = since.after(PATIENCE);
        if self.now() < from {
            let text = format!("the merchant was asked at {since}; from {from} on somebody else can say how it ended");
            return Err(Error::refused(Why::CheckoutState, text));
        }
        match self.complete(row.person_id, id).await {
            Err(Error::Unknown { .. }) => {}
            word => return word,
        }
        fail::fail_point!("commerce::decided");
        let (now, operator, reason) = (self.now(), operator.clone(), reason.to_owned());
        let kept = decision.clone();
        let row = self
            .unit(move |tx| {
                let (operator, decision, reason) = (operator.clone(), kept.clone(), reason.clone());
                Box::pin(async move { end(tx, &operator, id, &decision, &reason, now).await })
            })
            .await?;
        if decision == Decision::NotTaken
            && decision.is_end_of(&row)
            && let Some(session) = &row.session
        {
            self.give_back(&row.merchant, session, id).await;
        }
        view(row)
    }
}

/// One transaction: nobody else ends it meanwhile, the money moves or is free, and the audit trail says who decided and why.
async fn end(
    tx: &mut Tx,
    operator: &Caller,
    id: CheckoutId,
    decision: &Decision,
    reason: &str,
    now: Timestamp,
) -> Result<Row, Error> {
    let seen = checkouts::find(tx, id).await?.ok_or_else(Error::unknown_checkout)?;
    if let Some(mandate) = seen.mandate_id {
        mandates::hold(tx, mandate).await?;
    }
    let row = checkouts::find(tx, id).await?.ok_or_else(Error::unknown_checkout)?;
    if row.state != State::Reserved {
        return if decision.is_end_of(&row) { Ok(row) } else { Err(wrong_state(row.state)) };
    }
    let outcome = match decision {
        Decision::Taken { order } => Outcome::Order(order.clone()),
        Decision::NotTaken => {
            let text =
                format!("the merchant never said whether it took the order, and an administrator ended it: {reason}");
            Outcome::Refused(Refusal::new(Why::Decided, text))
        }
    };
    let buyer = person(tx, row.person_id).await?.handle;
    let facts = json!({
        "decision": decision.as_str(), "reason": reason, "buyer": buyer, "merchant": row.merchant, "asked_at": row.asked_at,
    });
    audit::record(tx, operator, Event::new("checkout.decide", id.to_string()).detail(facts), now).await?;
    settle(tx, row.person_id, id, &outcome, now).await
}
