//! What the client reads from the environment; it reads no file `.env`.

use jobrunner_core::{
    ProjectName, Violation,
    daemon::{SettingsError, Trouble, Variables},
};
use reqwest::Url;
use secrecy::SecretString;

use crate::{config, exit::Failure};

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

/// The URL of the server: the one that is given, or else `JOBRUNNER_SERVER`, or else the one that
/// was signed in to last or chosen, or else this machine's. Each is a URL or a name of the
/// configuration file.
pub(crate) fn server(given: Option<&str>) -> Result<Url, Failure> {
    if let Some(given) = given {
        return named(given)?.ok_or_else(|| Failure::usage(format!("--server {given:?} {NO_URL}")));
    }
    let set = Variables::of_environment().text("JOBRUNNER_SERVER")?;
    if let Some(set) = set.filter(|set| !set.is_empty()) {
        // Its value may hold a password, and a log may hold this line.
        return named(&set)?.ok_or_else(|| {
            let violation = Violation::new("JOBRUNNER_SERVER", NO_URL);
            Failure::from(SettingsError::from(violation))
        });
    }
    let chosen = config::read()?.server.unwrap_or_else(|| DEFAULT_SERVER.to_owned());
    named(&chosen)?.ok_or_else(|| {
        let message = format!(
            "the server {chosen:?} of {} {NO_URL}; choose another one with: jobrunner config use",
            config::file().map(|file| file.display().to_string()).unwrap_or_default()
        );
        Failure::new(Trouble::Config, message)
    })
}

/// The server of this name or URL.
fn named(text: &str) -> Result<Option<Url>, Failure> {
    if !config::is_name(text) {
        return Ok(url(text));
    }
    Ok(config::read()?.servers.get(text).and_then(|kept| url(kept)))
}

/// `JOBRUNNER_TOKEN`, if it is set and not empty: a token to send instead of one that is kept.
pub(crate) fn token() -> Result<Option<SecretString>, Failure> {
    let token = Variables::of_environment().text("JOBRUNNER_TOKEN")?;
    let token = token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
    if token.as_ref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
        let violation = Violation::new("JOBRUNNER_TOKEN", "is not a token");
        return Err(SettingsError::from(violation).into());
    }
    Ok(token.map(SecretString::from))
}

/// The project that is named, or else `JOBRUNNER_PROJECT`, if it is set and not empty.
pub(crate) fn project(given: Option<&ProjectName>) -> Result<Option<ProjectName>, Failure> {
    if let Some(given) = given {
        return Ok(Some(given.clone()));
    }
    let set = Variables::of_environment().text("JOBRUNNER_PROJECT")?.filter(|set| !set.is_empty());
    set.map(|set| {
        set.parse().map_err(|wrong: Violation| {
            let violation = Violation::new("JOBRUNNER_PROJECT", wrong.message);
            Failure::from(SettingsError::from(violation))
        })
    })
    .transpose()
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

const NO_URL: &str =
    "is neither a URL such as http://127.0.0.1:8000 nor a name in: jobrunner config list";

/// A URL that a server may have.
pub(crate) fn url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}
