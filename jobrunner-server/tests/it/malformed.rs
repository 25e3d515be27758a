use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;

fn deep(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

fn job(field: &str, value: &str) -> String {
    let mut fields = vec![("name", "\"j\""), ("command", "[\"true\"]")];
    fields.retain(|(name, _)| *name != field);
    fields.push((field, value));
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

fn batch(jobs: &str) -> String {
    format!("{{\"name\":\"b\",\"jobs\":{jobs}}}")
}

/// No type or option of a library is in a message.
fn assert_plain(problem: &Value) {
    const WORDS: [&str; 18] = [
        "struct", "enum", "untagged", "serde", "Option", "NewJob", "NewBatch", "Retry", "RawValue",
        "u8", "u16", "u32", "u64", "i32", "i64", "f64", "usize", "integer_",
    ];
    let text = problem.to_string();
    // Jobs have a field of that name.
    assert!(!["unknown variant", "any variant"].iter().any(|it| text.contains(it)), "{text}");
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let found = words.find(|word| WORDS.contains(word) || word.contains("::"));
    assert_eq!(found, None, "{problem}");
}

/// Sends every body to a route and checks that it is refused, that the field is named, and that
/// nothing is stored.
async fn refused(app: &TestApp, path: &str, cases: Vec<(String, &str)>) {
    for (body, field) in cases {
        let shown: String = body.chars().take(120).collect();
        let request = app.request(Method::POST, path, &app.admin);
        let sent = body.clone();
        let request = request.header("Content-Type", "application/json").body(body);
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let content_type = answer.headers()["content-type"].to_str().expect("ASCII").to_owned();
        let problem: Value = answer.json().await.expect("JSON");
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&sent).is_ok();
        let expected = if is_json { 422 } else { 400 };
        assert_eq!(status, expected, "{path} {shown}: {problem}");
        assert_plain(&problem);
        assert_eq!(content_type, "application/problem+json", "{shown}");
        assert_eq!(problem["status"], status, "{shown}");
        let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let named = errors.iter().any(|error| {
            let (name, message) = (&error["field"], &error["message"]);
            name.as_str().is_some_and(|name| name.contains(field))
                || message.as_str().is_some_and(|message| message.contains(field))
        });
        assert!(named, "{path} {shown}: {field} is not named in {problem}");
    }
    assert_eq!(app.stored().await, 0);
}

#[tokio::test]
async fn a_malformed_job_is_refused_by_field_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let large = format!("\"{}\"", "x".repeat(3_000_000));
    let cases = vec![
        ("not json".to_owned(), "body"),
        (String::new(), "body"),
        ("[]".to_owned(), "body"),
        ("null".to_owned(), "body"),
        (format!("{} x", job("name", "\"j\"")), "body"),
        (deep(100_000), "body"),
        ("{\"name\": \"j\"}".to_owned(), "command"),
        (job("payload", "{\"a\": [\"\\u0000\"]}"), "payload"),
        (job("scheduled_at", "\"-262143-01-01T00:00:00Z\""), "scheduled_at"),
        (job("payload", &format!("{{\"a\":{}1{}}}", "[".repeat(70), "]".repeat(70))), "payload"),
        (job("payload", &format!("{{\"a\":{}}}", deep(100_000))), "payload"),
        (job("colour", "1"), "colour"),
        (job("owner_id", "\"x\""), "owner_id"),
        (job("status", "\"passed\""), "status"),
        ("{\"name\":\"j\",\"name\":\"k\",\"command\":[\"true\"]}".to_owned(), "name"),
        ("{\"name\":\"j\"}".to_owned(), "command"),
        (job("name", "\"\""), "name"),
        (job("name", "7"), "name"),
        (job("name", "\"a\\u0000b\""), "name"),
        (job("name", "\"\\ud800\""), "name"),
        (job("name", &format!("\"{}\"", "n".repeat(256))), "name"),
        (job("command", "[]"), "command"),
        (job("command", "\"true\""), "command"),
        (job("command", "[\"true\",7]"), "command[1]"),
        (job("command", "[\"\"]"), "command"),
        (job("command", "[\"a\\u0000b\"]"), "command[0]"),
        (job("command", &format!("[\"echo\",{large}]")), "command[1]"),
        (job("env", "[]"), "env"),
        (job("env", "{\"A\":1}"), "env.A"),
        (job("env", "{\"A=B\":\"x\"}"), "A=B"),
        (job("env", "{\"JOBRUNNER_JOB_ID\":\"x\"}"), "env.JOBRUNNER_JOB_ID"),
        (job("env", "{\"A\":\"x\\u0000\"}"), "env.A"),
        (job("payload", "7"), "payload"),
        (job("queue", "\"a b\""), "queue"),
        (job("priority", "11"), "priority"),
        (job("priority", "-1"), "priority"),
        (job("priority", "1.5"), "priority"),
        (job("timeout_seconds", "0"), "timeout_seconds"),
        (job("timeout_seconds", "18446744073709551616"), "timeout_seconds"),
        (job("max_attempts", "0"), "max_attempts"),
        (job("scheduled_at", "\"tomorrow\""), "scheduled_at"),
        (job("scheduled_at", "\"+10000-01-01T00:00:00Z\""), "scheduled_at"),
        (job("inputs", "[\"relative\"]"), "inputs[0]"),
        (job("working_dir", "\"relative\""), "working_dir"),
    ];
    refused(&app, "/jobs", cases).await;
    app.stop().await;
}

