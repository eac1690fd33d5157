use kontor_db::testing::create_database;

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// SQLite in the hub's temporary folder.
    Sqlite,
    /// A fresh database on the server that `KONTOR_TEST_POSTGRES` names.
    Postgres,
}

impl On {
    /// The address of an empty database; `None`, said loudly, when there is no Postgres to test on.
    pub(crate) async fn address(self, folder: &std::path::Path) -> Result<Option<String>, kontor_db::Error> {
        match self {
            Self::Sqlite => Ok(Some(format!("sqlite:{}", folder.join("kontor.db").display()))),
            Self::Postgres => {
                let Ok(server) = std::env::var("KONTOR_TEST_POSTGRES") else {
                    skipped("on Postgres: KONTOR_TEST_POSTGRES is not set (cargo xtask test sets it)");
                    return Ok(None);
                };
                create_database(&server).await.map(Some)
            }
        }
    }
}

#[expect(clippy::print_stderr, reason = "what a test leaves out must be seen")]
fn skipped(what: &str) {
    eprintln!("SKIPPED {what}");
}
