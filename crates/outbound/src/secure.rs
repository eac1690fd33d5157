//! What encrypts connections.

/// A client of which nothing but the cryptography is chosen, for addresses that the user named and nobody else.
pub fn client() -> reqwest::ClientBuilder {
    // Whoever embeds us may have chosen another; theirs stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}
