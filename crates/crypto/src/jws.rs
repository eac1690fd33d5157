//! JSON Web Signatures in compact form (RFC 7515) by Ed25519 keys (RFC 8037), and keys as JSON Web Keys: what merchants speak.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::key::{KEY_LENGTH, clip};
use crate::{Error, Purpose, SigningKey, VerifyingKey};

/// The largest text that is read.
const LARGEST: usize = 256 * 1024;
const WHAT: &str = "signed token";

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: String,
    #[serde(default)]
    kid: String,
    /// What a reader has to understand; nothing of it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<Value>,
}

/// Signs bytes, named by a type so that they can never pass for something else.
pub fn sign_jws(typ: &str, payload: &[u8], key: &SigningKey) -> String {
    let header = Header { alg: "EdDSA".to_owned(), typ: typ.to_owned(), kid: key.id().to_string(), crit: None };
    let header = serde_json::to_vec(&header).unwrap_or_default();
    let signed = format!("{}.{}", BASE64.encode(header), BASE64.encode(payload));
    let signature = key.sign(signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(signature))
}

/// The bytes that this key has signed as this type.
///
/// # Errors
/// [`Error::Malformed`] for another form, algorithm or type, [`Error::Unsigned`] when it names another key and
/// [`Error::Forged`] when the signature does not fit.
pub fn open_jws(typ: &str, token: &str, key: &VerifyingKey) -> Result<Vec<u8>, Error> {
    let broken = |reason: &str| Error::malformed(WHAT, reason);
    if token.len() > LARGEST {
        return Err(broken("it is longer than 256 KiB"));
    }
    let (signed, signature) = token.rsplit_once('.').ok_or_else(|| broken("it has not three parts"))?;
    let (header, payload) = signed.split_once('.').ok_or_else(|| broken("it has not three parts"))?;
    let decode = |part: &str| BASE64.decode(part).map_err(|_| broken("a part is no base64url"));
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|error| broken(&clip(&error.to_string())))?;
    if header.alg != "EdDSA" || header.typ != typ || header.crit.is_some() {
        return Err(broken(&format!("its header is not that of a {typ} signed with EdDSA")));
    }
    if header.kid != key.id().to_string() {
        return Err(Error::Unsigned);
    }
    key.verify(signed.as_bytes(), &decode(signature)?)?;
    decode(payload)
}

/// A public key as a JSON Web Key.
pub fn key_to_jwk(key: &VerifyingKey) -> Value {
    json!({
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
        "kid": key.id().to_string(), "x": BASE64.encode(key.as_bytes()),
    })
}

/// The public key of a JSON Web Key, for one purpose.
///
/// # Errors
/// [`Error::Malformed`] for anything else than an Ed25519 key.
pub fn key_from_jwk(purpose: Purpose, jwk: &Value) -> Result<VerifyingKey, Error> {
    let broken = || Error::malformed("JSON Web Key", "it is no Ed25519 key (kty OKP, crv Ed25519, x)");
    let is = |name: &str, wanted: &str| jwk.get(name).and_then(Value::as_str) == Some(wanted);
    let x = jwk.get("x").and_then(Value::as_str).filter(|_| is("kty", "OKP") && is("crv", "Ed25519"));
    let bytes = BASE64.decode(x.ok_or_else(broken)?).map_err(|_| broken())?;
    let bytes: [u8; KEY_LENGTH] = bytes.as_slice().try_into().map_err(|_| broken())?;
    VerifyingKey::from_bytes(purpose, &bytes)
}
