use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use kontor_crypto::{SigningKey, key_to_jwk};
use kontor_types::{Clock, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::sell::Answer;
use crate::shop::{OrderSeen, Shop};
use crate::{Catalogue, Mischief};

const VERSION: &str = "2026-01-11";
/// The largest request.
const LARGEST: usize = 256 * 1024;

/// A merchant that is not open yet.
#[derive(Debug)]
pub struct Merchant;

/// A merchant that is open until this is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    counter: Counter,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Counter {
    shop: Arc<Mutex<Shop>>,
    clock: Arc<dyn Clock>,
    url: Arc<str>,
}

impl std::fmt::Debug for Counter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Counter").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Merchant {
    /// Opens a shop on an address; port 0 finds a free one.
    ///
    /// # Errors
    /// What the system says when the address cannot be had.
    pub async fn start(
        catalogue: Catalogue,
        key: SigningKey,
        address: SocketAddr,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Running> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let url = format!("http://{address}").into();
        let counter = Counter { shop: Arc::new(Mutex::new(Shop::new(catalogue, key))), clock, url };
        let routes = routes(counter.clone());
        let task = tokio::spawn(async move {
            // Ends with the task.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Running { address, counter, task })
    }
}

impl Running {
    /// Where it is.
    pub fn url(&self) -> String {
        self.counter.url.to_string()
    }

    /// The port it listens on.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// The orders that it took, the first first.
    pub fn orders(&self) -> Vec<OrderSeen> {
        self.counter.shop().orders.clone()
    }

    /// What it does from now on that it should not, in the place of what it did.
    pub fn script(&self, mischief: &[Mischief]) {
        self.counter.shop().script = mischief.to_vec();
    }

    /// Gives one thing another price from now on.
    pub fn reprice(&self, item: &str, price: i64) {
        if let Some(product) = self.counter.shop().catalogue.products.iter_mut().find(|product| product.id == item) {
            product.price = price;
        }
    }

    /// Waits until it ends, which it does not by itself.
    pub async fn wait(mut self) {
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Counter {
    fn shop(&self) -> MutexGuard<'_, Shop> {
        // A shop whose lock a panic left is as it was between two requests, or nearly.
        self.shop.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

fn routes(counter: Counter) -> Router {
    Router::new()
        .route("/.well-known/ucp", get(discovery))
        .route("/catalog/search", post(search))
        .route("/checkout-sessions", post(create))
        .route("/checkout-sessions/{id}", get(session).put(update))
        .route("/checkout-sessions/{id}/complete", post(complete))
        .route("/checkout-sessions/{id}/cancel", post(cancel))
        .route("/orders/{id}", get(order))
        .route("/orders/{id}/refunds", post(refund))
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(counter)
}

async fn discovery(State(counter): State<Counter>) -> Response {
    let shop = counter.shop();
    let capability = |name: &str| json!({ "name": name, "version": VERSION });
    let rest = json!({ "endpoint": &*counter.url, "schema": format!("{}/.well-known/ucp", counter.url) });
    let said = json!({
        "ucp": {
            "version": VERSION,
            "services": { "dev.ucp.shopping": { "version": VERSION, "rest": rest } },
            "capabilities": [
                capability("dev.ucp.shopping.checkout"),
                capability("dev.ucp.shopping.discount"),
                capability("dev.ucp.shopping.order"),
                capability("dev.ucp.shopping.catalog"),
            ],
        },
        "merchant": { "id": shop.catalogue.id, "name": shop.catalogue.name },
        "payment": { "handlers": [{ "id": "kontor_ledger", "name": "kontor.ledger", "version": VERSION }] },
        "signing_keys": [key_to_jwk(&shop.key.verifying_key())],
    });
    told(&Answer::new(200, said))
}

async fn search(State(counter): State<Counter>, body: Bytes) -> Response {
    told(&match read(&body) {
        Ok(asked) => counter.shop().search(&asked),
        Err(refused) => refused,
    })
}

async fn create(State(counter): State<Counter>, headers: HeaderMap, body: Bytes) -> Response {
    keyed(&counter, "/checkout-sessions", &headers, &body, Shop::create)
}

async fn update(State(counter): State<Counter>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    keyed(&counter, &format!("/checkout-sessions/{id}"), &headers, &body, |shop, asked, now| {
        shop.update(&id, asked, now)
    })
}

async fn complete(State(counter): State<Counter>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let path = format!("/checkout-sessions/{id}/complete");
    let again = |shop: &mut Shop| {
        // A merchant that keeps no keys makes another order of each repetition.
        if shop.does(&Mischief::DuplicateOrders)
            && let Some(total) =
                shop.sessions.get(&id).filter(|session| session.order.is_some()).map(|session| session.total)
        {
            shop.take(&id, total);
            if let Some(key) = key(&headers) {
                shop.repeats.forget(&path, key);
            }
            return Some(shop.session(&id));
        }
        None
    };
    if let Some(answer) = again(&mut counter.shop()) {
        return told(&answer);
    }
    keyed(&counter, &path, &headers, &body, |shop, asked, now| shop.complete(&id, asked, now))
}

async fn cancel(State(counter): State<Counter>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    keyed(&counter, &format!("/checkout-sessions/{id}/cancel"), &headers, &body, |shop, _, _| shop.cancel(&id))
}

async fn refund(State(counter): State<Counter>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    keyed(&counter, &format!("/orders/{id}/refunds"), &headers, &body, |shop, asked, _| shop.refund(&id, asked))
}

async fn session(State(counter): State<Counter>, Path(id): Path<String>) -> Response {
    told(&counter.shop().session(&id))
}

async fn order(State(counter): State<Counter>, Path(id): Path<String>) -> Response {
    told(&counter.shop().order(&id))
}

/// Does a thing once for a key, and gives the same answer from then on.
fn keyed(
    counter: &Counter,
    path: &str,
    headers: &HeaderMap,
    body: &Bytes,
    act: impl FnOnce(&mut Shop, &Value, Timestamp) -> Answer,
) -> Response {
    let asked = match read(body) {
        Ok(asked) => asked,
        Err(refused) => return told(&refused),
    };
    let (key, now) = (key(headers), counter.now());
    let mut shop = counter.shop();
    if let Some(answer) = shop.repeats.answer(path, key, &asked) {
        return told(&answer);
    }
    let answer = act(&mut shop, &asked, now);
    if let Some(key) = key {
        shop.repeats.keep(path, key, &asked, &answer);
    }
    told(&answer)
}

fn key(headers: &HeaderMap) -> Option<&str> {
    headers.get("idempotency-key").and_then(|key| key.to_str().ok())
}

fn read(body: &Bytes) -> Result<Value, Answer> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    let asked: Result<Value, _> = serde_json::from_slice(body);
    let asked = asked.map_err(|_| Answer::refused(400, "invalid", "the body is no JSON"))?;
    if asked.is_object() { Ok(asked) } else { Err(Answer::refused(422, "invalid", "the body is no object")) }
}

fn told(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], answer.body.to_string()).into_response()
}
