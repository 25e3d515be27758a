//! What the client reads from the environment; it reads no file `.env`.

use jobrunner_core::{
    Violation,
    daemon::{SettingsError, Variables},
};
use reqwest::Url;
use secrecy::SecretString;

use crate::exit::Failure;

const DEFAULT_SERVER: &str = "http://127.0.0.1:8000";

/// What the HTTP client reads by itself. What is not UTF-8 would count as unset there, and requests
/// would take another way than they were meant to.
const PROXIES: [&str; 8] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// The URL of the server: as it is given, or else `JOBRUNNER_SERVER`, or else this machine's.
pub(crate) fn server(given: Option<&str>) -> Result<Url, Failure> {
    if let Some(given) = given {
        return url(given).ok_or_else(|| Failure::usage(format!("--server {given:?} {NO_URL}")));
    }
    match Variables::of_environment().text("JOBRUNNER_SERVER")? {
        None => {
            url(DEFAULT_SERVER).ok_or_else(|| Failure::usage(format!("{DEFAULT_SERVER} {NO_URL}")))
        }
        // Its value may hold a password, and a log may hold this line.
        Some(set) => url(&set).ok_or_else(|| {
            let violation = Violation::new("JOBRUNNER_SERVER", NO_URL);
            Failure::from(SettingsError::from(violation))
        }),
    }
}

/// `JOBRUNNER_PASSWORD`, if it is set and not empty.
pub(crate) fn password() -> Result<Option<SecretString>, Failure> {
    let password = Variables::of_environment().text("JOBRUNNER_PASSWORD")?;
    Ok(password.filter(|password| !password.is_empty()).map(SecretString::from))
}

/// Refuses variables for proxies that would be passed over.
pub(crate) fn check_proxies() -> Result<(), Failure> {
    for name in PROXIES {
        Variables::of_environment().text(name)?;
    }
    Ok(())
}

const NO_URL: &str = "is not a URL such as http://127.0.0.1:8000";

fn url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}
