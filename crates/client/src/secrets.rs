//! Secrets that publishers keep sealed on the hub.

use kontor_types::{Digest, Handle};
use kontor_wire as wire;
use reqwest::Method;

use crate::api::Client;
use crate::error::Error;

impl Client {
    /// The secrets of a publisher, without their values.
    pub async fn secrets(&self, handle: &Handle) -> Result<wire::SecretList, Error> {
        self.get(&["publishers", handle.as_str(), "secrets"], &()).await
    }

    /// Sets a secret.
    pub async fn set_secret(
        &self,
        handle: &Handle,
        name: &str,
        value: &wire::SecretValue,
    ) -> Result<wire::Secret, Error> {
        self.send(Method::PUT, &["publishers", handle.as_str(), "secrets", name], value).await
    }

    /// Removes a secret.
    pub async fn remove_secret(&self, handle: &Handle, name: &str) -> Result<(), Error> {
        self.order(Method::DELETE, &["publishers", handle.as_str(), "secrets", name]).await
    }

    /// Releases a secret to a version's bytes.
    pub async fn grant_secret(
        &self,
        handle: &Handle,
        name: &str,
        release: &wire::NewSecretRelease,
    ) -> Result<wire::Secret, Error> {
        self.send(Method::POST, &["publishers", handle.as_str(), "secrets", name, "releases"], release).await
    }

    /// Takes the releases of a secret to these bytes back.
    pub async fn revoke_secret(&self, handle: &Handle, name: &str, digest: &Digest) -> Result<(), Error> {
        let digest = digest.to_string();
        self.order(Method::DELETE, &["publishers", handle.as_str(), "secrets", name, "releases", &digest]).await
    }
}
