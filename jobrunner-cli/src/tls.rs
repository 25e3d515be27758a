use std::sync::Once;

/// Begins a client of HTTP, with the one implementation of TLS's cryptography that the program has.
pub(crate) fn client() -> reqwest::ClientBuilder {
    static CHOSEN: Once = Once::new();
    CHOSEN.call_once(|| {
        let chosen = rustls::crypto::ring::default_provider().install_default();
        chosen.expect("nobody else in this process chooses");
    });
    reqwest::Client::builder()
}
