use std::time::Duration;

use jobrunner_core::{Violation, daemon::Trouble};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::{Deserialize, de::DeserializeOwned};

use super::{REQUEST_LIMIT, proxy, routes::Route, session::Session};
use crate::{
    args::Remote,
    credentials,
    exit::{Context, Failure},
    settings,
};

/// How many times a request is sent when the server cannot be reached, with growing pauses.
const TRIES: u32 = 4;

/// How many of the fields that are wrong are told on the one line of an error.
const SHOWN: usize = 5;

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// What is done when it is not known whether a request has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It is sent again, since it is carried out once however often it is sent.
    WhenLost,
    Never,
}

/// Sends requests, in the name of somebody, and says what is wrong with the answers.
pub(super) struct Http {
    client: reqwest::Client,
    server: String,
    api: Url,
    /// The proxy between, if there is one.
    proxy: Option<String>,
    session: Option<Session>,
}

/// What a server says is wrong.
#[derive(Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct Problem {
    detail: String,
    #[serde(default)]
    errors: Vec<Violation>,
}

impl Http {
    pub(super) fn new(remote: &Remote) -> Result<Self, Failure> {
        let url = settings::server(remote.server.as_deref())?;
        settings::check_proxies()?;
        let mut builder = crate::tls::client()
            .connect_timeout(CONNECT_LIMIT)
            .timeout(REQUEST_LIMIT)
            .user_agent(concat!("jobrunner/", env!("CARGO_PKG_VERSION")));
        let proxy = proxy::of(&url);
        if proxy.is_none() {
            builder = builder.no_proxy();
        }
        let client =
            builder.build().context(Trouble::Software, || "cannot set up HTTP".to_owned())?;
        let server = url.as_str().trim_end_matches('/').to_owned();
        let api = Url::parse(&format!("{server}/api/v1"))
            .context(Trouble::Software, || format!("cannot find the API of {server}"))?;
        Ok(Self { client, server, api, proxy, session: None })
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Under what the tokens of the server are kept.
    pub(super) fn key(&self) -> String {
        credentials::key(&self.server)
    }

    /// Sends what follows in somebody's name.
    pub(super) fn sign_in(&mut self, session: Session) {
        self.session = Some(session);
    }

    /// A request without a name; `parts` are those of the path that differ.
    pub(super) fn request(&self, route: &Route, parts: &[&str]) -> RequestBuilder {
        self.client.request(route.method(), route.url(&self.api, parts))
    }

    /// Sends a request with a token that is good, renewed if need be, and again when the server is
    /// away.
    pub(super) async fn send(
        &self,
        repeat: Repeat,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Response, Failure> {
        let mut pause = Duration::from_millis(200);
        let mut tries = if repeat == Repeat::WhenLost { TRIES } else { 1 };
        let mut renewed = false;
        loop {
            tries -= 1;
            let token = match &self.session {
                Some(session) => Some(session.token(self).await?),
                None => None,
            };
            let sent = match &token {
                Some(token) => request().bearer_auth(token),
                None => request(),
            };
            match (sent.send().await, &self.session, token) {
                // A request that is refused so was not carried out.
                (Ok(response), Some(session), Some(token))
                    if response.status() == StatusCode::UNAUTHORIZED && !renewed =>
                {
                    renewed = true;
                    tries += 1;
                    if !session.renew_after(self, &token).await? {
                        return Ok(response);
                    }
                }
                (Ok(response), ..)
                    if tries == 0 || response.status() != StatusCode::SERVICE_UNAVAILABLE =>
                {
                    return Ok(response);
                }
                (Err(error), ..) if tries == 0 => return Err(self.cannot_reach(&error)),
                (Ok(_) | Err(_), ..) => {
                    tokio::time::sleep(pause).await;
                    pause *= 3;
                }
            }
        }
    }

    pub(super) async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, Failure> {
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        let body = response.bytes().await.map_err(|error| self.cannot_reach(&error))?;
        serde_json::from_slice(&body).context(Trouble::Protocol, || {
            format!("{} answers something else than this version understands", self.place())
        })
    }

    /// Why the server does not do what it was asked to.
    pub(super) async fn refusal(&self, response: Response) -> Failure {
        let status = response.status();
        if status == StatusCode::UNAUTHORIZED {
            return self.sign_in_first();
        }
        let trouble = match status.as_u16() {
            403 => Trouble::NotAllowed,
            404 | 410 => Trouble::NoInput,
            409 | 423 | 429 => Trouble::InTheWay,
            400..=499 => Trouble::Data,
            502..=504 => Trouble::Unavailable,
            500..=599 => Trouble::Software,
            _ => Trouble::Protocol,
        };
        match self.problem_of(response).await {
            Some(problem) => Failure::new(trouble, problem),
            None if trouble == Trouble::Unavailable => Failure::new(trouble, self.foreign(status)),
            None => Failure::new(Trouble::Protocol, self.foreign(status)),
        }
    }

    /// What the server says is wrong, field by field.
    pub(super) async fn problem(&self, response: Response) -> String {
        let status = response.status();
        self.problem_of(response).await.unwrap_or_else(|| self.foreign(status))
    }

    async fn problem_of(&self, response: Response) -> Option<String> {
        let body = response.bytes().await.ok()?;
        let problem: Problem = serde_json::from_slice(&body).ok()?;
        if problem.errors.len() < 2 {
            return Some(problem.detail);
        }
        let errors: Vec<String> =
            problem.errors.iter().take(SHOWN).map(ToString::to_string).collect();
        let errors = errors.join("; ");
        Some(match problem.errors.len().saturating_sub(SHOWN) {
            0 => errors,
            more => format!("{errors}; and {more} more"),
        })
    }

    fn foreign(&self, status: StatusCode) -> String {
        format!("{} answers {status}; is it a JobRunner server?", self.place())
    }

    pub(super) fn sign_in_first(&self) -> Failure {
        let message = match &self.session {
            Some(Session::Given(_)) => format!(
                "{} does not take JOBRUNNER_TOKEN, or not any more; set another one, or unset it \
                 and sign in with: jobrunner login --server {0}",
                self.server
            ),
            _ => format!(
                "you are not signed in to {0}; sign in with: jobrunner login --server {0}",
                self.server
            ),
        };
        Failure::new(Trouble::NotAllowed, message)
    }

    pub(super) fn cannot_reach(&self, error: &reqwest::Error) -> Failure {
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        let advice = match &self.proxy {
            None => "is it running? start one with: jobrunner up",
            Some(_) => "to do without the proxy, name the server's host in NO_PROXY",
        };
        let message = format!("cannot reach {}: {cause}; {advice}", self.place());
        Failure::new(Trouble::Unavailable, message)
    }

    /// The server, and how it is reached.
    fn place(&self) -> String {
        match &self.proxy {
            None => self.server.clone(),
            Some(proxy) => format!("{} through the proxy {proxy}", self.server),
        }
    }
}
