//! Sends requests that are right but for one thing.

use jobrunner_core::{job::Reason, testkit::Hand};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{app::TestApp, description::Operation};

const PASSWORD: &str = "correct horse battery";

/// Who sends requests, and what there is that they can be about.
pub(super) struct Sender<'a> {
    app: &'a TestApp,
    job: String,
    batch: String,
    series: String,
    test: String,
    user: String,
    notification: String,
    known_issue: String,
    /// For addresses that nobody has, and names.
    made: u32,
    _hand: Hand,
}

impl<'a> Sender<'a> {
    pub(super) async fn new(app: &'a TestApp) -> Self {
        let hand = app.hand().await;
        let post = async |path: &str, body: Value| {
            let request = app.request(Method::POST, path, &app.admin).json(&body);
            let (status, made) = app.json(request).await;
            assert!((200..300).contains(&status), "{path}: {made}");
            made["id"].as_str().expect("an id").to_owned()
        };
        let one = json!({"name": "j", "command": ["true"]});
        let job = post("/jobs", one.clone()).await;
        let batch = post("/job-batches", json!({"name": "b", "jobs": [one]})).await;
        let user = json!({"email": "ada@example.com", "password": PASSWORD, "role": "viewer"});
        let user = post("/users", user).await;
        let web = app.request(Method::POST, "/projects", &app.admin).json(&json!({"name": "web"}));
        assert_eq!(app.json(web).await.0, 201);
        let channel = json!({"type": "slack", "url": "https://slack.example/"});
        let told = json!({"name": "n", "on": ["failed"], "channel": channel});
        let notification = post("/notifications", told).await;
        let known = json!({"title": "t", "test": "*", "effect": "mute"});
        let known_issue = post("/known-issues", known).await;
        for _ in 0..2 {
            hand.run_one(Some(Reason::ExitCode)).await;
        }
        let get = async |path: &str| app.json(app.request(Method::GET, path, &app.admin)).await.1;
        let series = get("/series").await["items"][0]["id"].clone();
        let series = series.as_str().expect("a series").to_owned();
        let test = get(&format!("/series/{series}/tests")).await["items"][0]["test_id"].clone();
        let test = test.as_str().expect("a test").to_owned();
        Self {
            app,
            job,
            batch,
            series,
            test,
            user,
            notification,
            known_issue,
            made: 0,
            _hand: hand,
        }
    }

    pub(super) fn is_form(&self, operation: &Operation) -> bool {
        operation.id() == "sign_in"
    }

    /// Sends a body.
    pub(super) async fn body(&mut self, operation: &Operation, body: &Value) -> (u16, Value) {
        let url = self.url(operation);
        let request = self.request(operation, &url);
        if self.is_form(operation) {
            let fields = body.as_object().expect("fields").iter();
            let fields = fields.map(|(name, value)| match value.as_str() {
                Some(text) => (name, text.to_owned()),
                None => (name, value.to_string()),
            });
            return self.app.json(request.form(&fields.collect::<Vec<_>>())).await;
        }
        let mut body = body.clone();
        if operation.id() == "create_user" && body["email"] == "ada@example.com" {
            self.made += 1;
            body["email"] = json!(format!("ada{}@example.com", self.made));
        } else if operation.id() == "create_project" && body["name"] == "web" {
            self.made += 1;
            body["name"] = json!(format!("web{}", self.made));
        }
        // An end that is described has to be one to come, and an account to be there.
        if operation.path.starts_with("/known-issues") {
            let [end, owner] = ["expires_at", "owner_id"]
                .map(|name| body[name].as_str().unwrap_or_default().to_owned());
            if chrono::DateTime::parse_from_rfc3339(&end).is_ok() {
                body["expires_at"] = json!(chrono::Utc::now() + chrono::TimeDelta::days(1));
            }
            if uuid::Uuid::parse_str(&owner).is_ok() {
                body["owner_id"] = json!(self.user);
            }
        }
        // What is described of a zone is how long its name may be.
        if let Some(zone) = body["window"]["zone"].as_str()
            && (1..=64).contains(&zone.chars().count())
        {
            body["window"]["zone"] = json!("UTC");
        }
        // Addresses are for one kind of channel, which has nothing else.
        let to = &body["channel"]["to"];
        if operation.path.starts_with("/notifications") && !to.is_null() {
            body["channel"] = json!({"type": "email", "to": to});
        }
        let (status, answer) = self.app.json(request.json(&body)).await;
        // An account may have a hundred of them at one time.
        if operation.id() == "create_notification" && status == 201 {
            let made = format!("/notifications/{}", answer["id"].as_str().expect("an id"));
            let deleted = self.app.request(Method::DELETE, &made, &self.app.admin);
            assert_eq!(self.app.json(deleted).await.0, 204);
        }
        (status, answer)
    }

