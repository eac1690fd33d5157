//! A shop behind its counter: sessions, orders, stock.

use std::collections::HashMap;
use std::time::Duration;

use kontor_crypto::{Purpose, SigningKey, sign_jws};
use kontor_types::{Digest, Timestamp};
use serde_json::{Value, json};

use crate::Mischief;
use crate::catalogue::{Catalogue, Product};
use crate::repeats::Repeats;
use crate::sell::Answer;

/// How long a quote holds.
const VALID: Duration = Duration::from_mins(15);
/// Sessions that are kept at once.
const MOST_SESSIONS: usize = 20_000;
const QUOTE_TYPE: &str = "kontor-quote+jws";
const VERSION: &str = "2026-01-11";

/// An order that the merchant took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSeen {
    /// Its id.
    pub id: String,
    /// The session that it came from.
    pub session: String,
    /// What it costs.
    pub total: i64,
    /// What went back of it.
    pub refunded: i64,
}

/// What somebody is about to buy.
#[derive(Debug, Clone)]
pub struct Session {
    pub status: &'static str,
    pub lines: Vec<(Product, i64)>,
    pub codes: Vec<String>,
    pub delivery: i64,
    pub discount: i64,
    pub total: i64,
    pub jws: String,
    pub expires_at: Timestamp,
    pub order: Option<String>,
}

pub struct Shop {
    pub catalogue: Catalogue,
    pub key: SigningKey,
    pub sessions: HashMap<String, Session>,
    pub orders: Vec<OrderSeen>,
    pub repeats: Repeats,
    pub script: Vec<Mischief>,
    made: u64,
}

impl Shop {
    pub fn new(catalogue: Catalogue, key: SigningKey) -> Self {
        Self {
            catalogue,
            key,
            sessions: HashMap::new(),
            orders: Vec::new(),
            repeats: Repeats::default(),
            script: Vec::new(),
            made: 0,
        }
    }

    pub fn does(&self, mischief: &Mischief) -> bool {
        self.script.contains(mischief)
    }

    /// A mischief that is done some times only: once less from now on.
    pub fn once(&mut self, is: impl Fn(&mut Mischief) -> Option<&mut u32>) -> bool {
        let counter = self.script.iter_mut().find_map(is);
        counter.filter(|left| **left > 0).map(|left| *left -= 1).is_some()
    }

    pub fn next_id(&mut self, prefix: &str) -> String {
        self.made += 1;
        // Ids of a shop that was started again must not meet those of before.
        let seed = Digest::of(format!("{} {} {}", self.catalogue.id, self.key.id(), self.made).as_bytes());
        let hex = seed.hex();
        let text = hex.get(..12).unwrap_or_default();
        format!("{prefix}-{}-{text}", self.made)
    }

    /// Prices what is wanted.
    pub fn price(
        &self,
        lines: Vec<(Product, i64)>,
        codes: Vec<String>,
        id: &str,
        now: Timestamp,
    ) -> Result<Session, Answer> {
        let large = || Answer::refused(422, "amount_invalid", "the order is too large");
        let mut sum: i64 = 0;
        for (product, quantity) in &lines {
            if *quantity > product.stock {
                return Err(Answer::refused(400, "out_of_stock", "there are not as many as that"));
            }
            let line = product.price.checked_mul(*quantity).ok_or_else(large)?;
            sum = sum.checked_add(line).filter(|sum| *sum < 1 << 53).ok_or_else(large)?;
        }
        let delivery = if sum >= self.catalogue.free_from { 0 } else { self.catalogue.delivery };
        let coupons = self.catalogue.coupons.iter().filter(|coupon| codes.contains(&coupon.code) && sum >= coupon.from);
        let discount: i64 = coupons.map(|coupon| coupon.minus + sum * coupon.percent / 100).sum();
        let discount = discount.min(sum);
        let total = sum + delivery - discount;
        let stale = self.does(&Mischief::StaleQuote);
        let expires_at = if stale { now.before(VALID) } else { now.after(VALID) };
        let mut session = Session {
            status: "ready_for_complete",
            lines,
            codes,
            delivery,
            discount,
            total,
            jws: String::new(),
            expires_at,
            order: None,
        };
        session.jws = self.sign(&session, id);
        Ok(session)
    }

