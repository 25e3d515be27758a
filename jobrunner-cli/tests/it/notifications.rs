//! Notifications by the command, of a service that is killed at every step of a delivery.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::mpsc::{self, Receiver},
};

use jobrunner_core::testkit::{PATIENCE, wait_until};
use serde_json::{Value, json};

use crate::{
    client::{jobrunner, text},
    service::{EMAIL, Service},
};

const ALLOWED: [(&str, &str); 1] = [("NOTIFY_ALLOWED_HOSTS", "127.0.0.1")];

/// Requests as they arrive, each with the connection that its answer is for.
struct Sink {
    url: String,
    arrived: Receiver<(String, TcpStream)>,
}

impl Sink {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let (sender, arrived) = mpsc::sync_channel(64);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if let Some(arrived) = read(stream)
                    && sender.send(arrived).is_err()
                {
                    return;
                }
            }
        });
        Self { url, arrived }
    }

    /// The next request's id and text, not answered yet.
    fn next(&self) -> (String, TcpStream) {
        let (head, stream) = self.arrived.recv_timeout(PATIENCE).expect("a message");
        (id_of(&head), stream)
    }
}

fn id_of(head: &str) -> String {
    let id = head.lines().find_map(|line| line.strip_prefix("webhook-id: "));
    id.expect("an id").to_owned()
}

fn read(mut stream: TcpStream) -> Option<(String, TcpStream)> {
    let mut text = String::new();
    while !text.ends_with('}') {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).ok().filter(|read| *read > 0)?;
        text += &String::from_utf8_lossy(&part[..read]);
    }
    Some((text, stream))
}

fn take(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
}

fn run(home: &Path, service: &Service, arguments: &[&str]) -> String {
    let ended = jobrunner(home, &service.url, arguments);
    assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {}", text(&ended.stderr));
    text(&ended.stdout).trim().to_owned()
}

#[tokio::test]
async fn a_webhook_is_told_and_asked_again_by_the_command() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start_with(directory.path(), 1, &ALLOWED).await;
    let sink = Sink::start();
    let run = |arguments: &[&str]| run(home.path(), &service, arguments);
    run(&["login", "--email", EMAIL]);
    let made = run(&["notifications", "create", "n", "--webhook", &sink.url, "--on", "finished"]);
    let (id, secret) = made.split_once('\n').expect("an id and a secret");
    assert!(secret.starts_with("whsec_"), "{made}");
    run(&["notifications", "test", id]);
    let (test, stream) = sink.next();
    take(stream).expect("answered");
    run(&["notifications", "redeliver", &test]);
    let (again, stream) = sink.next();
    assert_eq!(again, test);
    take(stream).expect("answered");
    let listed = run(&["notifications", "list"]);
    assert!(listed.contains("webhook 127.0.0.1") && !listed.contains(secret), "{listed}");
    let deliveries = run(&["notifications", "deliveries", id, "--output", "json"]);
    let deliveries: Value = serde_json::from_str(&deliveries).expect("JSON");
    assert_eq!(deliveries[0]["kind"], "test");
    assert!(run(&["notifications", "deliveries", id]).contains(&test));
    run(&["notifications", "disable", id]);
    let refused = jobrunner(home.path(), &service.url, &["notifications", "test", id]);
    assert!(text(&refused.stderr).contains("disabled"), "{}", text(&refused.stderr));
    run(&["notifications", "enable", id]);
    run(&["notifications", "delete", id]);
    assert_eq!(run(&["notifications", "list", "--quiet"]), "");
}

/// Before it is sent, and after it was sent and before that is recorded.
#[tokio::test]
async fn what_a_killed_service_had_to_tell_arrives_with_the_same_id() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start_with(directory.path(), 1, &ALLOWED).await;
    let sink = Sink::start();
    let channel = json!({
        "type": "webhook",
        "url": sink.url,
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    });
    let new = json!({"name": "n", "on": ["failed"], "channel": channel});
    let (status, made) = service.post("/notifications", &new).await;
    assert_eq!(status, 201, "{made}");
    let batch = json!({"name": "b", "jobs": [{"name": "j", "command": ["false"]}]});
    let (_, batch) = service.post("/job-batches", &batch).await;
    let batch = format!("/job-batches/{}", batch["id"].as_str().expect("an id"));
    service.ended(&batch).await;
    // It is stored with the end of the batch: whether it was sent before the kill or not, it comes.
    service.kill();
    let service = Service::start_with(directory.path(), 1, &ALLOWED).await;
    let (first, unanswered) = sink.next();
    service.kill();
    drop(unanswered);
    let service = Service::start_with(directory.path(), 1, &ALLOWED).await;
    let deliveries = format!("/notifications/{}/deliveries", made["id"].as_str().expect("an id"));
    let found = wait_until("it is delivered", async || {
        for (head, stream) in sink.arrived.try_iter() {
            assert_eq!(id_of(&head), first);
            // Nobody may be left to read it.
            drop(take(stream));
        }
        let found = service.get(&deliveries).await;
        (found["items"][0]["status"] == "delivered").then_some(found)
    })
    .await;
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(found["items"][0]["id"], first);
}
