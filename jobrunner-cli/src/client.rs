//! The REST API, as this command uses it.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use jobrunner_core::{
    Batch, BatchId, Job, JobId, NewJob, SessionId, Status, User, UserId, Violation,
    batch::RerunOnly, job::Attempt, lease::Worker, log::Stream, page::Page,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    args::Server,
    credentials,
    exit::{Context, Failure},
    junit::Document,
    results::{Results, TAIL_BYTES, Tail},
    settings,
};

/// How many times a request is sent when the server cannot be reached, with growing pauses.
const TRIES: u32 = 4;

/// How many of the fields that are wrong are told on the one line of an error.
const SHOWN: usize = 5;

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// How long a request may take, unless it carries a large batch.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);

/// How long the submission of a batch may take.
const BATCH_LIMIT: Duration = Duration::from_secs(600);

/// A server, and the token to talk to it with.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    server: String,
    token: Option<String>,
}

/// A batch to be submitted, jobs included.
#[derive(Serialize)]
pub(crate) struct NewBatchWithJobs<'a> {
    #[serde(flatten)]
    pub(crate) batch: &'a jobrunner_core::NewBatch,
    pub(crate) jobs: &'a [NewJob],
}

#[derive(Deserialize)]
pub(crate) struct Token {
    pub(crate) access_token: String,
}

#[derive(Deserialize)]
struct Problem {
    detail: String,
    #[serde(default)]
    errors: Vec<Violation>,
}

#[derive(Deserialize)]
struct Logs {
    stdout: String,
    stderr: String,
}

impl Client {
    /// A client with the token that was kept for the server.
    pub(crate) fn signed_in(server: &Server) -> Result<Self, Failure> {
        let mut client = Self::anonymous(server)?;
        let kept = credentials::find(&client.server)?;
        client.token = Some(kept.ok_or_else(|| client.sign_in_first())?.token);
        Ok(client)
    }

