use jobrunner_core::testkit::PATIENCE;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::service::Service;

/// A stream of server-sent events, read as a browser reads it.
struct Events {
    response: Response,
    text: String,
    /// The id of the last event.
    id: String,
}

impl Events {
    async fn open(service: &Service, job: &str, last_id: Option<&str>) -> Self {
        Self::of(service.request(Method::GET, &format!("/jobs/{job}/logs/follow")), last_id).await
    }

    async fn of(mut request: RequestBuilder, last_id: Option<&str>) -> Self {
        if let Some(id) = last_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new(), id: String::new() }
    }

    /// The next event's name and data; `None` at the end of the stream.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = event.to_owned();
                self.text = rest.to_owned();
                let field = |name: &str| {
                    event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
                };
                let Some(data) = field("data:") else { continue };
                self.id = field("id:").expect("an id").to_owned();
                let data = serde_json::from_str(data).expect("JSON");
                return Some((field("event:").expect("a name").to_owned(), data));
            }
            let piece = timeout(PATIENCE, self.response.chunk()).await.expect("not so long");
            self.text.push_str(std::str::from_utf8(&piece.expect("a stream")?).expect("UTF-8"));
        }
    }

    /// Reads on until the text of a stream is as expected.
    async fn read(&mut self, stream: &str, expected: &str) {
        let mut text = String::new();
        while text != expected {
            let (name, data) = self.next().await.expect("more of it");
            if name == "output" && data["stream"] == stream {
                text.push_str(data["text"].as_str().expect("text"));
                assert!(expected.starts_with(&text), "{text:?}");
            }
        }
    }

    async fn end(&mut self) -> Value {
        loop {
            let (name, data) = self.next().await.expect("an end");
            if name == "end" {
                assert_eq!(self.next().await, None, "nothing follows the end");
                return data;
            }
        }
    }
}

#[tokio::test]
async fn p8_output_is_followed_while_it_is_written_and_from_where_it_was_left() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let gate = directory.path().join("gate");
    let script = format!(
        "printf 'first '; until test -e {0}.1; do sleep 0.05; done; printf 'Grü'; echo error >&2
         until test -e {0}.2; do sleep 0.05; done; echo ße",
        gate.display()
    );
    let job = service.job("slow", &["sh", "-c", &script], Value::Null).await;

    let mut events = Events::open(&service, &job, None).await;
    events.read("stdout", "first ").await;
    let left = events.id.clone();
    assert_eq!(left, "1:6:0");
    std::fs::write(gate.with_extension("1"), "").expect("a file");
    events.read("stderr", "error\n").await;
    let mut resumed = Events::open(&service, &job, Some(&left)).await;
    std::fs::write(gate.with_extension("2"), "").expect("a file");
    resumed.read("stdout", "Grüße\n").await;
    assert_eq!(resumed.end().await["status"], "passed");
    assert_eq!(events.end().await["status"], "passed");

    let mut late = Events::open(&service, &job, None).await;
    late.read("stdout", "first Grüße\n").await;
    assert_eq!(late.end().await, json!({"attempt": 1, "status": "passed"}));
    let mut later = Events::open(&service, &job, Some(&late.id)).await;
    let first = later.next().await.expect("the end");
    assert_eq!(first.0, "end", "everything was told before");
}

/// Whoever comes late is told both streams in the order in which they were written.
#[tokio::test]
async fn both_streams_are_told_in_their_order() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let gate = directory.path().join("gate");
    let script = format!(
        "echo one; until test -e {0}.1; do sleep 0.05; done; echo two >&2
         until test -e {0}.2; do sleep 0.05; done; echo three
         until test -e {0}.3; do sleep 0.05; done; echo four >&2",
        gate.display()
    );
    let job = service.job("both", &["sh", "-c", &script], Value::Null).await;
    let mut events = Events::open(&service, &job, None).await;
    let words =
        [("stdout", "one\n"), ("stderr", "two\n"), ("stdout", "three\n"), ("stderr", "four\n")];
    for (number, (stream, text)) in (1..).zip(words) {
        events.read(stream, text).await;
        std::fs::write(gate.with_extension(number.to_string()), "").expect("a file");
    }
    events.end().await;
    let mut late = Events::open(&service, &job, None).await;
    for (stream, text) in words {
        let (name, data) = late.next().await.expect("more of it");
        assert_eq!(
            (name.as_str(), &data["stream"], &data["text"]),
            ("output", &json!(stream), &json!(text))
        );
    }
    late.end().await;
}

#[tokio::test]
async fn every_attempt_is_followed_to_the_end_of_the_job() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let script = "echo attempt $JOBRUNNER_ATTEMPT; exit 3";
    let job = service.job("fails", &["sh", "-c", script], json!({"max_attempts": 3})).await;
    let mut events = Events::open(&service, &job, Some("1:0:0")).await;
    for attempt in 1..=3 {
        events.read("stdout", &format!("attempt {attempt}\n")).await;
        assert!(events.id.starts_with(&format!("{attempt}:")), "{}", events.id);
    }
    assert_eq!(events.end().await, json!({"attempt": 3, "status": "failed"}));
}

#[tokio::test]
async fn p12_only_those_who_may_see_a_job_follow_it_and_only_as_long_as_they_may() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let follow = |job: &str| service.request(Method::GET, &format!("/jobs/{job}/logs/follow"));
    let absent = follow("0190b2f4-0000-7000-8000-000000000000").send().await.expect("an answer");
    assert_eq!(absent.status(), 404);
    let waiting = service.job("waits", &["sleep", "60"], Value::Null).await;
    let wrong = follow(&waiting).header("Last-Event-ID", "1:2").send().await.expect("an answer");
    assert_eq!(wrong.status(), 422);

    let other = json!({"email": "other@example.com", "password": "correct horse battery",
        "role": "admin"});
    let (status, other) = service.post("/users", &other).await;
    assert_eq!(status, 201, "{other}");
    let token = service.token_of("other@example.com").await;
    let path = format!("/jobs/{waiting}/logs/follow");
    let mut events = Events::of(service.request_with(&token, Method::GET, &path), None).await;
    events.next().await.expect("how it stands");
    let id = other["id"].as_str().expect("an id");
    let disabled = service.request(Method::DELETE, &format!("/users/{id}")).send().await;
    assert_eq!(disabled.expect("an answer").status(), 204);
    while let Some((name, _)) = events.next().await {
        assert_ne!(name, "end", "the job goes on");
    }
}
