//! From a written order to a paid one: quote, mandate, reservation, payment, receipt. Each verb of `commerce` is done once however
//! often its step is tried.

use std::sync::Arc;
use std::time::Duration;

use kontor_access::policy::PurchaseFacts;
use kontor_commerce::{Checkout, Choice, NewCheckout, NewLine, Quote, State, Tied, TiedRun, TiedTokens};
use kontor_types::{CheckoutId, Digest, Handle, MandateId, Money, PersonId, RunId};
use kontor_workflow::{Journal, Step, StepError, Stop};
use serde_json::json;

use super::ask::{self, Confirmed, Purchase};
use super::discover::wanted_by;
use crate::agents::Means;
use crate::order::{Begun, Bought, Order, Quoted, Story, Tokens};
use crate::words::Say;

/// The longest address with a note, in bytes, as checkouts take it.
const LONGEST: usize = 500;

/// Buys what the order says.
pub(super) async fn buy(means: &Arc<Means>, journal: &Journal, begun: &Begun, story: &Story) -> Result<Bought, Stop> {
    let order = &story.order;
    let buyer = journal.owner().person;
    let quoted = quote(means, journal, story, buyer).await?;
    let say = Say(order.language);
    if quoted.free.minor < quoted.total.minor {
        return Err(Stop::refuse("insufficient_funds", say.insufficient_funds(&quoted)));
    }
    let dearer = quoted.total.minor > story.draft.expected.minor;
    let confirmed = match order.mandate {
        Some(_) if !dearer && quoted.must_ask.is_none() => Confirmed::Yes,
        _ => {
            let what = Purchase {
                title: &story.draft.title,
                quantity: story.draft.quantity,
                merchant: &story.draft.merchant_name,
                address: &story.address,
                expected: story.draft.expected.to_string(),
                hub: means.commerce.hub(),
            };
            ask::purchase(journal, order, begun, &quoted, &what).await?
        }
    };
    let mandate = mandate(means, journal, order, buyer, confirmed).await?;
    // From here on it goes to its end: what was confirmed is bought, or refused by somebody who can.
    journal.seal("pay").await?;
    let paid = pay(means, journal, buyer, quoted.checkout, mandate).await?;
    receipt(means, journal, story, buyer, &paid).await
}

async fn quote(means: &Arc<Means>, journal: &Journal, story: &Story, buyer: PersonId) -> Result<Quoted, Stop> {
    let key = format!("{}/quote", journal.workflow());
    let (doing, taken) = (Arc::clone(means), key.clone());
    journal.undo("cancel the checkout", &key, move |_| {
        let (doing, key) = (Arc::clone(&doing), taken.clone());
        async move { doing.let_go(buyer, &key).await }
    });
    let new = new_checkout(story);
    let order = &story.order;
    journal.step(Step::named("quote").tries(5), &new, |_| means.quote(order, buyer, &key, &new)).await
}

fn new_checkout(story: &Story) -> NewCheckout {
    let mut deliver_to = story.address.clone();
    if let Some(note) = &story.wish.note {
        deliver_to = format!("{deliver_to} ({note})");
    }
    while deliver_to.len() > LONGEST {
        deliver_to.pop();
    }
    // The publishers of what ran to its end share in the sale; the hub looks up who they are.
    let mut runs: Vec<RunId> = story.ran.values().filter(|ran| ran.led()).map(|ran| ran.run).collect();
    runs.sort();
    NewCheckout {
        merchant: story.draft.merchant.clone(),
        lines: vec![NewLine { item: story.draft.item.clone(), quantity: story.draft.quantity }],
        coupon: story.draft.coupon.clone(),
        deliver_to,
        runs,
        most: story.wish.at_most,
    }
}

/// The mandate under which it is paid.
async fn mandate(
    means: &Arc<Means>,
    journal: &Journal,
    order: &Order,
    buyer: PersonId,
    confirmed: Confirmed,
) -> Result<MandateId, Stop> {
    let say = Say(order.language);
    let named = |text: &str| text.parse::<MandateId>().map_err(|_| Stop::refuse("no_mandate", say.no_mandate()));
    match (confirmed, order.mandate) {
        (Confirmed::Yes, Some(mandate)) => Ok(mandate),
        (Confirmed::Yes, None) => Err(Stop::refuse("no_mandate", say.no_mandate())),
        (Confirmed::Mandate(mandate), _) => named(&mandate),
        (Confirmed::Signed(envelope), _) => {
            journal.step("mandate", &envelope, |_| means.accept(buyer, &order.person, &envelope)).await
        }
    }
}