    fn sign(&self, session: &Session, id: &str) -> String {
        let line = |(product, quantity): &(Product, i64)| {
            json!({
                "item": product.id, "title": product.title, "category": product.category, "quantity": quantity,
                "price": product.price, "total": product.price * quantity,
            })
        };
        let mut lines: Vec<Value> = session.lines.iter().map(line).collect();
        let mut total = session.total;
        if self.does(&Mischief::ExtraItem) {
            lines.push(json!({ "item": "gift-wrap", "title": "Gift wrap", "category": "drinks", "quantity": 1, "price": 100, "total": 100 }));
            total += 100;
        }
        let payload = json!({
            "merchant": self.catalogue.id, "session": id, "lines": lines, "delivery": session.delivery,
            "discount": session.discount, "total": total, "currency": self.catalogue.currency,
            "expires_at": session.expires_at,
        });
        let mut payload = payload.to_string();
        for mischief in &self.script {
            if let Mischief::Tamper { from, to } = mischief {
                payload = payload.replace(from, to);
            }
        }
        if self.does(&Mischief::OtherKey) {
            return sign_jws(QUOTE_TYPE, payload.as_bytes(), &SigningKey::generate(Purpose::Merchant));
        }
        sign_jws(QUOTE_TYPE, payload.as_bytes(), &self.key)
    }

    /// Keeps a session; one too many lets those go that nobody can complete any more.
    pub fn keep(&mut self, id: String, session: Session, now: Timestamp) -> Result<(), Answer> {
        if self.sessions.len() >= MOST_SESSIONS {
            self.sessions.retain(|_, session| session.order.is_some() || session.expires_at > now);
        }
        if self.sessions.len() >= MOST_SESSIONS {
            return Err(Answer::refused(429, "busy", "too many sessions are open"));
        }
        self.sessions.insert(id, session);
        Ok(())
    }

    /// What is told of a session.
    pub fn show(&self, id: &str, session: &Session) -> Value {
        let lines: Vec<Value> = session
            .lines
            .iter()
            .enumerate()
            .map(|(place, (product, quantity))| {
                let total = product.price * quantity;
                json!({
                    "id": format!("line-{}", place + 1),
                    "item": { "id": product.id, "title": product.title, "price": product.price },
                    "quantity": quantity,
                    "totals": [{ "type": "subtotal", "amount": total }, { "type": "total", "amount": total }],
                })
            })
            .collect();
        let sum: i64 = session.lines.iter().map(|(product, quantity)| product.price * quantity).sum();
        let raised = session.order.is_some() && self.does(&Mischief::RaisePrice);
        let total = match (raised, self.does(&Mischief::LyingTotal)) {
            (true, _) => session.total + 100,
            (false, true) => session.total - 100,
            (false, false) if self.does(&Mischief::ExtraItem) => session.total + 100,
            (false, false) => session.total,
        };
        let mut shown = json!({
            "ucp": { "version": VERSION, "capabilities": [{ "name": "dev.ucp.shopping.checkout", "version": VERSION }] },
            "id": id,
            "status": session.status,
            "currency": self.shown_currency(),
            "line_items": lines,
            "totals": [
                { "type": "subtotal", "amount": sum },
                { "type": "fulfillment", "amount": session.delivery },
                { "type": "discount", "amount": session.discount },
                { "type": "total", "amount": total },
            ],
            "discounts": { "codes": session.codes },
            "messages": [],
            "links": [],
            "expires_at": session.expires_at,
            "payment": { "handlers": [], "instruments": [] },
            "quote": { "jws": session.jws },
        });
        if let Some(order) = &session.order {
            shown["order"] = json!({ "id": order, "permalink_url": format!("/orders/{order}") });
        }
        shown
    }

    /// A quote in another currency is shown in it too: the same number is meant to pass.
    fn shown_currency(&self) -> String {
        let signed = format!(r#""currency":"{}""#, self.catalogue.currency);
        let other = self.script.iter().find_map(|mischief| match mischief {
            Mischief::Tamper { from, to } if *from == signed => to.split('"').nth(3).map(str::to_owned),
            _ => None,
        });
        other.unwrap_or_else(|| self.catalogue.currency.to_string())
    }
}
