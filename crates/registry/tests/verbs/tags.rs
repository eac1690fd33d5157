//! Tags move; `latest` moves by itself only.

use kontor_types::{Code, TagName, Viewer};
use rstest::rstest;

use crate::hub::{Hub, On, code, numbered, reference};

#[rstest]
#[tokio::test]
async fn tags_move_and_latest_does_not(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(hub) = Hub::new(on).await else { return };
    for version in ["1.0.0", "2.0.0"] {
        hub.publish(numbered("pdf", version, "text")).await.unwrap();
    }
    let (pdf, stable) = (reference("@acme/pdf"), TagName::parse("stable").unwrap());
    let number = |text: &str| text.parse().unwrap();
    for version in ["2.0.0", "1.0.0"] {
        let tag = hub.registry.set_tag(&hub.ada(), &pdf, &stable, &number(version)).await.unwrap();
        assert_eq!((tag.name.as_str(), tag.number.to_string().as_str()), ("stable", version));
        assert_eq!(hub.latest(&Viewer::anonymous(), "@acme/pdf@stable").await, version);
    }
    for (caller, name, version, expected) in [
        (hub.ada(), TagName::latest(), "1.0.0", Code::Conflict),
        (hub.ada(), stable.clone(), "9.0.0", Code::VersionNotFound),
        (hub.bob(), stable.clone(), "1.0.0", Code::Forbidden),
    ] {
        assert_eq!(code(hub.registry.set_tag(&caller, &pdf, &name, &number(version)).await), expected);
    }
    assert_eq!(code(hub.registry.remove_tag(&hub.ada(), &pdf, &TagName::latest()).await), Code::Conflict);
    hub.registry.remove_tag(&hub.ada(), &pdf, &stable).await.unwrap();
    assert_eq!(code(hub.registry.remove_tag(&hub.ada(), &pdf, &stable).await), Code::NotFound);
    for number in 0..99 {
        let name = TagName::parse(&format!("tag-{number}")).unwrap();
        hub.registry.set_tag(&hub.ada(), &pdf, &name, &"1.0.0".parse().unwrap()).await.unwrap();
    }
    assert_eq!(code(hub.registry.set_tag(&hub.ada(), &pdf, &stable, &number("1.0.0")).await), Code::Conflict);
}
