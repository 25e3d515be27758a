//! A client of one server, which judges every answer it gets.

use std::time::{Duration, Instant};

use jobrunner_core::testkit::{PATIENCE, wait_until, wait_while_progressing};
use reqwest::Method;
use serde_json::{Value, json};

use super::process::Daemon;
use crate::service::{EMAIL, PASSWORD};

/// The pause before a request that was put off is sent again.
const PAUSE: Duration = Duration::from_millis(100);

/// A signed-in client of one server.
#[derive(Clone)]
pub(crate) struct Client {
    url: String,
    http: reqwest::Client,
    token: String,
}

/// What a server answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Client {
    /// Waits until the server is up, and signs in.
    pub(crate) async fn of(server: &Daemon) -> Self {
        let address = server.says("serves http://").await;
        let url = format!("http://{}/api/v1", address.trim_end_matches('/'));
        Self::sign_in(&url, EMAIL, PASSWORD).await
    }

    /// The same server, for somebody else.
    pub(crate) async fn signed_in_as(&self, email: &str, password: &str) -> Self {
        Self::sign_in(&self.url, email, password).await
    }

    async fn sign_in(url: &str, email: &str, password: &str) -> Self {
        let http = crate::tls::client().timeout(PATIENCE).build().expect("a client");
        let form = [("username", email), ("password", password)];
        let answer = http.post(format!("{url}/auth/token")).form(&form).send().await;
        let token: Value = answer.expect("an answer").json().await.expect("JSON");
        let token = token["access_token"].as_str().expect("a token").to_owned();
        Self { url: url.to_owned(), http, token }
    }

    /// Sends a request once; `None` when the server is gone. A server that is not answers in time,
    /// and never that it has a defect: 503 as the API describes it is all that may be wrong with
    /// it.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Option<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        request = request.bearer_auth(&self.token);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = match request.send().await {
            Err(error) if error.is_timeout() => panic!("{path}: no answer in {PATIENCE:?}"),
            answer => answer.ok()?,
        };
        let status = answer.status().as_u16();
        let header = |name| answer.headers().get(name).cloned();
        let (kind, retry) = (header("content-type"), header("retry-after"));
        let text = answer.bytes().await.ok()?;
        if status >= 500 {
            let text = String::from_utf8_lossy(&text);
            assert_eq!(status, 503, "{path}: {text}");
            let kind = kind.expect("a content type");
            if path != "/health" {
                assert_eq!(kind, "application/problem+json", "{path}: {text}");
                assert!(retry.is_some(), "{path}: 503 without Retry-After");
            }
        }
        let body = serde_json::from_slice(&text);
        let body = body.unwrap_or_else(|_| json!(String::from_utf8_lossy(&text)));
        Some(Answer { status, body })
    }

    /// Asks until there is an answer, which must be what was asked for.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.patiently(Method::GET, path, None).await;
        assert!(answer.is_success(), "{path}: {answer:?}");
        answer.body
    }

    /// Sends until it is not put off. Harmless with what may be done twice.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.patiently(Method::POST, path, Some(body)).await
    }

    async fn patiently(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        wait_until(&format!("an answer of {path}"), async || {
            let answer = self.send(method.clone(), path, body, None).await;
            answer.filter(|answer| answer.status != 503)
        })
        .await
    }

    /// Asks until a job or a batch has ended, for as long as it changes.
    pub(crate) async fn ended(&self, path: &str) -> Value {
        wait_while_progressing(&format!("{path} to end"), async || {
            let answer = self.get(path).await;
            if answer["finished_at"].is_null() { Err(answer) } else { Ok(answer) }
        })
        .await
    }

    /// All items of a list, page by page.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut page = self.get(&format!("{path}?limit=1000{cursor}")).await;
            items.append(page["items"].as_array_mut().expect("a list"));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }
}

/// Submits through one server after the other, beginning with `first`, until one has taken it.
pub(crate) async fn submit(clients: &[Client], first: usize, body: &Value, key: &str) -> Value {
    let path = if body["jobs"].is_null() { "/jobs" } else { "/job-batches" };
    let started = Instant::now();
    for client in clients.iter().cycle().skip(first % clients.len()) {
        match client.send(Method::POST, path, Some(body), Some(key)).await {
            Some(answer) if answer.is_success() => return answer.body,
            None | Some(Answer { status: 503, .. }) => {}
            Some(answer) => panic!("{path}: {answer:?}"),
        }
        assert!(started.elapsed() < PATIENCE, "nobody takes {key}");
        tokio::time::sleep(PAUSE).await;
    }
    unreachable!("a cycle has no end")
}