    /// Sends a parameter; nothing, if it cannot be sent.
    pub(super) async fn parameter(
        &mut self,
        operation: &Operation,
        parameter: &Value,
        text: &str,
    ) -> Option<(u16, Value)> {
        let name = parameter["name"].as_str().expect("a name");
        let mut url = self.url(operation);
        let mut header = None;
        match parameter["in"].as_str().expect("a place") {
            "path" if text.is_empty() || text.contains('/') => return None,
            "path" => {
                let other = operation.path.replace(&format!("{{{name}}}"), &encoded(text));
                url = self.filled(&other);
            }
            "query" => {
                let other = if name == "batch_id" { "" } else { self.needed(operation) };
                url = format!("{url}?{name}={}{other}", encoded(text));
            }
            _ => header = Some((name, text)),
        }
        let mut request = self.request(operation, &url);
        if let Some((name, text)) = header {
            let text = reqwest::header::HeaderValue::from_bytes(text.as_bytes()).ok()?;
            // HTTP takes the spaces around a value away.
            if text.as_bytes() != text.as_bytes().trim_ascii() {
                return None;
            }
            request = request.header(name, text);
        }
        if operation.body().is_some() {
            request = request.json(&body_of(operation));
        }
        Some(self.app.json(request).await)
    }

    fn request(&self, operation: &Operation, url: &str) -> RequestBuilder {
        let method = Method::from_bytes(operation.method.to_uppercase().as_bytes());
        self.app.request(method.expect("a method"), url, &self.app.admin)
    }

    fn url(&self, operation: &Operation) -> String {
        self.filled(operation.path)
    }

    /// What a query needs besides, for any value of its other parameters to make sense.
    fn needed(&self, operation: &Operation) -> &'static str {
        if operation.id() == "list_jobs" {
            "&batch_id=0198c6f0-1234-7abc-8def-0123456789ab"
        } else {
            ""
        }
    }

    fn filled(&self, path: &str) -> String {
        let id = match path.split('/').nth(1) {
            Some("jobs") => &self.job,
            Some("job-batches") => &self.batch,
            Some("series") => &self.series,
            Some("tests") => &self.test,
            Some("users" | "projects") => &self.user,
            Some("notifications") => &self.notification,
            Some("known-issues") => &self.known_issue,
            // No worker must drain.
            _ => "0198c6f0-1234-7abc-8def-0123456789ab",
        };
        let path = path.replace("{id}", id).replace("{stream}", "stdout").replace("{other}", id);
        let name = if path.starts_with("/projects") { "web" } else { "default" };
        path.replace("{name}", name).replace("{user_id}", id).replace("{class}", "new")
    }
}

/// A body that is taken.
pub(super) fn body_of(operation: &Operation) -> Value {
    let (_, about) = operation.body().expect("a body");
    let mut body = about["example"].clone();
    if operation.id() == "sign_in" {
        body["username"] = json!("admin@example.com");
        body["password"] = json!(PASSWORD);
    }
    body
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
