use http::Method;
use kontor_access::audit::Event;
use kontor_db::checkouts::{self, Checkout as Row, CheckoutState as State};
use kontor_db::{Conn, Tx, ledger_transfers};
use kontor_ledger::{Amounts, Kind, Order, Refusal as Ledgers, Request};
use kontor_types::{CheckoutId, Money, PersonId, Timestamp};
use serde_json::json;

use crate::checkout::{quote_of, view, wrong_state};
use crate::commerce::{person, record};
use crate::merchant::{Told, path_safe};
use crate::pay::{ledger_key, memo};
use crate::purse::once;
use crate::{Checkout, Commerce, Error, Why};

impl Commerce {
    /// Asks the merchant to take an order back, all that is left of it or a part, and reverses what was posted for it in
    /// proportion: purse and mandate have it again, and whoever shared in the sale gives their part back. Once per key.
    ///
    /// # Errors
    /// [`Why::AmountInvalid`] for more than was paid and not yet given back, [`Why::CheckoutState`] when nothing was paid,
    /// [`Error::Unknown`] when the merchant did not say: ask again with the same key.
    pub async fn refund(
        &self,
        buyer: PersonId,
        key: &str,
        id: CheckoutId,
        amount: Option<Money>,
    ) -> Result<Checkout, Error> {
        let row = self.own(buyer, id).await?;
        let (State::Paid | State::Refunded, Some(posting), Some(order)) =
            (row.state, row.posting, row.order_id.clone())
        else {
            return Err(wrong_state(row.state));
        };
        let ledger_key = ledger_key(id, &format!("refund-{key}"))?;
        if let Some(done) = self.0.ledger.find(&ledger_key).await? {
            return self.again(row, done.number, amount).await;
        }
        let left = left(&mut self.read().await?, &row, posting).await?;
        let wanted = amount.unwrap_or(left);
        if wanted.currency != left.currency || wanted.minor <= 0 || wanted.minor > left.minor {
            return Err(too_much(left));
        }
        let shop = self.shop(&row.merchant).await?;
        let body = json!({ "amount": wanted.minor, "currency": wanted.currency });
        let path = format!("/orders/{}/refunds", path_safe(&order));
        match shop.ask(Method::POST, &path, Some(&format!("{id}-refund-{key}")), Some(&body)).await {
            Told::Yes(_) => {}
            Told::No { detail, .. } => return Err(Error::refused(Why::PaymentRefused, detail)),
            Told::Unknown(reason) => return Err(Error::Unknown { reason }),
        }
        fail::fail_point!("commerce::refunding");
        let now = self.now();
        let row = self
            .unit(move |tx| {
                let key = ledger_key.clone();
                Box::pin(async move {
                    let order = Order::Refund { transfer: posting, amounts: Amounts::Part(wanted) };
                    take_back(tx, buyer, id, Request::new(key, order), now).await
                })
            })
            .await?;
        view(row)
    }

    /// The same key again: the same answer, if it is the same amount.
    async fn again(&self, row: Row, transfer: i64, amount: Option<Money>) -> Result<Checkout, Error> {
        let legs = ledger_transfers::legs_of(&mut self.read().await?, &[transfer]).await?;
        let total = quote_of(&row)?.ok_or(Error::Damaged { what: "a quote" })?;
        // Purse and mandate each have it back.
        let given: i64 = legs.iter().map(|leg| leg.amount).sum::<i64>() / 2;
        if amount.is_some_and(|amount| amount != total.currency.minor(given)) {
            return Err(Error::refused(Why::KeyConflict, "this key was used for another refund"));
        }
        view(row)
    }
}

async fn take_back(
    tx: &mut Tx,
    buyer: PersonId,
    id: CheckoutId,
    request: Request,
    now: Timestamp,
) -> Result<Row, Error> {
    let row = checkouts::find(tx, id).await?.ok_or(Error::Damaged { what: "a checkout" })?;
    let posting = row.posting.ok_or(Error::Damaged { what: "a checkout" })?;
    let recorded = match once(tx, request.memo(memo(&row)), now).await {
        Err(Error::Ledger(kontor_ledger::Error::Refused(Ledgers::Exceeds { .. }))) => {
            let left = left(tx, &row, posting).await?;
            return Err(too_much(left));
        }
        recorded => recorded?,
    };
    if left(tx, &row, posting).await?.minor == 0 {
        checkouts::refunded(tx, id, now).await?;
    }
    if !recorded.repeated {
        let person = person(tx, buyer).await?;
        let facts = json!({ "transfer": recorded.transfer.number });
        record(tx, &person, Event::new("checkout.refund", id.to_string()).detail(facts), now).await?;
    }
    checkouts::find(tx, id).await?.ok_or(Error::Damaged { what: "a checkout" })
}

/// What was paid and not yet given back.
async fn left(conn: &mut Conn, row: &Row, posting: i64) -> Result<Money, Error> {
    let quote = quote_of(row)?.ok_or(Error::Damaged { what: "a quote" })?;
    let later = ledger_transfers::after_origins(conn, &[posting]).await?;
    let refunds: Vec<i64> = later.iter().filter(|one| one.kind == Kind::Refund).map(|one| one.number).collect();
    let legs = ledger_transfers::legs_of(conn, &refunds).await?;
    // Each refund gives the same to the purse and to the mandate.
    let back = legs.iter().fold(0_i64, |sum, leg| sum.saturating_add(leg.amount)) / 2;
    Ok(quote.currency.minor(quote.total.saturating_sub(back)))
}

fn too_much(left: Money) -> Error {
    Error::refused(
        Why::AmountInvalid,
        format!("a refund is more than nothing and at most what is left of the payment, {left}"),
    )
}
