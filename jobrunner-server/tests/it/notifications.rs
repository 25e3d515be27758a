//! Notifications, delivered to a real server.

mod sink;

use std::time::Duration;

use jobrunner_core::{config::Notify, job::Reason, testkit::wait_until};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpListener};

use self::sink::{Sink, read};
use crate::app::TestApp;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn local() -> Notify {
    Notify {
        allowed_hosts: "127.0.0.1,localhost".parse().expect("hosts"),
        public_url: Some("https://jobs.example/".to_owned()),
    }
}

async fn subscribe(app: &TestApp, url: &str, on: &[&str]) -> String {
    let channel = json!({"type": "webhook", "url": url, "secret": SECRET});
    let new = json!({"name": "n", "on": on, "channel": channel});
    let request = app.request(Method::POST, "/notifications", &app.admin).json(&new);
    let (status, made) = app.json(request).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().expect("an id").to_owned()
}

async fn deliveries(app: &TestApp, id: &str) -> Vec<Value> {
    let path = format!("/notifications/{id}/deliveries");
    let (status, page) = app.json(app.request(Method::GET, &path, &app.admin)).await;
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().expect("a list").clone()
}

async fn post(app: &TestApp, path: &str) -> Value {
    let (status, answer) = app.json(app.request(Method::POST, path, &app.admin)).await;
    assert_eq!(status, 202, "{answer}");
    answer
}

/// Waits until the newest delivery stands so.
async fn newest(app: &TestApp, id: &str, status: &str) -> Value {
    wait_until("it stands so", async || {
        let newest = deliveries(app, id).await.into_iter().next();
        newest.filter(|it| it["status"] == status)
    })
    .await
}

/// Waits until the newest delivery has had so many attempts, and is not being tried.
async fn tried(app: &TestApp, id: &str, attempts: usize) -> Value {
    wait_until("it was tried", async || {
        let newest = deliveries(app, id).await.into_iter().next();
        newest.filter(|it| it["attempts"].as_array().is_some_and(|all| all.len() == attempts))
    })
    .await
}

#[tokio::test]
async fn the_end_of_a_batch_arrives_signed_once_and_with_a_link() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        let sink = Sink::start(&["204 No Content"]).await;
        let id = subscribe(&app, &sink.url, &["first_failure", "failed", "finished"]).await;
        let _delivering = app.deliver(local());
        let hand = app.hand().await;
        let jobs: Vec<Value> =
            (0..3).map(|n| json!({"name": format!("j{n}"), "command": ["true"]})).collect();
        let new = json!({"name": "<b> \"1\"", "jobs": jobs});
        let request = app.request(Method::POST, "/job-batches", &app.admin).json(&new);
        let batch = app.json(request).await.1;
        hand.run_one(Some(Reason::ExitCode)).await;
        let first = sink.has(1).await.remove(0).verified();
        assert_eq!(first["type"], "first_failure");
        assert_eq!(first["data"]["batch"]["status"], "running");
        hand.run_one(None).await;
        hand.run_one(Some(Reason::Signal)).await;
        let last = sink.has(2).await.remove(1);
        let said = last.verified();
        assert_eq!(said["type"], "failed", "the kind that tells most, and once");
        let told = &said["data"]["batch"];
        assert_eq!((&told["id"], &told["name"]), (&batch["id"], &json!("<b> \"1\"")));
        assert_eq!((&told["counts"]["passed"], &told["counts"]["failed"]), (&json!(1), &json!(2)));
        let link = format!("https://jobs.example/batches/{}", batch["id"].as_str().expect("id"));
        assert_eq!(told["url"], link);
        let delivered = newest(&app, &id, "delivered").await;
        assert_eq!(delivered["id"], last.header("webhook-id"));
        assert_eq!(
            (&delivered["due_at"], &delivered["attempts"][0]["status"]),
            (&json!(null), &json!(204))
        );
        assert_eq!(sink.arrived().len(), 2);
        app.stop().await;
    }
}