async fn pay(
    means: &Arc<Means>,
    journal: &Journal,
    buyer: PersonId,
    checkout: CheckoutId,
    mandate: MandateId,
) -> Result<CheckoutId, Stop> {
    let reserved = journal
        .step(Step::named("reserve").tries(5), &(checkout, mandate), |_| async move {
            let done = means.commerce.reserve(buyer, checkout, mandate).await.map_err(|error| failed(&error))?;
            standing(&done)
        })
        .await;
    if let Err(stop) = reserved {
        // Nothing is held; the merchant need not wait for it.
        let key = format!("{}/quote", journal.workflow());
        if matches!(stop, Stop::Refused { .. }) {
            journal.step("cancel the checkout", &key, |_| means.let_go(buyer, &key)).await?;
        }
        return Err(stop);
    }
    let often = Step::named("pay").tries(60).backing_off(Duration::from_millis(500), Duration::from_secs(30));
    journal
        .step(often, &checkout, |_| async move {
            let done = means.commerce.complete(buyer, checkout).await.map_err(|error| failed(&error))?;
            match done.state {
                State::Paid => Ok(done.id),
                _ => standing(&done),
            }
        })
        .await
}

async fn receipt(
    means: &Arc<Means>,
    journal: &Journal,
    story: &Story,
    buyer: PersonId,
    checkout: &CheckoutId,
) -> Result<Bought, Stop> {
    let (number, head) = journal.head().await?;
    let tied = Tied {
        request: story.order.request.clone(),
        choices: choices(story),
        runs: runs(story),
        tokens: tokens(story),
        workflow: Some(format!("{} entry {number} {head}", journal.workflow())),
    };
    let checkout = *checkout;
    journal
        .step(Step::named("receipt").tries(8), &checkout, |_| {
            let tied = tied.clone();
            async move {
                let done = means.commerce.checkout(buyer, checkout).await.map_err(|error| failed(&error))?;
                means.commerce.write_receipt(buyer, checkout, tied).await.map_err(|error| failed(&error))?;
                let bytes = means.commerce.receipt(buyer, checkout).await.map_err(|error| failed(&error))?;
                let bytes = bytes.ok_or_else(|| StepError::retry("the receipt is not there yet"))?;
                let total = done.total.ok_or_else(|| StepError::lost("the checkout has no total"))?;
                Ok(Bought {
                    checkout,
                    order: done.order.unwrap_or_default(),
                    merchant: story.draft.merchant.clone(),
                    merchant_name: story.draft.merchant_name.clone(),
                    title: story.draft.title.clone(),
                    quantity: story.draft.quantity,
                    total,
                    deliver_to: story.address.clone(),
                    receipt: Digest::of(&bytes),
                })
            }
        })
        .await
}

fn choices(story: &Story) -> Vec<Choice> {
    let skills = story.chosen.iter().map(|(role, chosen)| Choice {
        what: format!("skill to {}", role.as_str()),
        chosen: format!("{} {}", chosen.skill, chosen.digest),
        refused: chosen.refused.clone(),
        reason: chosen.reason.clone(),
    });
    let refused = story.picked.refused.iter().map(|refusal| format!("{}: {}", refusal.code, refusal.text));
    let offer = Choice {
        what: "offer".to_owned(),
        chosen: story.picked.offer.clone(),
        refused: refused.collect(),
        reason: story.picked.reason.clone(),
    };
    skills.chain([offer]).collect()
}

fn runs(story: &Story) -> Vec<TiedRun> {
    let told = story.ran.values().filter_map(|ran| {
        Some(TiedRun { run: ran.run, skill: ran.skill.clone(), digest: ran.digest, receipt: ran.receipt? })
    });
    told.collect()
}

fn tokens(story: &Story) -> Vec<TiedTokens> {
    let told = story.tokens.iter().map(|tokens| TiedTokens {
        model: tokens.model.clone(),
        input: tokens.input,
        output: tokens.output,
        cost: cost(tokens),
    });
    told.collect()
}

