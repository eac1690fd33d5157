//! A hub at which somebody buys, over HTTP.

use axum::http::{Request, StatusCode};
use kontor_commerce::{Mode, Terms};
use kontor_crypto::{KeyRecord, Purpose, SigningKey};
use kontor_merchants::{Catalogue, Merchant, Running};
use kontor_outbound::Policy;
use kontor_testkit::{ADMIN, Answer, NATIVE, On, TestHub, with_token};
use kontor_types::{Clock as _, MandateId, Money};
use serde_json::{Value, json};

/// A hub that knows a tea house, and Ada, who has ¥100 and a key for mandates.
pub struct Bazaar {
    pub hub: TestHub,
    pub tea: Running,
    pub ada: String,
    pub key: SigningKey,
}

pub fn yuan(minor: i64) -> Money {
    Money { currency: "CNY".parse().unwrap(), minor }
}

impl Bazaar {
    /// `None` when there is no such database here.
    pub async fn open(on: On) -> Option<Self> {
        let hub = TestHub::set(on, |settings| settings.outbound = Policy::unrestricted(), |_| {}).await?;
        let shop = Catalogue::tea_house("CNY".parse().unwrap());
        let key = SigningKey::from_secret(Purpose::Merchant, &[1; 32]);
        let tea = Merchant::start(shop, key, "127.0.0.1:0".parse().unwrap(), hub.clock.clone()).await.unwrap();
        let ada = hub.person("ada", &[]).await;
        let key = SigningKey::from_secret(Purpose::Mandate, &[3; 32]);
        let bazaar = Self { hub, tea, ada, key };
        let new = json!({"url": bazaar.tea.url()});
        let added = bazaar.hub.call("PUT", &format!("{NATIVE}/merchants/tea-house"), Some(ADMIN), &new).await;
        assert_eq!(added.status, StatusCode::OK, "{}", added.body);
        let filled =
            bazaar.write(ADMIN, "first", "/purse/top-ups", &json!({"person": "ada", "amount": yuan(10_000)})).await;
        assert_eq!(filled.status, StatusCode::CREATED, "{}", filled.body);
        let now = bazaar.hub.clock.now();
        let record = KeyRecord {
            id: bazaar.key.id(),
            purpose: Purpose::Mandate,
            public_key: Some(bazaar.key.verifying_key()),
            created_at: now,
            retired_at: None,
            revoked: None,
            endorsement: None,
        };
        let claim = bazaar.key.claim(&"ada".parse().unwrap(), now);
        let new = json!({"public_key": record.public_key, "created_at": now, "claim": claim});
        let known = bazaar.hub.call("POST", &format!("{NATIVE}/mandate-keys"), Some(&bazaar.ada), &new).await;
        assert_eq!(known.status, StatusCode::CREATED, "{}", known.body);
        Some(bazaar)
    }

    pub async fn write(&self, token: &str, key: &str, path: &str, body: &Value) -> Answer {
        self.raw(token, key, path, body.to_string()).await
    }

    pub async fn raw(&self, token: &str, key: &str, path: &str, body: String) -> Answer {
        let request = with_token(Request::post(format!("{NATIVE}{path}")), Some(token))
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        self.hub.send(request, body).await
    }

    /// A mandate of Ada over ¥80 for ten purchases within an hour.
    pub fn terms(&self) -> Terms {
        let now = self.hub.clock.now();
        Terms {
            id: MandateId::new(now),
            hub: self.hub.hub.app.commerce.hub().to_owned(),
            person: "ada".parse().unwrap(),
            mode: Mode::Delegated,
            total: yuan(8_000),
            each: None,
            merchants: Vec::new(),
            categories: Vec::new(),
            not_before: now,
            until: now.after(std::time::Duration::from_hours(1)),
            count: 10,
            quote: None,
            signed_at: now,
        }
    }

    /// Sends terms that Ada's key has signed.
    pub async fn give(&self, key: &str, terms: &Terms) -> Answer {
        let signed = String::from_utf8(terms.sign(&self.key).unwrap().to_json()).unwrap();
        self.write(&self.ada, key, "/mandates", &json!({ "signed": signed })).await
    }

    pub async fn mandate(&self, key: &str) -> String {
        let terms = self.terms();
        let taken = self.give(key, &terms).await;
        assert_eq!(taken.status, StatusCode::CREATED, "{}", taken.body);
        terms.id.to_string()
    }

    pub async fn quoted(&self, key: &str) -> String {
        let order = json!({"merchant": "tea-house", "lines": [{"item": "classic-milk-tea", "quantity": 1}]});
        let quoted = self.write(&self.ada, key, "/checkouts", &order).await;
        assert_eq!(quoted.status, StatusCode::CREATED, "{}", quoted.body);
        quoted.json()["id"].as_str().unwrap().to_owned()
    }

    pub async fn pay(&self, key: &str, checkout: &str, mandate: &str) -> Answer {
        self.write(&self.ada, key, &format!("/checkouts/{checkout}/complete"), &json!({ "mandate": mandate })).await
    }

    pub async fn balance(&self) -> Value {
        self.hub.get(&format!("{NATIVE}/purse"), Some(&self.ada)).await.json()["items"][0]["balance"]["minor"].clone()
    }
}
