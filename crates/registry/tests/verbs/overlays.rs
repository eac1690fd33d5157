//! Overlays: an operator's manifest over somebody else's skill.

use kontor_types::Code;
use rstest::rstest;

use crate::hub::{Hub, On, code, handle, reference, skill};

#[rstest]
#[tokio::test]
async fn an_overlay_has_its_own_chain_of_versions(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    hub.publish(skill("pdf", "one")).await.unwrap();
    let (pdf, other) = (reference("@acme/pdf"), handle("other"));
    let set = async |text: &str| {
        let set = hub.registry.set_overlay(&hub.eve(), &other, &pdf, text, None).await;
        set.unwrap().number.to_string()
    };
    assert_eq!(set("kind = \"instructions\"").await, "0.1.0");
    assert_eq!(set("kind = \"instructions\"").await, "0.1.0");
    assert_eq!(set("kind = \"workflow\"").await, "0.1.1");
    let taken = "0.1.0".parse().unwrap();
    let refused = hub.registry.set_overlay(&hub.eve(), &other, &pdf, "kind = \"agent\"", Some(&taken)).await;
    assert_eq!(code(refused), Code::VersionTaken);
    assert_eq!(hub.registry.overlays(&hub.eve(), &other, &pdf).await.unwrap().len(), 2);
    assert_eq!(code(hub.registry.set_overlay(&hub.eve(), &handle("acme"), &pdf, "", None).await), Code::Forbidden);
    assert!(hub.registry.overlays(&hub.administrator(), &handle("acme"), &pdf).await.unwrap().is_empty());
    assert_eq!(hub.registry.remove_overlays(&hub.eve(), &other, &pdf).await.unwrap(), 2);
}