#[tokio::test]
async fn what_was_not_taken_is_tried_again_with_the_same_id() {
    let app = TestApp::start().await;
    let sink = Sink::start(&["503 Busy", "200 OK"]).await;
    let id = subscribe(&app, &sink.url, &["finished"]).await;
    let _delivering = app.deliver(local());
    post(&app, &format!("/notifications/{id}/test")).await;
    let refused = tried(&app, &id, 1).await;
    assert_eq!((&refused["status"], &refused["kind"]), (&json!("waiting"), &json!("test")));
    assert_eq!(refused["attempts"][0]["error"], "the server answered 503 Service Unavailable");
    let delivered = newest(&app, &id, "delivered").await;
    assert_eq!(delivered["attempts"].as_array().map(Vec::len), Some(2));
    let path = format!("/deliveries/{}/redeliver", delivered["id"].as_str().expect("id"));
    assert_eq!(post(&app, &path).await["status"], "waiting");
    let arrived = sink.has(3).await;
    for message in &arrived {
        assert_eq!(message.header("webhook-id"), delivered["id"]);
        assert_eq!(message.verified()["data"]["batch"], Value::Null);
    }
    app.stop().await;
}

/// Each is the address of a channel and what becomes of it.
#[tokio::test]
async fn no_message_goes_where_the_operator_did_not_allow_it() {
    let app = TestApp::start().await;
    let target = Sink::start(&["200 OK"]).await;
    let port = target.url.rsplit(':').next().expect("a port").to_owned();
    let nobody =
        Notify { allowed_hosts: "other.example".parse().expect("hosts"), public_url: None };
    let delivering = app.deliver(nobody);
    let hosts = [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "LOCALHOST",
        "[::ffff:7f00:1]",
        "169.254.169.254",
    ];
    for host in hosts {
        let id = subscribe(&app, &format!("http://{host}:{port}"), &["finished"]).await;
        post(&app, &format!("/notifications/{id}/test")).await;
        let refused = tried(&app, &id, 1).await;
        let error = refused["attempts"][0]["error"].as_str().expect("an error");
        assert!(error.contains("is no public address"), "{host}: {error}");
    }
    drop(delivering);
    let redirecting: &[&str] = &["302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0"];
    let sink = Sink::start(redirecting).await;
    let _delivering = app.deliver(local());
    let id = subscribe(&app, &sink.url, &["finished"]).await;
    post(&app, &format!("/notifications/{id}/test")).await;
    let error = tried(&app, &id, 1).await["attempts"][0]["error"].clone();
    assert_eq!(error, "the server answered 302 Found; redirects are not followed");
    assert_eq!(target.arrived().len(), 0);
    app.stop().await;
}

#[tokio::test]
async fn a_sink_that_does_not_answer_delays_no_other() {
    let app = TestApp::start().await;
    let (slow, good) = (Sink::start(&["wait 200 OK"]).await, Sink::start(&["200 OK"]).await);
    let stuck = subscribe(&app, &slow.url, &["finished"]).await;
    let other = subscribe(&app, &good.url, &["finished"]).await;
    for _ in 0..20 {
        post(&app, &format!("/notifications/{stuck}/test")).await;
    }
    let _delivering = app.deliver(local());
    slow.has(1).await;
    post(&app, &format!("/notifications/{other}/test")).await;
    newest(&app, &other, "delivered").await;
    assert!(slow.arrived().len() <= 4, "no more than a few wait for one server");
    assert!(deliveries(&app, &stuck).await.iter().all(|it| it["status"] == "waiting"));
    let answering = async {
        loop {
            slow.gate.notify_waiters();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let all = wait_until("all are delivered", async || {
        let all = deliveries(&app, &stuck).await;
        all.iter().all(|it| it["status"] == "delivered").then_some(())
    });
    tokio::select! { () = answering => {}, () = all => {} }
    app.stop().await;
}

#[tokio::test]
async fn what_a_process_was_sending_when_it_was_killed_arrives_with_the_same_id() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        let sink = Sink::start(&["wait 200 OK", "200 OK"]).await;
        let id = subscribe(&app, &sink.url, &["finished"]).await;
        let killed = app.deliver(local());
        let delivery = post(&app, &format!("/notifications/{id}/test")).await;
        sink.has(1).await;
        // It was sent, and nobody has recorded it.
        drop(killed);
        let _delivering = app.deliver(local());
        // Another server's messages do not wait until this one's lease is over.
        let good = Sink::start(&["200 OK"]).await;
        let other = subscribe(&app, &good.url, &["finished"]).await;
        post(&app, &format!("/notifications/{other}/test")).await;
        newest(&app, &other, "delivered").await;
        let arrived = sink.has(2).await;
        for message in &arrived {
            assert_eq!(message.header("webhook-id"), delivery["id"]);
        }
        newest(&app, &id, "delivered").await;
        app.stop().await;
    }
}

