//! Skills as the clients make them, and what they know of each.

use anyhow::Result;
use bytes::Bytes;
use kontor_package::{Content, Limits, pack};
use kontor_types::Digest;
use rand::RngExt as _;
use rand::rngs::StdRng;

/// Largest part of a skill that no compressor can shrink.
const LARGEST: usize = 100_000;

/// One version's bytes.
#[derive(Debug, Clone)]
pub struct Package {
    pub bytes: Bytes,
    pub digest: Digest,
}

/// A version that the hub acknowledged.
#[derive(Debug, Clone)]
pub struct Version {
    /// It is `0.1.NUMBER`.
    pub number: usize,
    pub package: Package,
    /// Whether it was looked at since.
    pub seen: bool,
}

/// A skill of one client.
#[derive(Debug)]
pub struct Skill {
    pub slug: String,
    /// Whether it comes by import in place of publishing.
    pub imported: bool,
    pub versions: Vec<Version>,
}

/// A request that was sent and may have been done.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub slug: String,
    pub imported: bool,
    pub number: usize,
    pub package: Package,
    /// The same at every try, as clients do; not every client has one.
    pub key: Option<String>,
    /// How often it was sent.
    pub tries: u32,
}

impl Attempt {
    /// The version as people write it.
    pub fn version(&self) -> String {
        format!("0.1.{}", self.number)
    }
}

/// A word that nobody else uses.
pub fn word(random: &mut StdRng) -> String {
    (0..12).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect()
}

/// A skill of this name with random content.
pub fn package(name: &str, random: &mut StdRng) -> Result<Package> {
    let text = format!("---\nname: {name}\ndescription: What {name} does.\n---\n{}\n", word(random).repeat(20));
    // Words, since the scanner holds what it cannot read.
    let (mut noise, length) = (String::new(), random.random_range(0..LARGEST));
    while noise.len() < length {
        noise.push_str(&word(random));
        noise.push(if random.random_bool(0.1) { '\n' } else { ' ' });
    }
    let files = [("SKILL.md".to_owned(), text.into_bytes()), ("assets/noise.txt".to_owned(), noise.into_bytes())];
    let packed = pack(&Content::from_files(files, &Limits::default())?);
    Ok(Package { digest: packed.digest, bytes: packed.bytes.into() })
}
