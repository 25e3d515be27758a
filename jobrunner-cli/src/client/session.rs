use std::time::Duration;

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{http::Http, routes, wire::RefreshGrant};
use crate::{
    credentials::{self, Credential},
    exit::Failure,
};

/// How long an exchange of tokens may take. Others wait for it.
const LIMIT: Duration = Duration::from_secs(20);

/// The answer to a sign-in, or to a refresh token.
#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct Tokens {
    access_token: String,
    expires_in: u64,
    refresh_token: Option<String>,
}

impl Tokens {
    /// The tokens as they are kept. They are renewed when a quarter of their time is left.
    pub(super) fn of(self, email: String) -> Credential {
        let renew_at = credentials::now().saturating_add(self.expires_in / 4 * 3);
        Credential {
            email,
            token: self.access_token,
            refresh_token: self.refresh_token,
            renew_at: Some(renew_at),
            in_doubt: false,
        }
    }
}

/// In whose name requests are sent.
pub(super) enum Session {
    /// By tokens that are kept, and renewed before they expire. Other processes use the same ones:
    /// who renews them holds the lock of their file, and whoever waits for it takes what the other
    /// has got.
    Kept(Mutex<Credential>),
    /// By a token that somebody else sees to: it is neither renewed nor written anywhere.
    Given(SecretString),
}

/// Why tokens are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Because {
    /// It is time. The access token is good for a while, whatever comes of this.
    Due,
    /// The access token was refused, so there is nothing to lose.
    Refused,
}

impl Session {
    pub(super) fn kept(credential: Credential) -> Self {
        Self::Kept(Mutex::new(credential))
    }

    /// A token that is good, as far as is known here.
    pub(super) async fn token(&self, http: &Http) -> Result<String, Failure> {
        let mut credential = match self {
            Self::Given(token) => return Ok(token.expose_secret().to_owned()),
            Self::Kept(credential) => credential.lock().await,
        };
        if credential.is_due()
            && let Err(failure) = renew(&mut credential, http, Because::Due).await
        {
            tracing::debug!(%failure, "cannot renew the access token yet");
        }
        Ok(credential.token.clone())
    }

    /// Renews the token that was refused, unless it was renewed since; whether there is another one
    /// now.
    pub(super) async fn renew_after(&self, http: &Http, refused: &str) -> Result<bool, Failure> {
        let Self::Kept(credential) = self else { return Ok(false) };
        let mut credential = credential.lock().await;
        if credential.token == refused {
            renew(&mut credential, http, Because::Refused).await?;
        }
        Ok(credential.token != refused)
    }
}

/// Exchanges the refresh token. Before it is sent the file says that it may be used up, and if the
/// answer is lost the file goes on saying so: a second use would end the sign-in, and with it an
/// access token that is still good for others.
async fn renew(credential: &mut Credential, http: &Http, because: Because) -> Result<(), Failure> {
    let lock = credentials::Lock::take().await?;
    let Some(kept) = lock.find(&http.key())? else { return Err(http.sign_in_first()) };
    let is_fresh = kept.token != credential.token;
    *credential = kept.clone();
    let wanted = because == Because::Refused || kept.is_due();
    let Some(refresh_token) = kept.refresh_token.as_deref().filter(|_| wanted && !is_fresh) else {
        // Another process was faster, or somebody has signed in again, or nothing can be done.
        return Ok(());
    };
    credential.in_doubt = true;
    lock.keep(&http.key(), credential.clone())?;
    let form = RefreshGrant {
        grant_type: "refresh_token".to_owned(),
        refresh_token: refresh_token.to_owned(),
    };
    let request = http.request(&routes::REFRESH, &[]).timeout(LIMIT).form(&form);
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => {
            if error.is_connect() {
                credential.in_doubt = false;
                lock.keep(&http.key(), credential.clone())?;
            }
            return Err(http.cannot_reach(&error));
        }
    };
    if response.status() == StatusCode::UNAUTHORIZED {
        return Err(http.sign_in_first());
    }
    let tokens: Tokens = http.read(response).await?;
    *credential = tokens.of(kept.email);
    lock.keep(&http.key(), credential.clone())
}
