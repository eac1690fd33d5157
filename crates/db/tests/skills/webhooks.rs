//! Webhooks: who may manage them, which of them listen.

use kontor_db::webhooks::{self, NewWebhook};
use kontor_types::{Viewer, WebhookId};
use rstest::rstest;

use crate::fixtures::{NOW, World, later};
use crate::support::On;

#[rstest]
#[tokio::test]
async fn maintainers_manage_and_publishers_and_hub_listen(#[values(On::Sqlite, On::Postgres)] on: On) {
    let Some(world) = World::new(on).await else { return };
    let mut ids = Vec::new();
    for publisher_id in [Some(world.acme), None, Some(world.other)] {
        let id = WebhookId::new(NOW);
        let webhook = NewWebhook {
            id,
            publisher_id,
            url: "https://example.com/hook".to_owned(),
            events: vec!["version.publish".to_owned()],
            created_by: world.ada,
            now: NOW,
        };
        write!(world.db(), |tx| webhooks::insert(tx, &webhook));
        ids.push(id);
    }
    let mut conn = world.conn().await;
    for (viewer, own, whole_hub) in [
        (Viewer::anonymous(), 0, 0),
        (world.member(), 0, 0),
        (world.stranger(), 0, 0),
        (world.owner(), 1, 0),
        (Viewer::hub(), 1, 1),
    ] {
        assert_eq!(webhooks::list(&mut conn, &viewer, Some(world.acme)).await.unwrap().len(), own);
        assert_eq!(webhooks::list(&mut conn, &viewer, None).await.unwrap().len(), whole_hub);
        assert_eq!(webhooks::find(&mut conn, &viewer, ids[0]).await.unwrap().is_some(), own == 1);
    }
    let listening = webhooks::listening(&mut conn, world.acme).await.unwrap();
    assert_eq!(listening.iter().map(|webhook| webhook.id).collect::<Vec<_>>(), ids[..2]);
    let (first, second) = (ids[0], ids[1]);
    write!(world.db(), |tx| async {
        webhooks::note_delivery(tx, first, 204, later(1)).await?;
        webhooks::set_disabled(tx, second, Some(later(1))).await
    });
    let listening = webhooks::listening(&mut conn, world.acme).await.unwrap();
    assert_eq!(
        listening.iter().map(|webhook| (webhook.id, webhook.last_status)).collect::<Vec<_>>(),
        [(first, Some(204))]
    );
    assert!(write!(world.db(), |tx| webhooks::remove(tx, first)));
    assert!(!write!(world.db(), |tx| webhooks::remove(tx, first)));
}
