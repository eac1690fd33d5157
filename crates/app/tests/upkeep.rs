//! What a hub does by itself as time passes, under a clock that the test moves.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a broken test set-up should stop the test")]

use std::sync::Arc;
use std::time::Duration;

use kontor_access::Caller;
use kontor_app::{App, Settings};
use kontor_db::changes;
use kontor_package::{Content, Limits};
use kontor_registry::{FEED_MEMORY, Publish, Published, RESERVATION};
use kontor_types::{Code, Handle, ManualClock, Timestamp};
use rstest::rstest;

const DAY: Duration = Duration::from_hours(24);

struct Hub {
    app: Arc<App>,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

impl Hub {
    /// On SQLite, or on the Postgres that the environment names; `None` (said loudly) when it names none.
    async fn open(postgres: bool) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::in_folder(folder.path());
        if postgres {
            let Ok(server) = std::env::var("KONTOR_TEST_POSTGRES") else {
                eprintln!("SKIPPED on Postgres: KONTOR_TEST_POSTGRES is not set (cargo xtask test sets it)");
                return None;
            };
            settings.database = kontor_db::testing::create_database(&server).await.unwrap();
        }
        let clock = Arc::new(ManualClock::starting_at(Timestamp::from_micros(1_763_800_000_000_000)));
        let app = App::open(settings, clock.clone()).await.unwrap();
        app.access.ensure_publisher(&Caller::hub(), &handle("acme")).await.unwrap();
        Some(Self { app, clock, _folder: folder })
    }

    async fn publish(&self, text: &str) -> Result<Published, kontor_registry::Error> {
        let text = format!("---\nname: pdf\ndescription: Reads.\n---\n{text}\n");
        let content = Content::from_files([("SKILL.md".to_owned(), text.into_bytes())], &Limits::default()).unwrap();
        self.app.registry.publish(&Caller::hub(), Publish::new(handle("acme"), content)).await
    }

    /// Lets time pass and everything be done that is due by then.
    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.app.run_due_jobs().await.unwrap();
    }
}

fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}

#[rstest]
#[tokio::test]
async fn a_deleted_name_is_free_when_its_reservation_ends(#[values(false, true)] postgres: bool) {
    let Some(hub) = Hub::open(postgres).await else { return };
    let first = hub.publish("one").await.unwrap();
    hub.app.registry.delete(&Caller::hub(), &"@acme/pdf".parse().unwrap(), "").await.unwrap();
    hub.pass(RESERVATION.saturating_sub(DAY)).await;
    assert_eq!(hub.publish("two").await.unwrap_err().problem().code, Code::NameReserved);
    let restored = hub.app.registry.undelete(&Caller::hub(), &"@acme/pdf".parse().unwrap()).await.unwrap();
    assert_eq!(restored.id, first.skill_id);
    hub.app.registry.delete(&Caller::hub(), &"@acme/pdf".parse().unwrap(), "").await.unwrap();
    hub.pass(RESERVATION + DAY).await;
    let gone = hub.app.registry.undelete(&Caller::hub(), &"@acme/pdf".parse().unwrap()).await;
    assert_eq!(gone.unwrap_err().problem().code, Code::SkillNotFound, "it is gone for good");
    let second = hub.publish("two").await.unwrap();
    assert_eq!((second.number.to_string().as_str(), second.skill_id == first.skill_id), ("0.1.0", false));
}

#[rstest]
#[tokio::test]
async fn the_feed_forgets_its_beginning(#[values(false, true)] postgres: bool) {
    let Some(hub) = Hub::open(postgres).await else { return };
    hub.publish("one").await.unwrap();
    let newest = changes::newest(&mut hub.app.db.read().await.unwrap()).await.unwrap();
    hub.pass(FEED_MEMORY.saturating_sub(DAY)).await;
    hub.publish("two").await.unwrap();
    hub.pass(2 * DAY).await;
    let left = changes::after(&mut hub.app.db.read().await.unwrap(), 0, 100).await.unwrap();
    assert_eq!(left.iter().map(|change| change.seq).collect::<Vec<_>>(), [newest + 1]);
}
