//! Lists: their columns, their filters, and their two other shapes.

use serde_json::{Value, json};

use crate::{
    client::{command, jobrunner, text},
    service::{EMAIL, PASSWORD, Service},
};

#[tokio::test]
async fn lists_show_whose_what_and_why_within_the_width_of_the_terminal() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let run = |columns: &str, arguments: &[&str]| {
        let mut listed = command(home.path(), &service.url, arguments);
        let ended = listed.env("COLUMNS", columns).output().expect("a process");
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {}", text(&ended.stderr));
        text(&ended.stdout)
    };
    run("80", &["login", "--email", EMAIL]);
    let jobs = json!([
        {"name": "missing", "command": ["no-such-program-anywhere"]},
        {"name": format!("long {}", "name ".repeat(30)), "command": ["sh", "-c", "exit 3"]},
    ]);
    let batch = json!({"name": "a suite of some length", "jobs": jobs});
    let (status, batch) = service.post("/job-batches", &batch).await;
    assert_eq!(status, 202, "{batch}");
    service.ended(&format!("/job-batches/{}", batch["id"].as_str().expect("an id"))).await;
    service.job("single", &["true"], json!({"queue": "slow"})).await;

    let wide = run("400", &["jobs", "list"]);
    let heading = wide.lines().next().expect("a heading");
    let columns: Vec<&str> = heading.split_whitespace().collect();
    assert_eq!(columns, ["ID", "NAME", "STATUS", "BATCH", "OWNER", "QUEUE", "TOOK", "AGE", "WHY"]);
    assert!(wide.contains("a suite of some length") && wide.contains(EMAIL), "{wide}");
    assert!(wide.contains("slow") && wide.contains("exited with code 3"), "{wide}");
    let missing = wide.lines().find(|row| row.contains("missing")).expect("a row");
    assert!(missing.contains("not found") && !missing.contains("PATH"), "{missing}");

    for (width, arguments) in [
        (80, &["jobs", "list"][..]),
        (60, &["jobs", "list"]),
        (80, &["batch", "list"]),
        (50, &["batches", "ls"]),
        (80, &["audit", "list"]),
        (40, &["users", "list"]),
        (80, &["workers", "list"]),
        (40, &["queues", "list"]),
        (60, &["jobs", "list", "--columns", "id,command,created"]),
    ] {
        let shown = run(&width.to_string(), arguments);
        for line in shown.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        assert!(shown.lines().count() > 1, "{arguments:?}: {shown}");
    }
    let chosen = run("400", &["jobs", "list", "--columns", "name,exit_code,REASON"]);
    assert!(chosen.starts_with("NAME"), "{chosen}");
    assert!(chosen.contains("3") && chosen.contains("spawn_failed"), "{chosen}");
    let refused = jobrunner(home.path(), &service.url, &["jobs", "list", "--columns", "colour"]);
    let said = text(&refused.stderr);
    assert_eq!((refused.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains("there are: id,name,status"), "{said}");
}

#[tokio::test]
async fn lists_are_of_one_owner_and_of_a_time_if_asked() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    let run = |arguments: &[&str]| {
        let ended = jobrunner(home.path(), &service.url, arguments);
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {}", text(&ended.stderr));
        text(&ended.stdout)
    };
    run(&["login", "--email", EMAIL]);
    let account = json!({"email": "ada@example.com", "password": PASSWORD, "role": "operator"});
    assert_eq!(service.post("/users", &account).await.0, 201);
    let token = service.token_of("ada@example.com").await;
    let job = json!({"name": "of ada", "command": ["true"]});
    let submitted = service.request_with(&token, reqwest::Method::POST, "/jobs").json(&job).send();
    assert_eq!(submitted.await.expect("an answer").status(), 202);
    let mine = service.job("mine", &["true"], Value::Null).await;

    assert_eq!(run(&["jobs", "list", "-q"]).lines().count(), 2, "admins see all");
    assert_eq!(run(&["jobs", "list", "-q", "--mine"]).trim(), mine);
    let of_ada = run(&["jobs", "list", "--owner", "Ada@example.com"]);
    assert!(of_ada.contains("of ada") && of_ada.contains("ada@example.com"), "{of_ada}");
    assert_eq!(of_ada.lines().count(), 2);
    assert!(run(&["jobs", "stats", "--owner", "ada@example.com"]).starts_with("1: 1 waiting"));
    assert!(run(&["jobs", "stats"]).starts_with("2: 2 waiting"));

    for (since, expected) in [("1h", 2), ("0s", 0), ("2020-01-01", 2), ("2100-01-01", 0)] {
        let listed = run(&["jobs", "list", "-q", "--since", since]);
        assert_eq!(listed.lines().count(), expected, "{since}");
    }
    let none = jobrunner(home.path(), &service.url, &["jobs", "list", "--status", "failed"]);
    assert!(text(&none.stdout).starts_with("ID  NAME") && text(&none.stdout).lines().count() == 1);
    assert_eq!(text(&none.stderr), "no jobs\n");
}

