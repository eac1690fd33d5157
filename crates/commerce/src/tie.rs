use kontor_crypto::Envelope;
use kontor_db::checkouts::{self, Checkout as Row};
use kontor_db::{Conn, ledger_accounts, ledger_transfers, mandates};
use kontor_translog::{Entry, Log};
use kontor_types::{CheckoutId, PersonId};

use crate::checkout::{led_to, quote_of, view, wrong_state};
use crate::commerce::person;
use crate::{Commerce, Error, OrderReceipt, Posting, PostingLeg, Tied, TiedMandate, Why};

/// The most that a receipt's words, choices and runs take, in bytes.
const LARGEST: usize = 1 << 20;

impl Commerce {
    /// Writes the receipt of a paid order, signs it, and hands it to the log in the same transaction. The first one stays: later
    /// calls give it again, whatever they tie.
    pub async fn write_receipt(&self, buyer: PersonId, id: CheckoutId, tied: Tied) -> Result<Envelope, Error> {
        let row = self.own(buyer, id).await?;
        if let Some(kept) = &row.receipt {
            return read(kept);
        }
        if serde_json::to_vec(&tied).map_or(usize::MAX, |text| text.len()) > LARGEST {
            return Err(Error::refused(Why::Invalid, "what a receipt ties together is at most 1 MiB"));
        }
        let receipt = self.compose(&row, tied).await?;
        let bytes = receipt.sign(&self.0.key).to_json();
        let now = self.now();
        let kept = self
            .unit(move |tx| {
                let bytes = bytes.clone();
                Box::pin(async move {
                    if checkouts::set_receipt(tx, id, &bytes).await? {
                        Log::enqueue(tx, Entry::of_receipt(bytes.clone()), now).await?;
                        return Ok(bytes);
                    }
                    let row = checkouts::find(tx, id).await?;
                    row.and_then(|row| row.receipt).ok_or(Error::Damaged { what: "a receipt" })
                })
            })
            .await?;
        self.0.log.wake();
        read(&kept)
    }

    /// The signed receipt of an order, if it was written. One that somebody paid by themselves, with a key of their own, is written
    /// when it is asked for, with the runs that the checkout names: nobody else will tie anything to it.
    pub async fn receipt(&self, buyer: PersonId, id: CheckoutId) -> Result<Option<Vec<u8>>, Error> {
        let row = self.own(buyer, id).await?;
        if row.receipt.is_none() && row.posting.is_some() && row.spend_key.is_some() {
            let runs = led_to(&mut self.read().await?, &row).await?;
            return Ok(Some(self.write_receipt(buyer, id, Tied { runs, ..Tied::default() }).await?.to_json()));
        }
        Ok(row.receipt)
    }

    async fn compose(&self, row: &Row, tied: Tied) -> Result<OrderReceipt, Error> {
        let damaged = || Error::Damaged { what: "a checkout" };
        let seen = view(row.clone())?;
        let (Some(reserve), Some(post), Some(order)) = (row.reservation, row.posting, row.order_id.clone()) else {
            return Err(wrong_state(row.state));
        };
        let mut conn = self.read().await?;
        let quote = quote_of(row)?.ok_or_else(damaged)?;
        let mandate = mandates::find(&mut conn, row.mandate_id.ok_or_else(damaged)?).await?.ok_or_else(damaged)?;
        let mut postings = Vec::new();
        for number in [reserve, post] {
            postings.push(posting(&mut conn, number).await?);
        }
        let parse = |key: &str| key.parse().map_err(|_| damaged());
        Ok(OrderReceipt {
            checkout: row.id,
            hub: self.hub().to_owned(),
            buyer: person(&mut conn, row.person_id).await?.handle,
            tied,
            merchant: row.merchant.clone(),
            merchant_key: parse(row.merchant_key.as_deref().unwrap_or_default())?,
            quote: row.quote.clone().ok_or_else(damaged)?,
            quote_digest: row.quote_digest.ok_or_else(damaged)?,
            order,
            total: quote.currency.minor(quote.total),
            shares: seen.shares,
            mandate: TiedMandate { envelope: read(&mandate.envelope)?, key: parse(&mandate.public_key)? },
            postings,
        })
    }
}

async fn posting(conn: &mut Conn, number: i64) -> Result<Posting, Error> {
    let damaged = || Error::Damaged { what: "a transfer" };
    let transfer = ledger_transfers::with_numbers(conn, &[number]).await?.pop().ok_or_else(damaged)?;
    let legs = ledger_transfers::legs_of(conn, &[number]).await?;
    let mut numbers: Vec<i64> = legs.iter().flat_map(|leg| [leg.debit, leg.credit]).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let accounts = ledger_accounts::with_numbers(conn, &numbers).await?;
    let name = |number: i64| {
        let account = accounts.iter().find(|account| account.number == number).ok_or_else(damaged)?;
        Ok::<_, Error>(format!("{}/{}/{}", account.owner_kind, account.owner, account.code))
    };
    let legs = legs.iter().map(|leg| {
        let minor = if leg.held > 0 { leg.held } else { leg.amount };
        Ok(PostingLeg { from: name(leg.debit)?, to: name(leg.credit)?, amount: leg.currency.minor(minor) })
    });
    let legs = legs.collect::<Result<_, Error>>()?;
    Ok(Posting { transfer: number, kind: transfer.kind.to_string(), at: transfer.created_at, legs })
}

fn read(bytes: &[u8]) -> Result<Envelope, Error> {
    Envelope::parse(bytes).map_err(|_| Error::Damaged { what: "a receipt" })
}
