//! What it costs to submit a large batch through the API into Postgres, against the store alone in the same
//! run, on a private server that keeps its promises about durability.
//!
//! `cargo bench --workspace --all-features --bench submit`

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jobrunner_core::{
    JobSpec, UserId,
    config::Settings,
    connect,
    testkit::{Fixture, servers::PrivatePostgres, spec},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// As many jobs as a batch may have.
const JOBS: usize = 100_000;

const ROUNDS: usize = 3;

const PASSWORD: &str = "correct horse battery";

#[tokio::main]
async fn main() {
    let server = PrivatePostgres::builder().durable().start();
    let url = server.create_database();
    let vars = HashMap::from([
        ("DATABASE_URL", url.as_str()),
        ("JWT_SECRET_KEY", "0123456789abcdef0123456789abcdef"),
        ("JOBRUNNER_ADMIN_PASSWORD", PASSWORD),
    ]);
    let settings = Settings::from_vars(|name| vars.get(name).map(|value| (*value).into()));
    let settings = settings.expect("settings");
    connect::init_database(&settings).await.expect("a schema");
    let backends = connect::backends(&settings).await.expect("backends");
    let service = connect::service(&backends, &settings).await.expect("a service");

    let fixture = Fixture::new(Arc::clone(&backends.store), ());
    let mut limit = Duration::MAX;
    for _ in 0..ROUNDS {
        let specs: Vec<JobSpec> = (0..JOBS).map(specification).collect();
        let started = Instant::now();
        fixture.batch(UserId::new(), specs).await;
        limit = limit.min(started.elapsed());
    }
    println!("limit: {JOBS} jobs by the store alone, the best of {ROUNDS}: {limit:.2?}");

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let api = format!("http://{}/api/v1", listener.local_addr().expect("an address"));
    let stop = CancellationToken::new();
    let listeners = listener.try_into().expect("listeners");
    let serving = tokio::spawn(jobrunner_server::serve(listeners, service, stop.clone()));
    let http = reqwest::Client::new();
    let form = [("username", settings.admin_email.as_str()), ("password", PASSWORD)];
    let token = http.post(format!("{api}/auth/token")).form(&form).send().await;
    let token: Value = token.expect("an answer").json().await.expect("JSON");
    let token = token["access_token"].as_str().expect("a token");

    let jobs: Vec<Value> = (0..JOBS).map(member).collect();
    let body = serde_json::to_vec(&json!({"name": "nightly", "jobs": jobs})).expect("JSON");
    for round in 1..=ROUNDS {
        let request = http.post(format!("{api}/job-batches")).bearer_auth(token);
        let request = request.header("Content-Type", "application/json").body(body.clone());
        let started = Instant::now();
        let answer = request.send().await.expect("an answer");
        let took = started.elapsed();
        assert_eq!(answer.status(), 202);
        let ratio = took.as_secs_f64() / limit.as_secs_f64();
        println!(
            "batch {round} of {JOBS} through the API, {} bytes: {took:.2?}, {ratio:.1} × the limit",
            body.len()
        );
    }
    stop.cancel();
    serving.await.expect("it ended").expect("it ended well");
}

fn command(n: usize) -> [String; 5] {
    ["python3", "-m", "pytest", "-x", &format!("tests/test_{n}.py")].map(str::to_owned)
}

fn specification(n: usize) -> JobSpec {
    JobSpec { command: command(n).into(), ..spec(&format!("test {n}")) }
}

fn member(n: usize) -> Value {
    json!({"name": format!("test {n}"), "command": command(n)})
}
