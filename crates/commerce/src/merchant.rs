//! What is said to merchants and what they answer: the checkout of UCP, version 2026-01-11, over REST.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use kontor_access::audit::Event;
use kontor_crypto::{Purpose, VerifyingKey, key_from_jwk};
use kontor_db::{Conn, merchants};
use kontor_outbound::Outbound;
use kontor_types::{PersonId, Slug, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use crate::commerce::{person, record};
use crate::quote::shown;
use crate::{Commerce, Error, Refusal, Why, gives_orders};

/// How long a merchant has for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest answer.
const LARGEST: u64 = 1 << 20;
const SERVICE: &str = "dev.ucp.shopping";

/// A merchant that the hub buys from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Merchant {
    /// The hub's name for it, which mandates name.
    pub slug: String,
    /// What it calls itself.
    pub name: String,
    /// Where its discovery document is below.
    pub url: String,
    /// Where its catalogue and its checkout answer.
    pub endpoint: String,
    /// The key that signs its quotes.
    pub public_key: String,
    /// What the platform keeps of a sale, in basis points.
    pub platform_share: u32,
    /// What the authors of the skills that led to a sale get together, in basis points.
    pub author_share: u32,
    /// When it was added, or its key was read again.
    pub added_at: Timestamp,
}

impl From<merchants::Merchant> for Merchant {
    fn from(row: merchants::Merchant) -> Self {
        let points = |share: i64| u32::try_from(share).unwrap_or(0);
        Self {
            platform_share: points(row.platform_share),
            author_share: points(row.author_share),
            slug: row.slug,
            name: row.name,
            url: row.url,
            endpoint: row.endpoint,
            public_key: row.public_key,
            added_at: row.added_at,
        }
    }
}

impl Commerce {
    /// The merchants that are bought from, by name.
    pub async fn merchants(&self) -> Result<Vec<Merchant>, Error> {
        Ok(merchants::list(&mut self.read().await?).await?.into_iter().map(Merchant::from).collect())
    }

    /// Adds a merchant, or reads again what a known one says of itself: its key from now on is the one that it shows now. Whoever
    /// calls has judged the right; `shares` are what platform and authors get, in basis points.
    pub async fn add_merchant(
        &self,
        by: Option<PersonId>,
        slug: &Slug,
        url: &str,
        shares: (u32, u32),
    ) -> Result<Merchant, Error> {
        if shares.0.checked_add(shares.1).is_none_or(|sum| sum > kontor_ledger::WHOLE) {
            return Err(Error::refused(
                Why::AmountInvalid,
                "the shares of platform and authors are more than 10,000 basis points",
            ));
        }
        let told = discover(&self.0.outbound, url).await;
        let found = told.map_err(|reason| Error::Merchant { merchant: slug.to_string(), reason })?;
        let now = self.now();
        let row = merchants::Merchant {
            slug: slug.to_string(),
            known_as: found.known_as,
            name: found.name,
            url: url.trim_end_matches('/').to_owned(),
            endpoint: found.endpoint,
            public_key: found.key.to_string(),
            platform_share: i64::from(shares.0),
            author_share: i64::from(shares.1),
            added_at: now,
            removed_at: None,
        };
        self.unit(move |tx| {
            let row = row.clone();
            Box::pin(async move {
                merchants::put(tx, &row).await?;
                if let Some(id) = by {
                    let facts = json!({ "url": row.url, "key": row.public_key });
                    let event = Event::new("merchant.add", row.slug.clone()).detail(facts);
                    let person = person(tx, id).await?;
                    record(tx, &person, event, now).await?;
                }
                Ok(Merchant::from(row))
            })
        })
        .await
    }

    /// Nothing is bought there from now on. Whoever calls has judged the right.
    pub async fn remove_merchant(&self, by: PersonId, slug: &str) -> Result<(), Error> {
        let (slug, now) = (slug.to_owned(), self.now());
        self.unit(move |tx| {
            let slug = slug.clone();
            Box::pin(async move {
                if !merchants::remove(tx, &slug, now).await? {
                    return Err(unknown(&slug));
                }
                let person = person(tx, by).await?;
                Ok(record(tx, &person, Event::new("merchant.remove", slug), now).await?)
            })
        })
        .await
    }

    /// The merchant, for what was begun with it; also one that was removed since.
    pub(crate) async fn shop(&self, slug: &str) -> Result<Shop, Error> {
        let row = merchants::find(&mut self.read().await?, slug).await?.ok_or_else(|| unknown(slug))?;
        Ok(Shop { outbound: self.0.outbound.clone(), row })
    }
}

/// Passes while a merchant is bought from and its quotes are signed with the key that this one is signed with: whoever removes a
/// merchant, or reads its key again after it was lost, ends the quotes that nobody has paid yet.
pub async fn still_sells(conn: &mut Conn, slug: &str, key: Option<&str>) -> Result<(), Error> {
    let row = merchants::find(conn, slug).await?.filter(|row| row.removed_at.is_none()).ok_or_else(|| unknown(slug))?;
    if key.is_some_and(|key| key != row.public_key) {
        return Err(Error::refused(
            Why::QuoteInvalid,
            "the merchant signs with another key since this quote was given",
        ));
    }
    Ok(())
}

pub fn unknown(slug: &str) -> Error {
    Error::refused(Why::MerchantUnknown, format!("this hub knows no merchant `{}`", shown(slug)))
}

/// What a merchant says of itself.
struct Discovered {
    known_as: String,
    name: String,
    endpoint: String,
    key: VerifyingKey,
}