/// The cost in whole minor units, upwards: a receipt counts no fractions.
fn cost(tokens: &Tokens) -> Option<Money> {
    let (micros, currency) = (tokens.cost_micros?, tokens.currency?);
    let minor = 10_i64.checked_pow(u32::from(currency.exponent()))?;
    let whole = i128::from(micros.max(0)) * i128::from(minor);
    let up = (whole + 999_999) / 1_000_000;
    Some(Money { currency, minor: i64::try_from(up).ok()? })
}

impl Means {
    async fn quote(&self, order: &Order, buyer: PersonId, key: &str, new: &NewCheckout) -> Result<Quoted, StepError> {
        let done = self.commerce.quote(buyer, key, new.clone()).await.map_err(|error| failed(&error))?;
        if done.state != State::Quoted {
            return standing(&done).and(Err(StepError::refused("checkout_state", "the checkout is not quoted")));
        }
        let (Some(quote), Some(total)) = (&done.quote, done.total) else {
            return Err(StepError::refused("quote_invalid", "the merchant gave no quote"));
        };
        let must_ask = self.must_ask(order, &done, quote).await?;
        let purse = self.commerce.purse(buyer).await.map_err(|error| failed(&error))?;
        let free = purse.iter().find(|one| one.free.currency == total.currency).map(|one| one.free);
        let shown = serde_json::to_value(&done).map_err(|error| StepError::lost(error.to_string()))?;
        Ok(Quoted {
            checkout: done.id,
            total,
            expires_at: quote.expires_at,
            free: free.unwrap_or(Money { minor: 0, ..total }),
            must_ask,
            shown: json!(shown),
        })
    }

    /// Why the policy wants the person asked before this is paid.
    async fn must_ask(&self, order: &Order, checkout: &Checkout, quote: &Quote) -> Result<Option<String>, StepError> {
        let caller = self.caller(order).await?;
        let purchase = PurchaseFacts {
            merchant: checkout.merchant.clone(),
            categories: quote.lines.iter().map(|line| line.category.clone()).collect(),
            total: quote.total,
            currency: quote.currency.to_string(),
        };
        let alone = self.registry.may_pay_alone(&caller, &purchase).await;
        let alone = alone.map_err(|error| StepError::retry(error.to_string()))?;
        Ok(alone.err().map(|reasons| wanted_by(&reasons)))
    }

    async fn accept(&self, buyer: PersonId, person: &Handle, envelope: &str) -> Result<MandateId, StepError> {
        let accepted = self.commerce.accept_mandate(buyer, person, envelope.as_bytes()).await;
        Ok(accepted.map_err(|error| failed(&error))?.terms.id)
    }

    /// Cancels the checkout of an errand that buys nothing; one that is over stays as it is.
    async fn let_go(&self, buyer: PersonId, key: &str) -> Result<(), StepError> {
        let found = self.commerce.find_by_key(buyer, key).await.map_err(|error| failed(&error))?;
        let Some(checkout) = found.filter(|one| matches!(one.state, State::Open | State::Quoted)) else {
            return Ok(());
        };
        self.commerce.cancel(buyer, checkout.id).await.map_err(|error| failed(&error))?;
        Ok(())
    }
}

/// Passes for a checkout that goes on; else why it does not.
fn standing(checkout: &Checkout) -> Result<CheckoutId, StepError> {
    match (&checkout.refusal, checkout.state) {
        (Some(refusal), _) => Err(StepError::refused(refusal.code.clone(), refusal.detail.clone())),
        (None, State::Refused | State::Cancelled | State::Refunded) => {
            Err(StepError::refused("checkout_state", "the checkout came to nothing"))
        }
        (None, _) => Ok(checkout.id),
    }
}

fn failed(error: &kontor_commerce::Error) -> StepError {
    if error.may_pass() {
        return StepError::retry(error.to_string());
    }
    let problem = error.problem();
    let code = error.refusal().map_or_else(|| problem.code.as_str().to_owned(), |refusal| refusal.code().to_owned());
    let text = match &problem.hint {
        Some(hint) => format!("{}; {hint}", problem.detail),
        None => problem.detail.clone(),
    };
    StepError::refused(code, text)
}