    /// A client that can only sign in.
    pub(crate) fn anonymous(server: &Server) -> Result<Self, Failure> {
        let url = settings::server(server.url.as_deref())?;
        settings::check_proxies()?;
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_LIMIT)
            .timeout(REQUEST_LIMIT)
            .user_agent(concat!("jobrunner/", env!("CARGO_PKG_VERSION")))
            .build()
            .context(|| "cannot set up HTTP".to_owned())?;
        Ok(Self { http, server: url.as_str().trim_end_matches('/').to_owned(), token: None })
    }

    /// The server's URL, in the form under which its token is kept.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<Token, Failure> {
        let request = self.request(Method::POST, "/auth/token");
        let request = request.form(&[("username", email), ("password", password)]);
        // A wrong password is told as such, without the advice to sign in.
        let response = request.send().await.map_err(|error| self.cannot_reach(&error))?;
        if response.status() == StatusCode::UNAUTHORIZED {
            return Err(Failure::new(self.problem(response).await));
        }
        self.read(response).await
    }

    /// Ends the token, if it has not ended already.
    pub(crate) async fn sign_out(&self) -> Result<(), Failure> {
        let request = self.request(Method::DELETE, "/auth/token");
        let response = request.send().await.map_err(|error| self.cannot_reach(&error))?;
        match response.status() {
            StatusCode::UNAUTHORIZED => Ok(()),
            status if status.is_success() => Ok(()),
            _ => Err(Failure::new(self.problem(response).await)),
        }
    }

    pub(crate) async fn me(&self) -> Result<User, Failure> {
        self.get("/users/me", &[]).await
    }

    pub(crate) async fn submit_job(&self, job: &NewJob) -> Result<Job, Failure> {
        self.submit("/jobs", job, REQUEST_LIMIT).await
    }

    pub(crate) async fn submit_batch(
        &self,
        batch: &NewBatchWithJobs<'_>,
    ) -> Result<Batch, Failure> {
        self.submit("/job-batches", batch, BATCH_LIMIT).await
    }

    pub(crate) async fn job(&self, id: JobId) -> Result<Job, Failure> {
        self.get(&format!("/jobs/{id}"), &[]).await
    }

    pub(crate) async fn attempts_of(&self, id: JobId) -> Result<Page<Attempt>, Failure> {
        self.get(&format!("/jobs/{id}/attempts"), &[]).await
    }

    pub(crate) async fn cancel_job(&self, id: JobId) -> Result<Job, Failure> {
        self.post(&format!("/jobs/{id}/cancel"), &serde_json::Value::Null).await
    }

    pub(crate) async fn cancel_batch(&self, id: BatchId) -> Result<Batch, Failure> {
        self.post(&format!("/job-batches/{id}/cancel"), &serde_json::Value::Null).await
    }

    pub(crate) async fn rerun_batch(&self, id: BatchId, only: RerunOnly) -> Result<Batch, Failure> {
        self.post(&format!("/job-batches/{id}/rerun"), &serde_json::json!({ "only": only })).await
    }

    pub(crate) async fn drain(&self, worker: SessionId) -> Result<Worker, Failure> {
        self.post(&format!("/workers/{worker}/drain"), &serde_json::Value::Null).await
    }

    pub(crate) async fn create_user(&self, account: &serde_json::Value) -> Result<User, Failure> {
        self.post("/users", account).await
    }

    pub(crate) async fn update_user(
        &self,
        id: UserId,
        change: &serde_json::Value,
    ) -> Result<User, Failure> {
        let request = self.request(Method::PATCH, &format!("/users/{id}")).json(change);
        let response = request.send().await.map_err(|error| self.cannot_reach(&error))?;
        self.read(response).await
    }

    /// A page of a list; `filters` are parameters of the URL.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        filters: &[(&str, String)],
    ) -> Result<Page<T>, Failure> {
        self.get(path, filters).await
    }

    /// What a job wrote to a stream from an offset on; empty when there is nothing more yet.
    pub(crate) async fn output(
        &self,
        id: JobId,
        attempt: u32,
        stream: Stream,
        from: u64,
    ) -> Result<bytes::Bytes, Failure> {
        let path = format!("/jobs/{id}/logs/{}?attempt={attempt}", stream.as_str());
        let range = format!("bytes={from}-");
        let response = self
            .send(|| self.request(Method::GET, &path).header(header::RANGE, range.clone()))
            .await?;
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(bytes::Bytes::new());
        }
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        response.bytes().await.map_err(|error| self.cannot_reach(&error))
    }

    /// The results of a batch as JUnit XML, as they come.
    pub(crate) async fn junit(&self, id: BatchId) -> Result<Document<'_>, Failure> {
        let path = format!("/job-batches/{id}/junit.xml");
        let response = self.send(|| self.request(Method::GET, &path).timeout(BATCH_LIMIT)).await?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        let parts = response.bytes_stream();
        Ok(parts.map(|part| part.map_err(|error| self.cannot_reach(&error))).boxed())
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, String)],
    ) -> Result<T, Failure> {
        let response = self.send(|| self.request(Method::GET, path).query(parameters)).await?;
        self.read(response).await
    }

    /// Changes that come to the same when they are sent twice, or that are sent once.
    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, Failure> {
        let request = self.request(Method::POST, path);
        let request = if body.is_null() { request } else { request.json(body) };
        let response = request.send().await.map_err(|error| self.cannot_reach(&error))?;
        self.read(response).await
    }

    /// Sends a submission again when its answer was lost; a key sees to it that it is carried out
    /// once.
    async fn submit<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        limit: Duration,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).context(|| "cannot write the request".to_owned())?;
        let body = bytes::Bytes::from(body);
        let key = Uuid::new_v4().to_string();
        let response = self
            .send(|| {
                self.request(Method::POST, path)
                    .header(header::CONTENT_TYPE, "application/json")
                    .header("Idempotency-Key", &key)
                    .timeout(limit)
                    .body(body.clone())
            })
            .await?;
        self.read(response).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/api/v1{path}", self.server));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request that may be sent again, a few times if need be.
    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, Failure> {
        let mut pause = Duration::from_millis(200);
        for _ in 1..TRIES {
            match request().send().await {
                Ok(response) if response.status() != StatusCode::SERVICE_UNAVAILABLE => {
                    return Ok(response);
                }
                Ok(_) | Err(_) => tokio::time::sleep(pause).await,
            }
            pause *= 3;
        }
        request().send().await.map_err(|error| self.cannot_reach(&error))
    }

    async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, Failure> {
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        let body = response.bytes().await.map_err(|error| self.cannot_reach(&error))?;
        serde_json::from_slice(&body).context(|| {
            format!("{} answers something else than this version understands", self.server)
        })
    }

    async fn refusal(&self, response: Response) -> Failure {
        let status = response.status();
        if status == StatusCode::UNAUTHORIZED {
            return self.sign_in_first();
        }
        let detail = self.problem(response).await;
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return Failure::unreachable(detail);
        }
        Failure::new(detail)
    }

    /// What the server says is wrong, field by field.
    async fn problem(&self, response: Response) -> String {
        let status = response.status();
        let problem = response
            .bytes()
            .await
            .ok()
            .and_then(|body| serde_json::from_slice::<Problem>(&body).ok());
        match problem {
            Some(problem) if problem.errors.len() > 1 => {
                let errors: Vec<String> =
                    problem.errors.iter().take(SHOWN).map(ToString::to_string).collect();
                let errors = errors.join("; ");
                match problem.errors.len().saturating_sub(SHOWN) {
                    0 => errors,
                    more => format!("{errors}; and {more} more"),
                }
            }
            Some(problem) => problem.detail,
            None => format!("{} answers {status}; is it a JobRunner server?", self.server),
        }
    }

    fn sign_in_first(&self) -> Failure {
        Failure::new(format!(
            "you are not signed in to {0}; sign in with: jobrunner login --server {0}",
            self.server
        ))
    }

    fn cannot_reach(&self, error: &reqwest::Error) -> Failure {
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Failure::unreachable(format!(
            "cannot reach {}: {cause}; is it running? start one with: jobrunner up",
            self.server
        ))
    }
}

#[async_trait]
impl Results for Client {
    async fn batch(&self, id: BatchId) -> Result<Batch, Failure> {
        self.get(&format!("/job-batches/{id}"), &[]).await
    }

    async fn jobs(
        &self,
        batch: BatchId,
        status: Option<Status>,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Page<Job>, Failure> {
        let mut filters = vec![("limit", limit.to_string())];
        filters.extend(status.map(|status| ("status", status.to_string())));
        filters.extend(cursor.map(|cursor| ("cursor", cursor)));
        self.get(&format!("/job-batches/{batch}/jobs"), &filters).await
    }

    async fn tail(&self, job: JobId) -> Result<Tail, Failure> {
        let wanted = [("tail_bytes", TAIL_BYTES.to_string())];
        let logs: Logs = self.get(&format!("/jobs/{job}/logs"), &wanted).await?;
        Ok(Tail { stdout: logs.stdout, stderr: logs.stderr })
    }
}
