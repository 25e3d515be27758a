//! The REST API, as this command uses it.

mod batches;
mod http;
mod jobs;
mod known_issues;
mod list;
mod notifications;
mod proxy;
pub(crate) mod routes;
mod service;
mod session;
mod stream;
mod wire;

use std::time::Duration;

use jobrunner_core::{User, daemon::Trouble, page::Page};
use reqwest::{Response, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

pub(crate) use known_issues::{KnownIssue, KnownIssueChange, NewKnownIssue};
pub(crate) use list::{Pages, Raw, RawItems};
pub(crate) use notifications::{
    Delivery, NewChannel, NewNotification, NewWindow, Notification, NotificationChange,
};
pub(crate) use routes::Route;
pub(crate) use stream::{LogEvent, LogEvents};
pub(crate) use wire::{
    NewBatchWithJobs, NewMember, NewProject, NewToken, NewUser, OwnChange, ProjectChange,
    QueueChange, UserChange,
};

use crate::{
    args::Remote,
    credentials::{self, Credential},
    exit::{Context, Failure},
    settings,
};
use http::{Http, Repeat};
use session::Session;
use wire::PasswordGrant;

/// How long a request may take, unless it carries a large batch.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);

/// How long the submission of a batch may take.
const BATCH_LIMIT: Duration = Duration::from_secs(600);

/// A server, and the account to talk to it as.
pub(crate) struct Client {
    http: Http,
}

impl Client {
    /// A client with `JOBRUNNER_TOKEN`, or with the tokens that were kept for the server.
    pub(crate) async fn signed_in(remote: &Remote) -> Result<Self, Failure> {
        let mut client = Self::anonymous(remote)?;
        if let Some(token) = settings::token()? {
            client.http.sign_in(Session::Given(token));
            return Ok(client);
        }
        let Some(kept) = credentials::find(&client.http.key())? else {
            // Whoever starts a server later is not helped by signing in now.
            client.reach().await?;
            return Err(client.http.sign_in_first());
        };
        client.http.sign_in(Session::kept(kept));
        Ok(client)
    }

    /// A client with the tokens that were kept for the server, if there are any.
    pub(crate) fn of_kept(remote: &Remote) -> Result<Option<Self>, Failure> {
        let mut client = Self::anonymous(remote)?;
        let kept = credentials::find(&client.http.key())?;
        Ok(kept.map(|kept| {
            client.http.sign_in(Session::kept(kept));
            client
        }))
    }

    /// A client that can only sign in.
    pub(crate) fn anonymous(remote: &Remote) -> Result<Self, Failure> {
        Ok(Self { http: Http::new(remote)? })
    }

    /// The server's URL, as it was named.
    pub(crate) fn server(&self) -> &str {
        self.http.server()
    }

    /// Under what the tokens of the server are kept.
    pub(crate) fn key(&self) -> String {
        self.http.key()
    }

    /// Fails if nobody answers.
    async fn reach(&self) -> Result<(), Failure> {
        let request = || self.http.request(&routes::LIVE, &[]);
        self.http.send(Repeat::Never, request).await.map(drop)
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<Credential, Failure> {
        let form = PasswordGrant { username: email.to_owned(), password: password.to_owned() };
        let request = || self.http.request(&routes::SIGN_IN, &[]).form(&form);
        let response = self.http.send(Repeat::Never, request).await?;
        // A wrong password is told as such, without the advice to sign in.
        if response.status() == StatusCode::UNAUTHORIZED {
            return Err(Failure::new(Trouble::NotAllowed, self.http.problem(response).await));
        }
        let tokens: session::Tokens = self.http.read(response).await?;
        Ok(tokens.of(email.to_owned()))
    }

    /// Ends the sign-in, if it has not ended already.
    pub(crate) async fn sign_out(&self) -> Result<(), Failure> {
        let request = || self.http.request(&routes::SIGN_OUT, &[]);
        let response = self.http.send(Repeat::Never, request).await?;
        match response.status() {
            StatusCode::UNAUTHORIZED => Ok(()),
            status if status.is_success() => Ok(()),
            _ => Err(self.http.refusal(response).await),
        }
    }

    pub(crate) async fn me(&self) -> Result<User, Failure> {
        self.get(&routes::ME, &[], &[]).await
    }

    /// As the server tells it: with what this version knows nothing of.
    pub(crate) async fn raw(&self, route: &Route, parts: &[&str]) -> Result<Raw, Failure> {
        self.get(route, parts, &[]).await
    }

    /// A page of a list; `filters` are parameters of the URL.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        route: &Route,
        filters: &[(&str, String)],
    ) -> Result<Page<T>, Failure> {
        self.get(route, &[], filters).await
    }

    /// Something by its id.
    pub(crate) async fn one<T: DeserializeOwned>(
        &self,
        route: &Route,
        id: &str,
    ) -> Result<T, Failure> {
        self.get(route, &[id], &[]).await
    }

    /// An answer that is read part by part, and may take as long as it does.
    async fn stream(&self, route: &Route, id: &str, limit: Duration) -> Result<Response, Failure> {
        let request = || self.http.request(route, &[id]).timeout(limit);
        let response = self.http.send(Repeat::WhenLost, request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.http.refusal(response).await)
    }

    /// The next part of a body.
    pub(crate) async fn part(
        &self,
        response: &mut Response,
    ) -> Result<Option<bytes::Bytes>, Failure> {
        response.chunk().await.map_err(|error| self.http.cannot_reach(&error))
    }

    async fn get<T: DeserializeOwned>(
        &self,
        route: &Route,
        parts: &[&str],
        parameters: &[(&str, String)],
    ) -> Result<T, Failure> {
        debug_assert!(
            parameters.iter().all(|(name, _)| route.query.contains(name)),
            "{route:?} is not asked with {parameters:?}"
        );
        let request = || self.http.request(route, parts).query(parameters);
        self.http.read(self.http.send(Repeat::WhenLost, request).await?).await
    }

    /// Changes that come to the same when they are sent twice, or that are sent once.
    async fn post<T: DeserializeOwned>(
        &self,
        route: &Route,
        parts: &[&str],
        body: Option<&impl Serialize>,
    ) -> Result<T, Failure> {
        let request = || {
            let request = self.http.request(route, parts);
            match body {
                Some(body) => request.json(body),
                None => request,
            }
        };
        self.http.read(self.http.send(Repeat::Never, request).await?).await
    }

    /// A change, sent once.
    async fn change<T: DeserializeOwned>(
        &self,
        route: &Route,
        parts: &[&str],
        change: &impl Serialize,
    ) -> Result<T, Failure> {
        let request = || self.http.request(route, parts).json(change);
        self.http.read(self.http.send(Repeat::Never, request).await?).await
    }

    async fn delete(&self, route: &Route, parts: &[&str]) -> Result<(), Failure> {
        let request = || self.http.request(route, parts);
        let response = self.http.send(Repeat::Never, request).await?;
        if response.status().is_success() {
            return Ok(());
        }
        Err(self.http.refusal(response).await)
    }

    /// Sends a submission again when its answer was lost; a key sees to it that it is carried out
    /// once.
    async fn submit<T: DeserializeOwned>(
        &self,
        route: &Route,
        body: &impl Serialize,
        limit: Duration,
        Key(key): Key,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body);
        let body = body.context(Trouble::Software, || "cannot write the request".to_owned())?;
        let body = bytes::Bytes::from(body);
        let request = || {
            self.http
                .request(route, &[])
                .header(header::CONTENT_TYPE, "application/json")
                .header("Idempotency-Key", &key)
                .timeout(limit)
                .body(body.clone())
        };
        self.http.read(self.http.send(Repeat::WhenLost, request).await?).await
    }
}

/// No body.
const NOTHING: Option<&()> = None;

/// What makes a submission one, however often it is sent.
pub(crate) struct Key(String);

impl From<Option<String>> for Key {
    /// The one that somebody chose, or a fresh one.
    fn from(chosen: Option<String>) -> Self {
        Self(chosen.unwrap_or_else(|| Uuid::new_v4().to_string()))
    }
}
