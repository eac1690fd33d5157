use bytes::Bytes;
use kontor_registry::{Publish, Upload, Uploaded};
use kontor_types::{Code, Digest};
use rstest::rstest;

use crate::hub::{Hub, On, code, handle, skill};

const TEXT: &str = "---\nname: pdf\ndescription: Reads.\n---\n\nText.\n";

fn announced(path: &str, bytes: &str) -> Upload {
    Upload { path: path.into(), size: bytes.len() as u64, digest: Digest::of(bytes.as_bytes()) }
}

#[rstest]
#[tokio::test]
async fn uploaded_files_become_the_same_version_as_any_other_way(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    let ada = hub.ada();
    let file = announced("SKILL.md", TEXT);
    let ticket = hub.registry.announce_upload(&ada, file.clone()).await.unwrap();
    let uploaded = vec![Uploaded { file: file.clone(), secret: ticket.secret.clone() }];
    let early = hub.registry.uploaded_content(&ada, uploaded.clone()).await;
    assert_eq!(code(early), Code::InvalidRequest, "the bytes have not come");
    let wrong = hub.registry.upload(&ada, &ticket.secret, Bytes::from_static(b"other")).await;
    assert_eq!(code(wrong), Code::InvalidRequest);
    for _ in 0..2 {
        hub.registry.upload(&ada, &ticket.secret, Bytes::from_static(TEXT.as_bytes())).await.unwrap();
    }
    for created in [true, false] {
        let content = hub.registry.uploaded_content(&ada, uploaded.clone()).await.unwrap();
        let published = hub.release(&ada, Publish::new(handle("acme"), content)).await.unwrap();
        assert_eq!(published.created(), created, "a publish that is sent again makes nothing");
    }
}

#[rstest]
#[tokio::test]
async fn a_ticket_is_met_only_by_bytes_sent_under_it(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    // Acme has these bytes; Eve knows their digest and hopes to get at them.
    hub.publish(skill("pdf", "Reads.")).await.unwrap();
    let secret = "acme keeps this";
    hub.blobs.put(secret.into()).await.unwrap();
    let eve = hub.eve();
    let file = announced("SKILL.md", secret);
    let ticket = hub.registry.announce_upload(&eve, file.clone()).await.unwrap();
    let claim = vec![Uploaded { file: file.clone(), secret: ticket.secret.clone() }];
    assert_eq!(code(hub.registry.uploaded_content(&eve, claim.clone()).await), Code::InvalidRequest);
    assert_eq!(code(hub.registry.uploaded_content(&hub.ada(), claim).await), Code::NotFound, "it is Eve's ticket");
    let other = vec![Uploaded { file: Upload { path: "other.md".into(), ..file }, secret: ticket.secret.clone() }];
    assert_eq!(code(hub.registry.uploaded_content(&eve, other).await), Code::InvalidRequest);
    hub.pass(7 * 3600);
    let late = hub.registry.upload(&eve, &ticket.secret, Bytes::from_static(secret.as_bytes())).await;
    assert_eq!(code(late), Code::NotFound, "tickets expire");
    assert_eq!(hub.registry.forget_uploads().await.unwrap(), 1);
}

#[rstest]
#[case("../SKILL.md", 1)]
#[case("/etc/passwd", 1)]
#[case("a\\b", 1)]
#[case("big.bin", 11 << 20)]
#[tokio::test]
async fn an_unsafe_or_too_large_file_gets_no_ticket(#[case] path: &str, #[case] size: u64) {
    let hub = Hub::new(On::Sqlite).await.unwrap();
    let file = Upload { path: path.into(), size, digest: Digest::of(b"") };
    assert_eq!(code(hub.registry.announce_upload(&hub.ada(), file).await), Code::InvalidRequest);
}
