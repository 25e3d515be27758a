//! The REST API, as this command uses it.

mod http;
mod proxy;
mod session;
mod stream;

use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use jobrunner_core::{
    Batch, BatchId, Job, JobId, NewJob, SessionId, Status, User, UserId,
    batch::RerunOnly,
    daemon::Trouble,
    job::{Attempt, Hold, Order},
    lease::Worker,
    log::Stream,
    page::Page,
};
use reqwest::{Method, Response, StatusCode, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

pub(crate) use stream::{LogEvent, LogEvents};

use crate::{
    args::Server,
    credentials::{self, Credential},
    exit::{Context, Failure},
    junit::Document,
    results::{Results, TAIL_BYTES, Tail},
};
use http::{Http, Repeat};

/// How long a request may take, unless it carries a large batch.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);

/// How long the submission of a batch may take.
const BATCH_LIMIT: Duration = Duration::from_secs(600);

/// A server, and the account to talk to it as.
pub(crate) struct Client {
    http: Http,
}

/// A batch to be submitted, jobs included.
#[derive(Serialize)]
pub(crate) struct NewBatchWithJobs<'a> {
    #[serde(flatten)]
    pub(crate) batch: &'a jobrunner_core::NewBatch,
    pub(crate) jobs: &'a [NewJob],
}

#[derive(Deserialize)]
struct Logs {
    stdout: String,
    stderr: String,
}

impl Client {
    /// A client with the tokens that were kept for the server.
    pub(crate) fn signed_in(server: &Server) -> Result<Self, Failure> {
        let mut client = Self::anonymous(server)?;
        let kept = credentials::find(client.server())?;
        client.http.sign_in(kept.ok_or_else(|| client.http.sign_in_first())?);
        Ok(client)
    }

    /// A client that can only sign in.
    pub(crate) fn anonymous(server: &Server) -> Result<Self, Failure> {
        Ok(Self { http: Http::new(server)? })
    }

    /// The server's URL, in the form under which its tokens are kept.
    pub(crate) fn server(&self) -> &str {
        self.http.server()
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<Credential, Failure> {
        let form = [("username", email), ("password", password)];
        let request = || self.http.request(Method::POST, "/auth/token").form(&form);
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
        let request = || self.http.request(Method::DELETE, "/auth/token");
        let response = self.http.send(Repeat::Never, request).await?;
        match response.status() {
            StatusCode::UNAUTHORIZED => Ok(()),
            status if status.is_success() => Ok(()),
            _ => Err(self.http.refusal(response).await),
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

    pub(crate) async fn holds_of(&self, id: JobId) -> Result<Page<Hold>, Failure> {
        self.get(&format!("/jobs/{id}/holds"), &[]).await
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
        let path = format!("/users/{id}");
        let request = || self.http.request(Method::PATCH, &path).json(change);
        self.http.read(self.http.send(Repeat::Never, request).await?).await
    }

    /// A page of a list; `filters` are parameters of the URL.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        filters: &[(&str, String)],
    ) -> Result<Page<T>, Failure> {
        self.get(path, filters).await
    }

    /// What is there of one stream of an attempt, byte for byte. Where output was not kept, a line
    /// says so.
    pub(crate) async fn stored_output(
        &self,
        id: JobId,
        attempt: u32,
        stream: Stream,
    ) -> Result<Response, Failure> {
        let path = format!("/jobs/{id}/logs/{}?attempt={attempt}", stream.as_str());
        self.raw(&path).await
    }

    /// An answer that is read part by part.
    async fn raw(&self, path: &str) -> Result<Response, Failure> {
        let request = || self.http.request(Method::GET, path).timeout(BATCH_LIMIT);
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

    /// What a job writes, through all its attempts, from the first byte on.
    pub(crate) fn follow(&self, id: JobId) -> LogEvents<'_> {
        LogEvents::new(&self.http, id)
    }

    /// The results of a batch as JUnit XML, as they come.
    pub(crate) async fn junit(&self, id: BatchId) -> Result<Document<'_>, Failure> {
        let path = format!("/job-batches/{id}/junit.xml");
        let response = self.raw(&path).await?;
        let parts = response.bytes_stream();
        Ok(parts.map(|part| part.map_err(|error| self.http.cannot_reach(&error))).boxed())
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, String)],
    ) -> Result<T, Failure> {
        let request = || self.http.request(Method::GET, path).query(parameters);
        self.http.read(self.http.send(Repeat::WhenLost, request).await?).await
    }

    /// Changes that come to the same when they are sent twice, or that are sent once.
    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, Failure> {
        let request = || {
            let request = self.http.request(Method::POST, path);
            if body.is_null() { request } else { request.json(body) }
        };
        self.http.read(self.http.send(Repeat::Never, request).await?).await
    }

    /// Sends a submission again when its answer was lost; a key sees to it that it is carried out
    /// once.
    async fn submit<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        limit: Duration,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body);
        let body = body.context(Trouble::Software, || "cannot write the request".to_owned())?;
        let body = bytes::Bytes::from(body);
        let key = Uuid::new_v4().to_string();
        let request = || {
            self.http
                .request(Method::POST, path)
                .header(header::CONTENT_TYPE, "application/json")
                .header("Idempotency-Key", &key)
                .timeout(limit)
                .body(body.clone())
        };
        self.http.read(self.http.send(Repeat::WhenLost, request).await?).await
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

    async fn slowest(&self, batch: BatchId, limit: u32) -> Result<Vec<Job>, Failure> {
        let sorted = [("sort", Order::Longest.to_string()), ("limit", limit.to_string())];
        let page: Page<Job> = self.get(&format!("/job-batches/{batch}/jobs"), &sorted).await?;
        Ok(page.items)
    }

    async fn tail(&self, job: JobId) -> Result<Tail, Failure> {
        let wanted = [("tail_bytes", TAIL_BYTES.to_string())];
        let logs: Logs = self.get(&format!("/jobs/{job}/logs"), &wanted).await?;
        Ok(Tail { stdout: logs.stdout, stderr: logs.stderr })
    }
}
