//! Certificates for every name, from an authority that only the runs of this process trust.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::Error;

/// How many names get a certificate.
const NAMES: usize = 200;

/// An authority that was made for the runs of this process.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    text: String,
    made: Mutex<BTreeMap<String, Arc<ServerConfig>>>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes one, with a key that nobody keeps.
    pub fn new() -> Result<Self, Error> {
        let failed = |error: rcgen::Error| Error::Network { reason: error.to_string() };
        let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Internet Root R4");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(failed)?;
        let text = params.self_signed(&key).map_err(failed)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), text, made: Mutex::default() })
    }

    /// Its certificate, as programs read it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How a server of this name speaks TLS.
    pub fn settings(&self, name: &str) -> Option<Arc<ServerConfig>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(settings) = made.get(name) {
            return Some(Arc::clone(settings));
        }
        if made.len() >= NAMES {
            return None;
        }
        let mut params = CertificateParams::new(vec![name.to_owned()]).ok()?;
        params.distinguished_name.push(DnType::CommonName, name.chars().take(60).collect::<String>());
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().ok()?;
        let certificate = params.signed_by(&key, &self.issuer).ok()?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let settings = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .ok()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .ok()?;
        let settings = Arc::new(settings);
        made.insert(name.to_owned(), Arc::clone(&settings));
        Some(settings)
    }
}
