use std::sync::Weak;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::core::Core;

/// A step: what it is called, and how it is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub(crate) name: String,
    pub(crate) tries: u32,
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl Step {
    /// A step of this name: four tries, with a second between the first two and twice as much each time after.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), tries: 4, first: Duration::from_secs(1), longest: Duration::from_mins(1) }
    }

    /// How often it is tried at most.
    #[must_use]
    pub const fn tries(mut self, tries: u32) -> Self {
        self.tries = tries;
        self
    }

    /// How long it waits after the first try, and how long at most.
    #[must_use]
    pub const fn backing_off(mut self, first: Duration, longest: Duration) -> Self {
        self.first = first;
        self.longest = longest;
        self
    }

    /// The wait after failed try number `number`, up to a quarter more by `jitter` (0 to 1).
    pub(crate) fn pause(&self, number: u32, jitter: f64) -> Duration {
        let doublings = number.saturating_sub(1).min(20);
        let base = self.first.saturating_mul(1 << doublings).min(self.longest);
        base.saturating_add(base.mul_f64(jitter.clamp(0.0, 1.0) / 4.0))
    }
}

impl From<&str> for Step {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

impl From<String> for Step {
    fn from(name: String) -> Self {
        Self::named(name)
    }
}

/// One try of a step.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The same at every try of this step, whatever crashes: give it to what the step calls as its idempotency key.
    pub key: String,
    /// Which try it is, from 1; one that a crash cut off is not counted.
    pub number: u32,
    pub(crate) cancelled: CancellationToken,
    pub(crate) name: String,
    pub(crate) core: Weak<Core>,
}

impl Attempt {
    /// Fires when somebody wants the workflow to end. A step that takes long listens, and ends soon: with what it did, or with
    /// [`StepError::cancelled`] when it left nothing behind.
    pub const fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    /// Tells those who follow the workflow how far this step is. What is too long, or is told when the worker dies, gets lost.
    pub fn tell(&self, data: &Value) {
        if let Some(core) = self.core.upgrade() {
            core.tell_beside(&self.name, data);
        }
    }
}

/// How a try of a step failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StepError {
    pub(crate) class: Class,
    pub(crate) code: String,
    pub(crate) message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Class {
    Retry,
    Refused,
    Lost,
    Exhausted,
    Cancelled,
}

impl StepError {
    /// It may work later, and trying again does no harm.
    pub fn retry(message: impl Into<String>) -> Self {
        Self::of(Class::Retry, "retry", message)
    }

    /// It is refused, and trying again would change nothing.
    pub fn refused(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of(Class::Refused, code, message)
    }

    /// Nobody knows whether it was done, and trying again might do it twice.
    pub fn lost(message: impl Into<String>) -> Self {
        Self::of(Class::Lost, "lost", message)
    }

    /// It saw that the workflow is cancelled, and left nothing behind.
    pub fn cancelled() -> Self {
        Self::of(Class::Cancelled, "cancelled", "it was cancelled")
    }

    fn of(class: Class, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { class, code: code.into(), message: message.into() }
    }
}

impl From<kontor_db::Error> for StepError {
    fn from(error: kontor_db::Error) -> Self {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self::retry(text)
    }
}

/// What a step left in the journal.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// How often it was tried.
    pub tries: u32,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Or how it failed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<KeptError>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptError {
    pub class: Class,
    pub code: String,
    pub message: String,
}

/// A try that failed and is followed by another.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tried {
    pub tries: u32,
    pub message: String,
    /// Not before this moment, in microseconds.
    pub again_at: i64,
}
