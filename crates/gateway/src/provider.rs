use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use futures::future::BoxFuture;
use http::{HeaderValue, Uri};
use kontor_types::Handle;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::circuit::Rest;
use crate::link::Pools;

/// How long a key is used before it is read again.
const KEY_KEPT: Duration = Duration::from_mins(5);
/// How soon a key is read again that was refused.
const KEY_RETRIED: Duration = Duration::from_secs(10);
/// Longest key.
const LONGEST_KEY: u64 = 16 * 1024;

/// Opens secrets of publishers that are keys of providers.
pub trait Vault: Send + Sync + 'static {
    /// The value of a publisher's secret, for a provider; what failed, for people.
    fn open<'a>(
        &'a self,
        publisher: &'a Handle,
        name: &'a str,
        provider: &'a str,
    ) -> BoxFuture<'a, Result<Zeroizing<String>, String>>;
}

/// Where a provider's key is.
pub enum KeySource {
    None,
    File(PathBuf),
    Secret(Handle, String),
}

struct Key {
    header: HeaderValue,
    read_at: Instant,
}

/// A provider as it is called.
pub struct Provider {
    pub name: String,
    pub completions: Uri,
    pub pools: Pools,
    pub slots: Arc<Semaphore>,
    /// Until when its key is left alone.
    pub cooling: Rest,
    pub first_byte: Duration,
    pub between: Duration,
    pub total: Duration,
    pub limit_field: String,
    pub key_source: KeySource,
    pub vault: Option<Arc<dyn Vault>>,
    key: ArcSwapOption<Key>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Provider").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Provider {
    pub fn new(
        wanted: &crate::Provider,
        completions: Uri,
        pools: Pools,
        (key_source, vault): (KeySource, Option<Arc<dyn Vault>>),
    ) -> Self {
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds.max(1)));
        Self {
            name: wanted.name.clone(),
            completions,
            pools,
            slots: Arc::new(Semaphore::new(wanted.concurrency.max(1) as usize)),
            cooling: Rest::default(),
            first_byte: seconds(wanted.first_byte_seconds),
            between: seconds(wanted.between_seconds),
            total: seconds(wanted.total_seconds),
            limit_field: wanted.limit_field.clone(),
            key_source,
            vault,
            key: ArcSwapOption::empty(),
        }
    }

    /// What stands in `Authorization`.
    ///
    /// # Errors
    /// What is wrong with the key, for the operator.
    pub async fn authorization(&self) -> Result<Option<HeaderValue>, String> {
        if matches!(self.key_source, KeySource::None) {
            return Ok(None);
        }
        if let Some(key) = self.key.load().as_ref().filter(|key| key.read_at.elapsed() < KEY_KEPT) {
            return Ok(Some(key.header.clone()));
        }
        let text = match (&self.key_source, &self.vault) {
            (KeySource::File(file), _) => read_key(file.clone()).await?,
            (KeySource::Secret(publisher, name), Some(vault)) => vault.open(publisher, name, &self.name).await?,
            _ => return Err("there are no secrets of publishers here".to_owned()),
        };
        let line = Zeroizing::new(format!("Bearer {}", text.trim()));
        let mut header =
            HeaderValue::from_str(&line).map_err(|_| "the key has characters that no header can have".to_owned())?;
        header.set_sensitive(true);
        self.key.store(Some(Arc::new(Key { header: header.clone(), read_at: Instant::now() })));
        Ok(Some(header))
    }

    /// The key was refused: it is read again soon, since somebody may have changed it.
    pub fn key_refused(&self) {
        if self.key.load().as_ref().is_some_and(|key| key.read_at.elapsed() > KEY_RETRIED) {
            self.key.store(None);
        }
    }
}

async fn read_key(file: PathBuf) -> Result<Zeroizing<String>, String> {
    let shown = file.display().to_string();
    let read = tokio::task::spawn_blocking(move || {
        let facts = std::fs::metadata(&file).map_err(|error| error.to_string())?;
        if facts.mode() & 0o077 != 0 {
            return Err("others may read it: `chmod 600` it".to_owned());
        }
        if facts.len() > LONGEST_KEY {
            return Err("it is too long for a key".to_owned());
        }
        std::fs::read_to_string(&file).map(Zeroizing::new).map_err(|error| error.to_string())
    });
    let read = read.await.map_err(|error| error.to_string()).and_then(|read| read);
    read.map_err(|error| format!("the key file {shown} cannot be used: {error}"))
}
