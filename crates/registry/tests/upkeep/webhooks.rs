use std::sync::{Arc, Mutex};

use kontor_access::Publisher;
use kontor_jobs::Workers;
use kontor_outbound::{Outbound, Policy};
use kontor_registry::webhooks::{DELIVERY, EventKind, WebhookKey, Webhooks, signature};
use kontor_types::{Clock as _, Code, PublisherKind};
use rstest::rstest;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::hub::{Hub, On, START, code, handle, reference, skill};

/// A receiver on loopback that answers each request with the next of these statuses and keeps what it was sent.
async fn receiver(statuses: &'static [u16]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&heard);
    tokio::spawn(async move {
        for status in statuses {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            while !whole(&request) {
                let read = stream.read(&mut piece).await.unwrap();
                request.extend_from_slice(&piece[..read]);
            }
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            keep.lock().unwrap().push(String::from_utf8(request).unwrap());
        }
    });
    (url, heard)
}

fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
    body.len() >= length.unwrap_or(0)
}

fn header<'r>(request: &'r str, name: &str) -> &'r str {
    let line = request.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:"))).unwrap();
    line.split_once(": ").unwrap().1
}

fn acme(hub: &Hub) -> Publisher {
    Publisher {
        id: hub.acme,
        handle: handle("acme"),
        kind: PublisherKind::Organisation,
        display_name: "Acme".into(),
        created_at: START,
        require_signature: false,
    }
}

#[rstest]
#[tokio::test]
async fn events_arrive_signed_and_are_sent_again_after_a_failure(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let (url, heard) = receiver(&[500, 200, 204]).await;
    let local = Policy::default().allow("127.0.0.0/8".parse().unwrap());
    let webhooks =
        Webhooks::new(hub.db.clone(), Outbound::new(local).unwrap(), hub.clock.clone(), WebhookKey::new([7; 32]));
    let workers = {
        let webhooks = webhooks.clone();
        Workers::new(hub.db.clone(), hub.clock.clone(), "test").handle(DELIVERY, move |job| {
            let webhooks = webhooks.clone();
            async move { webhooks.deliver(job).await }
        })
    };
    let made = webhooks.make(&hub.ada(), &acme(&hub), &url, &[EventKind::Publish, EventKind::Yank]).await.unwrap();

    hub.publish(skill("pdf", "Reads.")).await.unwrap();
    assert_eq!(workers.run_due().await.unwrap(), 1);
    hub.pass(3);
    assert_eq!(workers.run_due().await.unwrap(), 1);
    hub.registry.yank(&hub.ada(), &reference("@acme/pdf@0.1.0"), "broken").await.unwrap();
    assert_eq!(workers.run_due().await.unwrap(), 1);
    assert_eq!(workers.run_due().await.unwrap(), 0, "nothing is sent twice");

    let heard = heard.lock().unwrap().clone();
    let bodies: Vec<Value> =
        heard.iter().map(|request| serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()).collect();
    assert_eq!(bodies[0], bodies[1], "a retry carries the same event");
    assert_eq!((&bodies[1]["event"], &bodies[1]["ref"]), (&"publish".into(), &"@acme/pdf@0.1.0".into()));
    assert_eq!((&bodies[2]["event"], &bodies[2]["detail"]["reason"]), (&"yank".into(), &"broken".into()));
    let seconds = hub.clock.now().millis() / 1000;
    let body = heard[2].split_once("\r\n\r\n").unwrap().1;
    assert_eq!(header(&heard[2], "kontor-signature"), signature(&made.secret, seconds, body.as_bytes()));
    let listed = webhooks.list(&hub.ada(), &acme(&hub)).await.unwrap();
    assert_eq!((listed[0].last_status, listed.len()), (Some(204), 1));
}

#[rstest]
#[tokio::test]
async fn only_administrators_of_a_publisher_manage_its_webhooks(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let outbound = Outbound::new(Policy::default()).unwrap();
    let webhooks = Webhooks::new(hub.db.clone(), outbound, hub.clock.clone(), WebhookKey::new([7; 32]));
    for (caller, expected) in [(hub.bob(), Code::Forbidden), (hub.eve(), Code::Forbidden)] {
        let made = webhooks.make(&caller, &acme(&hub), "https://example.com/hook", &[]).await;
        assert_eq!(code(made), expected);
    }
    for url in ["ftp://example.com/", "not a url", "https://user:secret@example.com/"] {
        assert_eq!(code(webhooks.make(&hub.ada(), &acme(&hub), url, &[]).await), Code::ForbiddenAddress, "{url}");
    }
    let made = webhooks.make(&hub.ada(), &acme(&hub), "https://example.com/hook", &[]).await.unwrap();
    webhooks.remove(&hub.ada(), &acme(&hub), made.webhook.id).await.unwrap();
    assert_eq!(code(webhooks.remove(&hub.ada(), &acme(&hub), made.webhook.id).await), Code::NotFound);
}

#[test]
fn a_signature_is_the_hmac_of_second_and_body() {
    // printf '1700000000.{}' | openssl dgst -sha256 -hmac whsec_test
    assert_eq!(
        signature("whsec_test", 1_700_000_000, b"{}"),
        "t=1700000000,v1=35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91"
    );
}
