use kontor_app::Error;

/// Says what to look at when a store of the hub cannot be opened.
pub fn for_store(error: Error) -> anyhow::Error {
    match error {
        Error::Database(_) => anyhow::Error::from(error).context(
            "the hub cannot start; look at `database` in `kontor config --explain`, and whether the database runs",
        ),
        Error::Blobs(_) => anyhow::Error::from(error).context(BLOBS),
        other => other.into(),
    }
}

const BLOBS: &str = "the hub cannot start; look at `blobs` in `kontor config --explain`, and for a bucket at \
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT";

/// The first bytes that a hub writes are its starter skills: then a wrong bucket or key shows.
pub fn for_blobs(error: anyhow::Error) -> anyhow::Error {
    if error.chain().any(<dyn std::error::Error>::is::<kontor_blob::Error>) { error.context(BLOBS) } else { error }
}
