use kontor_app::Error;

use crate::exit::Hint;

/// Says what to look at when a store of the hub cannot be opened.
pub fn for_store(error: Error) -> anyhow::Error {
    match error {
        Error::Database(_) => anyhow::Error::from(error)
            .context("the hub cannot start")
            .context(Hint("look at `database` in `kontor config --explain`, and whether the database runs".to_owned())),
        Error::Blobs(_) => for_bucket(error.into()),
        other => other.into(),
    }
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
