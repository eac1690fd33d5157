//! What to look at when a hub cannot start.

use std::error::Error as _;

use kontor_app::Error;

use crate::config::Config;
use crate::exit::Hint;
use crate::session::shown;

/// Says what to look at when a store of the hub cannot be opened.
pub fn for_store(error: Error, config: &Config) -> anyhow::Error {
    let hint = match &error {
        Error::Database(_) if config.database.is_empty() && is_damaged(&error) => {
            let (file, data) = (shown(&config.data.join("kontor.db")), shown(&config.data));
            format!(
                "{file} is damaged: keep {data} aside, and bring the hub back from a backup with \
                 `kontor restore FILE --data NEW_FOLDER`"
            )
        }
        Error::Database(_) => {
            "look at `database` in `kontor config --explain`, and whether the database runs".to_owned()
        }
        Error::KeysGone { .. } => format!(
            "put the hub's keys back there, or name their folder with key_dir; when they are lost for good, \
             `kontor log restart --data {}` makes new ones",
            shown(&config.data)
        ),
        Error::Blobs(_) => return for_bucket(error.into()),
        _ => return error.into(),
    };
    anyhow::Error::from(error).context("the hub cannot start").context(Hint(hint))
}

/// Whether the database's file does not hold one, as its library says it.
fn is_damaged(error: &Error) -> bool {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.map(ToString::to_string).any(|text| text.contains("not a database") || text.contains("malformed"))
}

const BLOBS: &str = "look at `blobs` in `kontor config --explain`, and for a bucket at AWS_ACCESS_KEY_ID, \
    AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT";

fn for_bucket(error: anyhow::Error) -> anyhow::Error {
    error.context("the hub cannot start").context(Hint(BLOBS.to_owned()))
}

/// The first bytes that a hub writes are its starter skills: then a wrong bucket or key shows.
pub fn for_blobs(error: anyhow::Error) -> anyhow::Error {
    if error.chain().any(<dyn std::error::Error>::is::<kontor_blob::Error>) { for_bucket(error) } else { error }
}