async fn discover(outbound: &Outbound, url: &str) -> Result<Discovered, String> {
    let base = Url::parse(url).map_err(|_| "its address is no absolute http or https address".to_owned())?;
    let address = format!("{}/.well-known/ucp", url.trim_end_matches('/'));
    let request = outbound.get(&address).map_err(|error| error.to_string())?;
    let answer = request.timeout(PATIENCE).limit(LARGEST).send().await.map_err(|error| error.to_string())?;
    if answer.status() != StatusCode::OK {
        return Err(format!("its discovery document is answered with {}", answer.status()));
    }
    let said: Value = answer.json().await.map_err(|error| error.to_string())?;
    let endpoint = said.pointer(&format!("/ucp/services/{SERVICE}/rest/endpoint")).and_then(Value::as_str);
    let endpoint = endpoint.ok_or_else(|| format!("its discovery document names no REST endpoint of {SERVICE}"))?;
    let endpoint = base.join(endpoint).map_err(|_| "its endpoint is no address".to_owned())?;
    if endpoint.origin() != base.origin() {
        return Err("its endpoint is at another site than its discovery document".to_owned());
    }
    let keys = said.get("signing_keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let key = keys.iter().find_map(|jwk| key_from_jwk(Purpose::Merchant, jwk).ok());
    let key = key.ok_or("its discovery document has no Ed25519 key that signs quotes")?;
    let word = |name: &str| said.pointer(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(shown);
    let known_as = word("/merchant/id").or_else(|| base.host_str().map(str::to_owned)).unwrap_or_default();
    let name = word("/merchant/name").unwrap_or_else(|| known_as.clone());
    if gives_orders(&name) || gives_orders(&known_as) {
        return Err("its name gives orders to programs".to_owned());
    }
    Ok(Discovered { known_as, name, endpoint: endpoint.as_str().trim_end_matches('/').to_owned(), key })
}

/// How a merchant answered.
pub enum Told {
    /// It did what it was asked.
    Yes(Value),
    /// It did not, for good.
    No { why: Why, detail: String },
    /// Nobody knows.
    Unknown(String),
}

/// A merchant that is spoken to.
pub struct Shop {
    pub outbound: Outbound,
    pub row: merchants::Merchant,
}

impl Shop {
    /// Asks for one thing; `key` makes a repetition the same thing.
    pub async fn ask(&self, method: Method, path: &str, key: Option<&str>, body: Option<&Value>) -> Told {
        match self.exchange(method, path, key, body).await {
            Ok(told) => told,
            Err(error) => Told::Unknown(error.to_string()),
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Told, kontor_outbound::Error> {
        let mut request =
            self.outbound.request(method, &format!("{}{path}", self.row.endpoint))?.timeout(PATIENCE).limit(LARGEST);
        let agent = HeaderValue::from_static(r#"profile="urn:kontor:platform", version="2026-01-11""#);
        request = request.header(HeaderName::from_static("ucp-agent"), agent);
        if let Some(key) = key.and_then(|key| HeaderValue::from_str(key).ok()) {
            request = request.header(HeaderName::from_static("idempotency-key"), key);
        }
        if let Some(body) = body {
            let json = HeaderValue::from_static("application/json");
            request =
                request.header(http::header::CONTENT_TYPE, json).body(serde_json::to_vec(body).unwrap_or_default());
        }
        let answer = request.send().await?;
        let (status, later) = (answer.status(), answer.headers().contains_key(http::header::RETRY_AFTER));
        let said: Result<Value, _> = serde_json::from_slice(&answer.bytes().await?);
        Ok(match said {
            Ok(said) if status.is_success() => Told::Yes(said),
            Err(_) if status.is_success() => Told::Unknown("an answer that is no JSON".to_owned()),
            _ if is_passing(status) || (status == StatusCode::CONFLICT && later) => {
                Told::Unknown(format!("the answer {status}"))
            }
            said => refusal(status, said.ok().as_ref()),
        })
    }

    /// What the merchant says of a session now.
    pub async fn session(&self, session: &str) -> Told {
        self.ask(Method::GET, &format!("/checkout-sessions/{}", path_safe(session)), None, None).await
    }
}

/// Nothing that was asked for was done, or nobody knows.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS)
        || status.is_redirection()
}

fn refusal(status: StatusCode, said: Option<&Value>) -> Told {
    let text = |name: &str| said.and_then(|said| said.pointer(name)).and_then(Value::as_str);
    let code = text("/messages/0/code").or_else(|| text("/code")).unwrap_or_default();
    let words = text("/messages/0/content").or_else(|| text("/detail")).or_else(|| text("/message")).unwrap_or(code);
    let why = match code {
        "out_of_stock" => Why::OutOfStock,
        "quote_expired" => Why::QuoteExpired,
        "quote_changed" | "price_changed" => Why::QuoteChanged,
        _ => Why::PaymentRefused,
    };
    Told::No { why, detail: format!("the merchant says: {} ({status})", shown(words)) }
}

impl Told {
    /// The answer, or why there is none, where nothing has been bought.
    pub fn before_payment(self, merchant: &str) -> Result<Value, Error> {
        match self {
            Self::Yes(said) => Ok(said),
            Self::No { why, detail } => Err(Refusal::new(why, detail).into()),
            Self::Unknown(reason) => Err(Error::Merchant { merchant: merchant.to_owned(), reason }),
        }
    }
}

/// A foreign id as one part of a path.
pub fn path_safe(text: &str) -> String {
    use std::fmt::Write as _;
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') {
            safe.push(char::from(byte));
        } else {
            let _ = write!(safe, "%{byte:02X}");
        }
    }
    safe
}
