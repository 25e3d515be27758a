//! Notifications, delivered to a real server.

mod sink;
mod smtp;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use jobrunner_core::{
    config::Notify,
    job::Reason,
    testkit::{servers::PrivatePostgres, wait_until},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpListener};

use self::{
    sink::{Sink, read},
    smtp::MailServer,
};
use crate::app::TestApp;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn local() -> Notify {
    Notify {
        allowed_hosts: "127.0.0.1,localhost".parse().expect("hosts"),
        public_url: Some("https://jobs.example/".to_owned()),
        mail: None,
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

/// A notification of whatever kind, as it was made.
async fn made(app: &TestApp, new: &Value) -> String {
    let request = app.request(Method::POST, "/notifications", &app.admin).json(new);
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
        Notify { allowed_hosts: "other.example".parse().expect("hosts"), ..Notify::default() };
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

/// Whatever dies at whichever step: the sink before it answers, then the database and the process
/// that delivers between the answer and the record of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_arrives_with_one_id_whatever_is_killed() {
    let mut postgres = PrivatePostgres::builder().durable().start();
    let app = TestApp::over(postgres.create_database()).await;
    let sink = Sink::start(&["wait 200 OK"]).await;
    let address = sink.url["http://".len()..].trim_end_matches("/hook").to_owned();
    let id = subscribe(&app, &sink.url, &["failed"]).await;
    let new = json!({"name": "b", "jobs": [{"name": "j", "command": ["false"]}]});
    let request = app.request(Method::POST, "/job-batches", &app.admin).json(&new);
    assert_eq!(app.json(request).await.0, 202);
    app.hand().await.run_one(Some(Reason::ExitCode)).await;
    // The database crashes when it has stored the end of the batch, and nothing was sent.
    tokio::task::block_in_place(|| postgres.restart_immediately());
    let delivering = app.deliver(local());
    let first = sink.has(1).await.remove(0);
    // The sink dies with the message, and comes back.
    sink.end().await;
    let sink = Sink::start_at(&address, &["wait 200 OK", "200 OK"]).await;
    let second = sink.has(1).await.remove(0);
    // It is taken, and neither the database nor the process is there to remember it.
    tokio::task::block_in_place(|| postgres.stop());
    drop(delivering);
    sink.gate.notify_waiters();
    tokio::task::block_in_place(|| postgres.start_again());
    let _delivering = app.deliver(local());
    let third = sink.has(2).await.remove(1);
    let delivered = newest(&app, &id, "delivered").await;
    for message in [&first, &second, &third] {
        assert_eq!(message.header("webhook-id"), delivered["id"]);
        assert_eq!(message.verified()["type"], "failed");
    }
    assert_eq!(deliveries(&app, &id).await.len(), 1);
    app.stop().await;
}

#[tokio::test]
async fn a_sink_that_comes_back_gets_what_it_missed() {
    let app = TestApp::start().await;
    let sink = Sink::start(&["200 OK"]).await;
    let address = sink.url["http://".len()..].trim_end_matches("/hook").to_owned();
    sink.end().await;
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
async fn mail_arrives_as_text_and_is_tried_again_with_the_same_id() {
    let app = TestApp::start().await;
    let server = MailServer::start(1).await;
    let _delivering = app.deliver(Notify { mail: Some(server.settings.clone()), ..local() });
    let to = json!(["one@team.example", "two@team.example"]);
    let new = json!({"name": "mail", "on": ["failed"], "channel": {"type": "email", "to": to}});
    let id = made(&app, &new).await;
    let jobs = json!([{"name": "j", "command": ["false"]}]);
    let new = json!({"name": "Nächtlich\u{202e} <b>", "jobs": jobs});
    let request = app.request(Method::POST, "/job-batches", &app.admin).json(&new);
    let batch = app.json(request).await.1;
    app.hand().await.run_one(Some(Reason::ExitCode)).await;
    let refused = tried(&app, &id, 1).await;
    assert_eq!(
        (&refused["status"], &refused["attempts"][0]["status"]),
        (&json!("waiting"), &json!(451))
    );
    let mail = server.has(1).await.remove(0);
    let delivered = newest(&app, &id, "delivered").await;
    assert_eq!(delivered["attempts"][1]["status"], 250);
    assert_eq!(mail.to, ["one@team.example", "two@team.example"]);
    let message_id = format!("<{}@runner.example>", delivered["id"].as_str().expect("an id"));
    assert_eq!(mail.header("Message-ID"), message_id);
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert_eq!(mail.header("From"), "JobRunner <jobs@runner.example>");
    let (head, body) = mail.text.split_once("\r\n\r\n").expect("a body");
    assert!(head.contains("=?utf-8?"), "{head}");
    let body = match mail.header("Content-Transfer-Encoding") {
        "base64" => {
            let text = STANDARD.decode(body.replace("\r\n", "")).expect("Base64");
            String::from_utf8(text).expect("UTF-8")
        }
        "quoted-printable" => body.replace("=\r\n", ""),
        _ => body.to_owned(),
    };
    let link = format!("https://jobs.example/batches/{}", batch["id"].as_str().expect("an id"));
    assert!(body.contains(&link) && body.contains("1 failed"), "{body}");
    // The same once more, and the same id.
    let path = format!("/deliveries/{}/redeliver", delivered["id"].as_str().expect("an id"));
    post(&app, &path).await;
    assert_eq!(server.has(2).await[1].header("Message-ID"), message_id);
    // Whom nobody knows today nobody knows tomorrow.
    let to = json!(["nobody@team.example"]);
    let new = json!({"name": "mail", "on": ["failed"], "channel": {"type": "email", "to": to}});
    let id = made(&app, &new).await;
    post(&app, &format!("/notifications/{id}/test")).await;
    let dead = newest(&app, &id, "dead").await;
    assert_eq!(dead["attempts"][0]["status"], 550);
    let error = dead["attempts"][0]["error"].as_str().expect("an error");
    assert!(error.contains("there is no such person"), "{error}");
    app.stop().await;
}

#[tokio::test]
async fn without_a_mail_server_mail_says_so() {
    let app = TestApp::start().await;
    let _delivering = app.deliver(local());
    let channel = json!({"type": "email", "to": ["one@team.example"]});
    let id = made(&app, &json!({"name": "mail", "on": ["failed"], "channel": channel})).await;
    post(&app, &format!("/notifications/{id}/test")).await;
    let refused = tried(&app, &id, 1).await;
    let error = "this server sends no mail: SMTP_URL is not set";
    assert_eq!(
        (&refused["status"], &refused["attempts"][0]["error"]),
        (&json!("waiting"), &json!(error))
    );
    app.stop().await;
}

/// On both stores; the window is closed as if its time had come.
#[tokio::test]
async fn what_ends_within_a_window_arrives_as_one_message() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        let sink = Sink::start(&["200 OK"]).await;
        let _delivering = app.deliver(local());
        let new = json!({
            "name": "daily",
            "on": ["finished", "failed"],
            "channel": {"type": "webhook", "url": sink.url, "secret": SECRET},
            "window": {"at": "07:30", "zone": "Europe/Berlin"},
        });
        let id = made(&app, &new).await;
        let hand = app.hand().await;
        for (name, end) in [("a", None), ("b", Some(Reason::ExitCode))] {
            let jobs = json!([{"name": "j", "command": ["true"]}]);
            let new = json!({"name": name, "jobs": jobs});
            let request = app.request(Method::POST, "/job-batches", &app.admin).json(&new);
            assert_eq!(app.json(request).await.0, 202);
            hand.run_one(end).await;
        }
        let gathered = deliveries(&app, &id).await;
        assert!(gathered.iter().all(|it| it["status"] == "gathered"), "{gathered:?}");
        let tomorrow = chrono::Utc::now() + chrono::TimeDelta::days(2);
        let closed = app.fixture().store.close_windows(tomorrow).await.expect("an answer");
        assert_eq!(closed, 1);
        // It is due when the window ended, which is the day after tomorrow.
        let message = deliveries(&app, &id).await.remove(0);
        assert_eq!(
            (&message["kind"], &message["gathered"]["total"]),
            (&json!("window"), &json!(2))
        );
        let path = format!("/deliveries/{}/redeliver", message["id"].as_str().expect("an id"));
        post(&app, &path).await;
        let said = sink.has(1).await.remove(0).verified();
        assert_eq!((&said["type"], &said["data"]["batch"]), (&json!("window"), &Value::Null));
        let window = &said["data"]["window"];
        let told: Vec<_> = window["events"].as_array().expect("a list").iter().collect();
        assert_eq!((&window["total"], told.len()), (&json!(2), 2));
        assert_eq!(
            (&told[0]["type"], &told[0]["batch"]["name"]),
            (&json!("finished"), &json!("a"))
        );
        assert_eq!(
            (&told[1]["type"], &told[1]["batch"]["status"]),
            (&json!("failed"), &json!("failed"))
        );
        assert_eq!(told[1]["batch"]["counts"]["failed"], 1);
        newest(&app, &id, "delivered").await;
        app.stop().await;
    }
}

/// Members see it, maintainers change it, others do not know of it.
#[tokio::test]
async fn a_notification_of_a_project_is_the_projects() {
    let app = TestApp::start().await;
    let web = app.request(Method::POST, "/projects", &app.admin).json(&json!({"name": "web"}));
    assert_eq!(app.json(web).await.0, 201);
    let mut accounts = Vec::new();
    for role in ["maintainer", "operator", "viewer", "stranger"] {
        let email = format!("{role}@example.com");
        let token = app.account(&email, "operator").await;
        if role != "stranger" {
            let path = format!("/projects/web/members/{email}");
            let request = app.request(Method::PUT, &path, &app.admin).json(&json!({"role": role}));
            assert_eq!(app.json(request).await.0, 200);
        }
        accounts.push(token);
    }
    let channel = json!({"type": "webhook", "url": "https://a.example", "secret": SECRET});
    let new = json!({"name": "n", "project": "web", "on": ["failed"], "channel": channel});
    let create = async |token: &str| {
        let request = app.request(Method::POST, "/notifications", token).json(&new);
        app.json(request).await
    };
    let (status, made) = create(&accounts[0]).await;
    assert_eq!((status, &made["project"]), (201, &json!("web")), "{made}");
    for (account, expected) in accounts[1..].iter().zip([403, 403, 404]) {
        assert_eq!(create(account).await.0, expected);
    }
    let path = format!("/notifications/{}", made["id"].as_str().expect("an id"));
    for (account, (seen, changed)) in
        accounts.iter().zip([(200, 200), (200, 403), (200, 403), (404, 404)]).rev()
    {
        assert_eq!(app.json(app.request(Method::GET, &path, account)).await.0, seen);
        let change = app.request(Method::PATCH, &path, account).json(&json!({"name": "m"}));
        assert_eq!(app.json(change).await.0, changed);
        let listed = app.json(app.request(Method::GET, "/notifications", account)).await.1;
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(usize::from(seen == 200)));
    }
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
        (with("channel", json!({"type": "email"})), "channel.to"),
        (
            with("channel", json!({"type": "email", "to": ["a@b.example\nBcc: c@d.example"]})),
            "channel.to[0]",
        ),
        (
            with("channel", json!({"type": "email", "to": ["a@b.example"], "url": "https://a"})),
            "channel.url",
        ),
        (with("window", json!({"at": "07:30"})), "window"),
        (with("window", json!({"every_minutes": 1, "at": "07:30", "zone": "UTC"})), "window"),
        (with("window", json!({"every_minutes": 10081})), "window.every_minutes"),
        (with("window", json!({"at": "7:30", "zone": "UTC"})), "window.at"),
        (with("window", json!({"at": "07:30", "zone": "Mars"})), "window.zone"),
        (with("series", json!("")), "series"),
        (with("project", json!("No")), "project"),
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
