//! Services' values about money as the native API shows them.

use axum::http::HeaderMap;
use kontor_access::Caller;
use kontor_commerce as commerce;
use kontor_types::{Handle, PersonId, Scope};
use kontor_wire as wire;
use serde::Serialize;

use crate::Failure;

/// The person whose money it is: signed in, with a right to look.
pub fn owner(caller: &Caller) -> Result<(PersonId, Handle), Failure> {
    Ok(caller.person.clone().ok_or(kontor_access::Error::Unauthenticated)?)
}

/// The person whose money it is, with the right to spend it: scope `run`, and a token that is bound to no publisher.
pub fn spender(caller: &Caller) -> Result<(PersonId, Handle), Failure> {
    caller.require(Scope::Run)?;
    if caller.publishers.is_some() {
        return Err(kontor_access::Error::Bound.into());
    }
    owner(caller)
}

/// The key of a write about money; the front has seen that there is one.
pub fn key(headers: &HeaderMap) -> Result<String, Failure> {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    key.map(str::to_owned).ok_or_else(|| Failure::invalid("a write about money needs an Idempotency-Key"))
}

pub const fn balance(balance: &commerce::Balance) -> wire::PurseBalance {
    wire::PurseBalance { account: balance.account, balance: balance.balance, free: balance.free }
}

/// The word that serde writes for a value.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

pub fn mandate(mandate: commerce::Mandate) -> wire::Mandate {
    let terms = mandate.terms;
    wire::Mandate {
        id: terms.id,
        mode: word(&terms.mode),
        state: word(&mandate.state),
        total: terms.total,
        each: terms.each,
        merchants: terms.merchants,
        categories: terms.categories,
        not_before: terms.not_before,
        until: terms.until,
        count: terms.count,
        quote: terms.quote,
        left: mandate.left,
        held: mandate.held,
        used: mandate.used,
        account: mandate.account,
        key_id: mandate.key_id,
        accepted_at: mandate.accepted_at,
        revoked_at: mandate.revoked_at,
    }
}

pub fn mandate_key(key: commerce::MandateKey) -> wire::MandateKey {
    wire::MandateKey {
        key_id: key.key_id,
        public_key: key.public_key.to_string(),
        registered_at: key.registered_at,
        retired_at: key.retired_at,
    }
}

pub fn merchant(merchant: commerce::Merchant) -> wire::Merchant {
    wire::Merchant {
        slug: merchant.slug,
        name: merchant.name,
        url: merchant.url,
        endpoint: merchant.endpoint,
        public_key: merchant.public_key,
        platform_share: merchant.platform_share,
        author_share: merchant.author_share,
        added_at: merchant.added_at,
    }
}

pub fn wanted(new: wire::NewCheckout) -> commerce::NewCheckout {
    let line = |line: wire::NewCheckoutLine| commerce::NewLine { item: line.item, quantity: line.quantity };
    commerce::NewCheckout {
        merchant: new.merchant,
        lines: new.lines.into_iter().map(line).collect(),
        coupon: new.coupon,
        deliver_to: new.deliver_to,
        runs: new.runs,
        most: new.most,
    }
}

pub fn checkout(checkout: commerce::Checkout) -> wire::Checkout {
    let share = |share: commerce::Share| wire::CheckoutShare {
        owner_kind: share.owner_kind,
        owner: share.owner,
        basis_points: share.basis_points,
    };
    wire::Checkout {
        id: checkout.id,
        merchant: checkout.merchant,
        state: checkout.state.to_string(),
        quote: checkout.quote.map(quote),
        quote_digest: checkout.quote_digest,
        total: checkout.total,
        mandate: checkout.mandate,
        order: checkout.order,
        refusal: checkout.refusal.map(|refusal| wire::CheckoutRefusal { code: refusal.code, detail: refusal.detail }),
        shares: checkout.shares.into_iter().map(share).collect(),
        created_at: checkout.created_at,
        changed_at: checkout.changed_at,
    }
}

fn quote(quote: commerce::Quote) -> wire::CheckoutQuote {
    let line = |line: commerce::QuoteLine| wire::CheckoutLine {
        item: line.item,
        title: line.title,
        category: line.category,
        quantity: line.quantity,
        price: line.price,
        total: line.total,
    };
    wire::CheckoutQuote {
        lines: quote.lines.into_iter().map(line).collect(),
        delivery: quote.delivery,
        discount: quote.discount,
        total: quote.total,
        currency: quote.currency.to_string(),
        expires_at: quote.expires_at,
    }
}
