use std::sync::Arc;
use std::time::Duration;

use kontor_db::{Db, browser_sessions, device_logins, idempotency, passwords, sign_in_links};
use kontor_types::{Clock, Timestamp};
use tokio::sync::Semaphore;

use crate::Error;
use crate::authenticate::Known;
use crate::password;

/// What an operator may set about signing in.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a token lasts unless told.
    pub token_days: u32,
    /// How long a browser session lasts.
    pub session: Duration,
    /// How long a device waits between two polls.
    pub device_interval: Duration,
    /// Whether people who do not administer the hub may make organisations.
    pub anyone_makes_organisations: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_days: 90,
            session: Duration::from_hours(14 * 24),
            device_interval: Duration::from_secs(5),
            anyone_makes_organisations: true,
        }
    }
}

/// The verbs about people, publishers and signing in; cheap to clone.
#[derive(Clone)]
pub struct Access {
    pub(crate) db: Db,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) known: Arc<Known>,
    /// Room for passwords that are asked at once.
    pub(crate) hashing: Arc<Semaphore>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Access").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Access {
    /// The verbs over a database.
    pub fn new(db: Db, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        let hashing = Arc::new(Semaphore::new(password::AT_ONCE));
        Self { db, clock, settings: Arc::new(settings), known: Arc::default(), hashing }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Forgets what no longer matters: ended sessions, links, device sign-ins, wrong passwords and stored answers. Says how many rows.
    pub async fn sweep(&self) -> Result<u64, Error> {
        let now = self.now();
        let (hour, month) = (now.before(Duration::from_hours(1)), now.before(Duration::from_hours(30 * 24)));
        let (tries, places) = (now.before(password::TRIES_KEPT), now.before(password::PLACES_KEPT));
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let rows = [
                        device_logins::purge(tx, hour).await?,
                        idempotency::purge(tx, now).await?,
                        sign_in_links::purge(tx, month).await?,
                        browser_sessions::purge(tx, month).await?,
                        passwords::purge(tx, tries, places).await?,
                    ];
                    Ok(rows.into_iter().fold(0, u64::saturating_add))
                })
            })
            .await
    }
}

/// A name for people: trimmed, 1 to 100 characters, no control characters.
pub(crate) fn display_name(text: &str) -> Result<String, Error> {
    line(text, "a name")
}

/// One line of text that somebody wrote: trimmed, 1 to 100 characters, no control characters.
pub(crate) fn line(text: &str, what: &str) -> Result<String, Error> {
    const LIMIT: usize = 100;
    let text = text.trim();
    let length = text.chars().take(LIMIT + 1).count();
    if length == 0 || length > LIMIT || text.chars().any(char::is_control) {
        return Err(Error::Invalid { reason: format!("{what} is one line of 1 to {LIMIT} characters") });
    }
    Ok(text.to_owned())
}
