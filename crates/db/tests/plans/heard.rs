//! Listens to the statements that go to the databases.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

static HEARD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Forgets what was heard before.
pub fn begin() {
    let loud = Targets::new().with_target("sqlx::query", tracing::Level::DEBUG);
    // Another case of this process may listen already.
    let _ = tracing_subscriber::registry().with(Ear.with_filter(loud)).try_init();
    HEARD.lock().unwrap().clear();
}

/// The statements since then that read or change rows, each once.
pub fn end() -> Vec<String> {
    let starts = ["select ", "update ", "delete "];
    let heard = std::mem::take(&mut *HEARD.lock().unwrap());
    heard.into_iter().filter(|sql| starts.iter().any(|start| sql.starts_with(start))).collect()
}

struct Ear;

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut statement = Statement::default();
        event.record(&mut statement);
        let sql = if statement.whole.trim().is_empty() { statement.beginning } else { statement.whole };
        HEARD.lock().unwrap().insert(sql.split_whitespace().collect::<Vec<_>>().join(" "));
    }
}

/// A long statement stands in a field of its own, a short one only in the summary.
#[derive(Default)]
struct Statement {
    beginning: String,
    whole: String,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.beginning),
            "db.statement" => value.clone_into(&mut self.whole),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
