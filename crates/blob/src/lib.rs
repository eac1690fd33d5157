//! Content-addressed objects: bytes are put once and found by their digest, in a local folder or an S3 bucket.
//!
//! A put is over only when the bytes would survive a loss of power: in a folder that is temporary file, write, fsync,
//! rename, fsync of the folder, and only then may a row point to the digest. A digest names the same bytes for ever, so
//! putting it again costs a look at its size.
//!
//! ```
//! # async fn example() -> Result<(), kontor_blob::Error> {
//! let blobs = kontor_blob::Blobs::open("data/blobs").await?;
//! let digest = blobs.put("words".into()).await?;
//! assert_eq!(blobs.get(&digest).await?, "words");
//! # Ok(())
//! # }
//! ```

mod blobs;
mod bucket;
mod draft;
mod error;
mod folder;
mod listing;
mod location;
mod shared;

pub use blobs::{Blobs, Stored};
pub use error::Error;
pub use listing::{Health, Leftover, Listed};
pub use location::Location;