#[tokio::test]
async fn json_is_a_list_of_what_the_server_tells_and_ids_alone_are_whole() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    let run = |arguments: &[&str]| {
        let ended = jobrunner(home.path(), &service.url, arguments);
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {}", text(&ended.stderr));
        (text(&ended.stdout), text(&ended.stderr))
    };
    run(&["login", "--email", EMAIL]);
    assert_eq!(run(&["jobs", "list", "-o", "json"]).0, "[]\n");
    let jobs: Vec<Value> =
        (0..2300).map(|n| json!({"name": n.to_string(), "command": ["true"]})).collect();
    let (_, batch) = service.post("/job-batches", &json!({"name": "b", "jobs": jobs})).await;
    let id = batch["id"].as_str().expect("an id");
    let list = |text: &str| -> Vec<Value> { serde_json::from_str(text).expect("JSON") };

    let all = list(&run(&["jobs", "list", "--all", "-o", "json"]).0);
    assert_eq!(all.len(), 2300);
    let newest = service.get("/jobs?limit=2").await;
    assert_eq!(all[..2], newest["items"].as_array().expect("a list")[..]);
    assert_eq!(list(&run(&["job", "ls", "-n", "1500", "-o", "json"]).0).len(), 1500);
    let (ids, said) = run(&["jobs", "list", "-aq"]);
    assert_eq!((ids.lines().count(), &*said), (2300, ""));
    assert_eq!(ids.lines().next(), all[0]["id"].as_str());

    let shown: Value =
        serde_json::from_str(&run(&["batch", "show", id, "-o", "json"]).0).expect("JSON");
    assert_eq!((&shown["id"], &shown["counts"]["total"]), (&json!(id), &json!(2300)));
    assert_eq!(shown["jobs"].as_array().expect("jobs").len(), 2300);
    for (field, value) in [("failures", json!([])), ("causes", json!([])), ("reruns", json!([]))] {
        assert_eq!(shown[field], value, "{field}");
    }
    for arguments in [
        &["batches", "list", "-o", "json"][..],
        &["queue", "list", "-o", "json"],
        &["workers", "list", "-o", "json"],
        &["user", "list", "-o", "json"],
        &["audit", "list", "-o", "json"],
        &["config", "list", "-o", "json"],
        &["batch", "causes", id, "-o", "json"],
        &["batch", "timeline", id, "-o", "json"],
        &["jobs", "attempts", all[0]["id"].as_str().expect("an id"), "-o", "json"],
    ] {
        list(&run(arguments).0);
    }
    for arguments in [
        &["whoami", "-o", "json"][..],
        &["jobs", "stats", "-o", "json"],
        &["jobs", "show", all[0]["id"].as_str().expect("an id"), "-o", "json"],
        &["jobs", "logs", all[0]["id"].as_str().expect("an id"), "-o", "json"],
        &["jobs", "repro", all[0]["id"].as_str().expect("an id"), "-o", "json"],
        &["submit", "-o", "json", "--", "true"],
        &["login", "--email", EMAIL, "-o", "json"],
        &["cancel", "--mine", "-o", "json"],
    ] {
        let shown: Value = serde_json::from_str(&run(arguments).0).expect("JSON");
        assert!(shown.is_object(), "{arguments:?}: {shown}");
    }
}
