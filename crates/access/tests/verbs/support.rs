//! An empty hub's people, on either database.

use std::sync::Arc;

use kontor_access::{Access, Caller, NewPerson, NewToken, SecretString, Settings};
use kontor_db::{Db, Options};
use kontor_types::{Handle, ManualClock, Scope, Timestamp};

pub const PRESET: &str = "an-administrators-token-for-tests";

pub use kontor_db::testing::On;

pub struct Hub {
    pub access: Access,
    pub db: Db,
    pub clock: Arc<ManualClock>,
    /// The first administrator, with every scope.
    pub admin: Caller,
    folder: tempfile::TempDir,
}

pub fn handle(text: &str) -> Handle {
    Handle::parse(text).unwrap()
}

impl Hub {
    /// A hub with its first administrator; `None` when there is no Postgres to test on.
    pub async fn start(on: On) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let address = on.address(folder.path()).await.unwrap()?;
        let db = Db::open(&Options::url(address)).await.unwrap();
        let clock = Arc::new(ManualClock::starting_at(Timestamp::from_millis(1_700_000_000_000)));
        let access = Access::new(db.clone(), clock.clone(), Settings::default());
        access.bootstrap(&handle("admin"), &PRESET.into()).await.unwrap();
        let admin = access.authenticate(&PRESET.into()).await.unwrap();
        Some(Self { access, db, clock, admin, folder })
    }

    /// Where SQLite keeps its files.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A new person, who calls with a token of these scopes.
    pub async fn person(&self, name: &str, scopes: &[Scope]) -> (Caller, SecretString) {
        let new = NewPerson { handle: handle(name), display_name: name.to_owned(), administrator: false };
        self.access.create_person(&self.admin, new).await.unwrap();
        self.sign_in(name, scopes).await
    }

    /// Another token for a person.
    pub async fn sign_in(&self, name: &str, scopes: &[Scope]) -> (Caller, SecretString) {
        let new = NewToken { label: "test".to_owned(), scopes: scopes.to_vec(), ..NewToken::default() };
        let issued = self.access.create_token_for(&self.admin, &handle(name), new).await.unwrap();
        (self.access.authenticate(&issued.secret).await.unwrap(), issued.secret)
    }

    /// The same person's rights as they are now.
    pub async fn again(&self, secret: &SecretString) -> Caller {
        self.access.authenticate(secret).await.unwrap()
    }
}