#[tokio::test]
async fn a_sink_that_comes_back_gets_what_it_missed() {
    let app = TestApp::start().await;
    let sink = Sink::start(&["200 OK"]).await;
    let address = sink.url["http://".len()..].trim_end_matches("/hook").to_owned();
    drop(sink);
    let id = subscribe(&app, &format!("http://{address}/hook"), &["finished"]).await;
    let _delivering = app.deliver(local());
    post(&app, &format!("/notifications/{id}/test")).await;
    let missed = tried(&app, &id, 1).await;
    assert_eq!(missed["attempts"][0]["status"], Value::Null);
    let listener = TcpListener::bind(&address).await.expect("the same port");
    let back = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let request = read(&mut stream).await.expect("a request");
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.expect("answered");
        request
    };
    assert_eq!(back.await.header("webhook-id"), missed["id"]);
    newest(&app, &id, "delivered").await;
    app.stop().await;
}

#[tokio::test]
async fn what_lets_somebody_write_is_never_told() {
    let app = TestApp::start().await;
    let url = "https://slack.example/services/hidden";
    let channel = json!({"type": "slack", "url": url});
    let new = json!({"name": "s", "on": ["finished"], "channel": channel});
    let request = app.request(Method::POST, "/notifications", &app.admin).json(&new);
    let (_, made) = app.json(request).await;
    let webhook = subscribe(&app, "https://hooks.example/x", &["failed"]).await;
    let path = format!("/notifications/{webhook}");
    let changed =
        json!({"channel": {"type": "webhook", "url": "https://hooks.example/y", "secret": SECRET}});
    let request = app.request(Method::PATCH, &path, &app.admin).json(&changed);
    let mut said = vec![made, app.json(request).await.1];
    for path in ["/notifications", &path, "/audit-events"] {
        said.push(app.json(app.request(Method::GET, path, &app.admin)).await.1);
    }
    let said = said.iter().map(Value::to_string).collect::<String>();
    assert!(said.contains("slack.example") && said.contains("create_notification"));
    for hidden in ["hidden", &SECRET[6..]] {
        assert!(!said.contains(hidden), "{said}");
    }
    app.stop().await;
}

/// What is wrong with a request, and the field that is told.
#[tokio::test]
async fn a_wrong_request_is_told_what_is_wrong_with_it() {
    let app = TestApp::start().await;
    let good = json!({"type": "webhook", "url": "https://a.example", "secret": SECRET});
    let with = |field: &str, value: Value| {
        let mut new = json!({"name": "n", "on": ["failed"], "channel": good});
        new[field] = value;
        new
    };
    let wrong = [
        (with("name", json!("")), "name"),
        (with("batch_name", json!("a\nb")), "batch_name"),
        (with("on", json!([])), "on"),
        (with("channel", json!({"type": "webhook", "url": "https://a.example"})), "channel.secret"),
        (
            with("channel", json!({"type": "slack", "url": "https://a.example", "secret": SECRET})),
            "channel.secret",
        ),
        (with("channel", json!({"type": "slack", "url": "file:///etc/passwd"})), "channel.url"),
    ];
    for (new, field) in wrong {
        let request = app.request(Method::POST, "/notifications", &app.admin).json(&new);
        let (status, problem) = app.json(request).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!(field)), "{problem}");
    }
    let viewer = app.account("viewer@example.com", "viewer").await;
    let new = with("name", json!("n"));
    let request = app.request(Method::POST, "/notifications", &viewer).json(&new);
    assert_eq!(app.json(request).await.0, 403);
    let id = subscribe(&app, "https://a.example", &["failed"]).await;
    let path = format!("/notifications/{id}");
    for path in [path.clone(), format!("{path}/deliveries")] {
        assert_eq!(app.json(app.request(Method::GET, &path, &viewer)).await.0, 404);
    }
    let disabled =
        app.request(Method::PATCH, &path, &app.admin).json(&json!({"is_enabled": false}));
    assert_eq!(app.json(disabled).await.0, 200);
    let refused = app.json(app.request(Method::POST, &format!("{path}/test"), &app.admin)).await;
    assert_eq!((refused.0, &refused.1["code"]), (409, &json!("notification_disabled")));
    app.stop().await;
}