#[tokio::test]
async fn a_body_of_another_type_is_refused_by_field_with_what_is_expected() {
    let app = TestApp::start().await;
    let nobody = "/users/0198c6f0-1234-7abc-8def-0123456789ab";
    let rerun = "/job-batches/0198c6f0-1234-7abc-8def-0123456789ab/rerun";
    let user =
        |role: &str| format!(r#"{{"email":"a@b.example","password":"long enough","role":{role}}}"#);
    let cases = [
        (Method::POST, rerun, r#"{"only":null}"#.to_owned(), "only", "one of failed, all"),
        (Method::POST, rerun, r#"{"only":1e400}"#.to_owned(), "only", "must be"),
        (Method::POST, rerun, r#"{"only":{"all":null}}"#.to_owned(), "only", "one of failed, all"),
        (Method::POST, rerun, r#"{"only":"some"}"#.to_owned(), "only", "one of failed, all"),
        (Method::POST, rerun, r#"{"only":"all","only":"all"}"#.to_owned(), "only", "twice"),
        (Method::POST, rerun, r#"[]"#.to_owned(), "body", "an object, not a list"),
        (Method::POST, rerun, "7".to_owned(), "body", "an object, not 7"),
        (Method::POST, "/users", user("5"), "role", "one of admin, operator, viewer"),
        (Method::POST, "/users", user("null"), "role", "one of admin, operator, viewer"),
        (Method::POST, "/users", user("[\"admin\"]"), "role", "one of admin, operator, viewer"),
        (
            Method::POST,
            "/users",
            user("{\"admin\":null}"),
            "role",
            "one of admin, operator, viewer",
        ),
        (Method::POST, "/users", user("\"root\""), "role", "one of admin, operator, viewer"),
        (Method::PATCH, nobody, r#"{"is_active":"yes"}"#.to_owned(), "is_active", "true or false"),
        (
            Method::PATCH,
            nobody,
            r#"{"max_running_jobs":-1}"#.to_owned(),
            "max_running_jobs",
            "from 0 to 4294967295",
        ),
        (
            Method::PATCH,
            nobody,
            r#"{"max_running_jobs":1e400}"#.to_owned(),
            "max_running_jobs",
            "smaller",
        ),
        (Method::PATCH, nobody, r#"{"password":5}"#.to_owned(), "password", "a string, not"),
        (Method::PATCH, "/queues/default", r#"{"weight":"1"}"#.to_owned(), "weight", "a number"),
        (Method::PATCH, "/queues/default", r#"{"weight":null}"#.to_owned(), "weight", "not null"),
        (
            Method::PATCH,
            "/queues/default",
            r#"{"paused":0}"#.to_owned(),
            "paused",
            "true or false, not 0",
        ),
        (Method::POST, "/jobs", job("name", "null"), "name", "a string, not null"),
        (Method::POST, "/jobs", job("command", "{}"), "command", "a list, not an object"),
        (
            Method::POST,
            "/jobs",
            job("command", "[\"a\",[\"b\"]]"),
            "command[1]",
            "a string, not a list",
        ),
        (Method::POST, "/jobs", job("priority", "256"), "priority", "from 0 to 255, not 256"),
        (Method::POST, "/jobs", job("timeout_seconds", "1e400"), "timeout_seconds", "smaller"),
        (Method::POST, "/jobs", job("payload", "{\"a\":[1e400]}"), "payload.a[0]", "smaller"),
        (Method::POST, "/jobs", job("payload", "{\"a\":1,\"a\":2}"), "payload", "has \"a\" twice"),
        (Method::POST, "/jobs", job("env", "{\"A\":\"1\",\"A\":\"2\"}"), "env", "has \"A\" twice"),
        (Method::POST, "/jobs", job("env", "null"), "env", "an object, not null"),
        (Method::POST, "/jobs", job("retry", "[[],1,1]"), "retry", "an object, not a list"),
        (
            Method::POST,
            "/jobs",
            job("retry", "{\"on\":[null]}"),
            "retry.on[0]",
            "an exit code, 1 to 255, or one of",
        ),
        (
            Method::POST,
            "/jobs",
            job("retry", "{\"on\":[1.5]}"),
            "retry.on[0]",
            "an exit code, 1 to 255, or one of",
        ),
        (
            Method::POST,
            "/jobs",
            job("retry", "{\"on\":[\"panic\"]}"),
            "retry.on[0]",
            "an exit code, 1 to 255, or one of",
        ),
        (Method::POST, "/jobs", job("retry", "{\"backoff\":\"2\"}"), "retry.backoff", "a number"),
        (
            Method::POST,
            "/jobs",
            job("retry", "{\"often\":2}"),
            "retry.often",
            "is unknown: there are on, delay_seconds, backoff",
        ),
        (
            Method::POST,
            "/jobs",
            job("scheduled_at", "\"tomorrow\""),
            "scheduled_at",
            "a time as in RFC 3339",
        ),
        (
            Method::POST,
            "/jobs",
            job("scheduled_at", "1700000000"),
            "scheduled_at",
            "a time as in RFC 3339",
        ),
        (Method::POST, "/jobs", job("name", "\"\\ud800\""), "name", "stands for no character"),
        (Method::POST, "/job-batches", batch("null"), "jobs", "a list of jobs, not null"),
        (Method::POST, "/job-batches", batch("[null]"), "jobs[0]", "an object, not null"),
        (Method::POST, "/job-batches", batch("[[]]"), "jobs[0]", "an object, not a list"),
        (
            Method::POST,
            "/job-batches",
            batch(&format!("[{}]", job("priority", "1e400"))),
            "jobs[0].priority",
            "smaller",
        ),
    ];
    for (method, path, body, field, message) in cases {
        let request = app.request(method, path, &app.admin).body(body.clone());
        let (status, problem) = app.json(request.header("Content-Type", "application/json")).await;
        assert_eq!(
            (status, &problem["errors"][0]["field"]),
            (422, &json!(field)),
            "{body}: {problem}"
        );
        let told = problem["errors"][0]["message"].as_str().expect("a sentence");
        assert!(told.contains(message), "{body}: {told}");
        assert_plain(&problem);
    }
    for no_json in [
        "",
        "{",
        "{\"only\":}",
        "nul",
        "{'only':'all'}",
        "{\"only\":\"all\"} x",
        "{\"only\":01}",
        "\u{feff}{}",
    ] {
        let request = app.request(Method::POST, rerun, &app.admin).body(no_json);
        let (status, problem) = app.json(request.header("Content-Type", "application/json")).await;
        assert_eq!(status, 400, "{no_json}: {problem}");
        assert_plain(&problem);
    }
    app.stop().await;
}

#[tokio::test]
async fn names_of_nothing_that_can_be_seen_are_refused() {
    let app = TestApp::start().await;
    let invisible = [
        " ",
        "\u{a0}",
        "\u{3000}",
        "\u{200b}",
        "\u{200e}\u{202e}",
        "\u{fe0f}",
        "\u{3164}",
        "\u{115f}",
        "\u{2800}",
        "\u{e0041}\u{e007f}",
        "\u{ad}",
        "\u{feff}",
        " \u{2060} \u{180e}",
    ];
    let quoted = |name: &str| format!("\"{name}\"");
    let jobs = invisible.iter().map(|name| (job("name", &quoted(name)), "name"));
    refused(&app, "/jobs", jobs.collect()).await;
    let good = job("name", "\"j\"");
    let batches =
        invisible.iter().map(|name| (format!("{{\"name\":\"{name}\",\"jobs\":[{good}]}}"), "name"));
    refused(&app, "/job-batches", batches.collect()).await;
    let members = invisible
        .iter()
        .map(|name| (batch(&format!("[{}]", job("name", &quoted(name)))), "jobs[0].name"));
    refused(&app, "/job-batches", members.collect()).await;
    let queues = invisible.iter().map(|name| (job("queue", &quoted(name)), "queue"));
    refused(&app, "/jobs", queues.collect()).await;
    let users = invisible.iter().map(|name| {
        (format!("{{\"email\":\"a{name}b@x.example\",\"password\":\"long enough it is\",\"role\":\"viewer\"}}"), "email")
    });
    refused(&app, "/users", users.collect()).await;
    app.stop().await;
}

#[tokio::test]
async fn a_malformed_batch_is_refused_by_field_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let good = job("name", "\"j\"");
    let many = |n: usize| format!("[{}]", vec![good.as_str(); n].join(","));
    let mut seventeen = vec![good.clone(); 17];
    seventeen.push(job("command", "[]"));
    let mut wrong_type = vec![good.clone(); 3];
    wrong_type.push("5".to_owned());
    let cases = vec![
        ("{".to_owned(), "body"),
        (batch("[]"), "jobs"),
        (batch("{}"), "jobs"),
        (batch(&many(100_001)), "jobs"),
        (batch(&format!("[{}]", seventeen.join(","))), "jobs[17].command"),
        (batch(&format!("[{}]", wrong_type.join(","))), "jobs[3]"),
        (batch(&format!("[{}]", job("colour", "1"))), "jobs[0]"),
        (batch(&format!("[{good},{}]", job("payload", &deep(100_000)))), "jobs"),
        ("{\"name\":\"b\"}".to_owned(), "jobs"),
        (format!("{{\"name\":\"\",\"jobs\":[{good}]}}"), "name"),
        (format!("{{\"name\":\"b\",\"owner_id\":1,\"jobs\":[{good}]}}"), "owner_id"),
    ];
    refused(&app, "/job-batches", cases).await;
    app.stop().await;
}

#[tokio::test]
async fn directories_outside_the_allowed_ones_are_refused() {
    let outer = tempfile::tempdir().expect("a directory");
    let allowed = outer.path().join("allowed");
    for directory in [&allowed, &outer.path().join("allowed-evil")] {
        std::fs::create_dir(directory).expect("made");
    }
    std::os::unix::fs::symlink(outer.path(), allowed.join("out")).expect("a link");
    let root = allowed.to_str().expect("UTF-8");
    let app = TestApp::with(&[("ALLOWED_WORKDIRS", root)]).await;
    let quoted = |path: String| format!("\"{path}\"");
    let evil = [
        "/etc".to_owned(),
        format!("{root}/../allowed-evil"),
        format!("{root}-evil"),
        format!("{root}/out"),
        format!("{root}/out/allowed-evil"),
        "/proc/self/root".to_owned(),
    ];
    let jobs = evil.iter().map(|path| (job("working_dir", &quoted(path.clone())), "working_dir"));
    refused(&app, "/jobs", jobs.collect()).await;
    let input =
        |path: &String| (job("inputs", &format!("[{}]", quoted(path.clone()))), "inputs[0]");
    refused(&app, "/jobs", evil.iter().map(input).collect()).await;
    let member = |path: &String| job("working_dir", &quoted(path.clone()));
    let batches =
        evil.iter().map(|path| (batch(&format!("[{}]", member(path))), "jobs[0].working_dir"));
    refused(&app, "/job-batches", batches.collect()).await;
    let fine = json!({"name": "j", "command": ["true"], "working_dir": root});
    let request = app.request(Method::POST, "/jobs", &app.admin).json(&fine);
    assert_eq!(app.json(request).await.0, 202);
    assert!(app.directory().exists());
    app.stop().await;
}

#[tokio::test]
async fn parameters_out_of_range_are_named() {
    let app = TestApp::start().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=1001", "limit"),
        ("limit=2147483648", "limit"),
        ("limit=9223372036854775808", "limit"),
        ("cursor=x", "cursor"),
        ("status=Passed", "status"),
        ("reason=nonsense", "reason"),
        ("sort=longest", "sort"),
        ("sort=name", "sort"),
        ("batch_id=1", "batch_id"),
        ("owner_id=%20", "owner_id"),
    ] {
        let request = app.request(Method::GET, &format!("/jobs?{query}"), &app.admin);
        let (status, problem) = app.json(request).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!(field)), "{query}");
        assert_plain(&problem);
    }
    for (query, message) in [
        ("/jobs?limit=-1", "must be a whole number from 1 to 1000"),
        ("/jobs?batch_id=1", "must be an id, such as 0198c6f0-1234-7abc-8def-0123456789ab"),
        ("/jobs?status=Passed", "must be one of waiting, running, passed, failed, canceled"),
        ("/job-batches?status=", "must be one of waiting, running, passed, failed, canceled"),
        (
            "/jobs?sort=longest",
            "must be one of created_at, -created_at, name, -name, duration, -duration",
        ),
        ("/jobs?sort=name", "needs batch_id: it sorts the members of a batch"),
    ] {
        let problem = app.json(app.request(Method::GET, query, &app.admin)).await.1;
        assert_eq!(problem["errors"][0]["message"], message, "{query}");
    }
    let injected = app.request(Method::GET, "/jobs?name='%20OR%201=1--", &app.admin);
    assert_eq!(app.json(injected).await.1["items"], json!([]));
    app.stop().await;
}

#[tokio::test]
async fn bodies_of_other_types_and_sizes_are_refused_before_they_are_read() {
    let app = TestApp::start().await;
    let post = || app.request(Method::POST, "/jobs", &app.admin);
    let text = post().header("Content-Type", "text/plain").body(job("name", "\"j\""));
    assert_eq!(app.json(text).await.0, 415);
    assert_eq!(app.json(post().body(job("name", "\"j\""))).await.0, 415);
    let packed =
        post().header("Content-Type", "application/json").header("Content-Encoding", "gzip");
    assert_eq!(app.json(packed.body("x")).await.0, 415);
    let huge = vec![b' '; 9 << 20];
    let (status, problem) =
        app.json(post().header("Content-Type", "application/json").body(huge)).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (413, &json!("body")));
    let form = app.http.post(format!("{}/api/v1/auth/token", app.url)).json(&json!({}));
    assert_eq!(app.json(form).await.0, 415);
    assert_eq!(app.stored().await, 0);
    app.stop().await;
}

/// What is wrong with a request is told, not repeated.
#[tokio::test]
async fn p10_an_answer_does_not_grow_with_what_is_wrong_in_a_request() {
    let app = TestApp::start().await;
    let long = "z".repeat(3_000_000);
    for body in [format!("{{\"{long}\": 1}}"), format!("{{\"priority\": \"{long}\"}}")] {
        let request = app.request(Method::POST, "/jobs", &app.admin);
        let request = request.header("Content-Type", "application/json").body(body);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 422);
        assert!(answer.bytes().await.expect("a body").len() < 10_000);
    }
    app.stop().await;
}
