use std::fs;

use serde_json::{Value, json};

use crate::service::{Service, until};

const ARGUMENTS: [&str; 3] = ["two words", "$(id)", "Grüße, 世界"];

pub(crate) fn member(n: usize) -> Value {
    let tag = format!("{n}");
    let command: Vec<&str> = match n % 5 {
        0 => vec!["true"],
        1 => vec!["sh", "-c", "echo failing; exit 3"],
        2 => vec!["sh", "-c", "echo \"out $1\"; echo \"err $1\" >&2", "sh", &tag],
        3 => vec!["printf", "%s\\n", ARGUMENTS[0], ARGUMENTS[1], ARGUMENTS[2]],
        _ => vec!["printf", "no newline"],
    };
    json!({"name": format!("test {n}"), "command": command})
}

pub(crate) fn output(n: usize) -> (String, String) {
    match n % 5 {
        0 => (String::new(), String::new()),
        1 => ("failing\n".to_owned(), String::new()),
        2 => (format!("out {n}\n"), format!("err {n}\n")),
        3 => (ARGUMENTS.map(|argument| format!("{argument}\n")).concat(), String::new()),
        _ => ("no newline".to_owned(), String::new()),
    }
}

#[tokio::test]
async fn a_batch_of_500_real_commands_ends_with_exact_counts_logs_and_codes_and_is_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 4).await;
    let jobs: Vec<Value> = (0..500).map(member).collect();
    let (status, batch) = service.post("/job-batches", &json!({"name": "b", "jobs": jobs})).await;
    assert_eq!(status, 202, "{batch}");
    let path = format!("/job-batches/{}", batch["id"].as_str().expect("an id"));
    let ended = service.ended(&path).await;
    let expected = json!({"total": 500, "waiting": 0, "running": 0, "passed": 400, "failed": 100,
        "canceled": 0});
    assert_eq!((&ended["status"], &ended["counts"]), (&json!("failed"), &expected));
    assert_eq!(service.get("/jobs/stats").await, expected);

    let members = service.get(&format!("{path}/jobs?limit=1000")).await;
    let members = members["items"].as_array().expect("a list");
    assert_eq!(members.len(), 500);
    for (n, job) in members.iter().rev().enumerate() {
        assert_eq!(job["name"], format!("test {n}"));
        let failing = n % 5 == 1;
        assert_eq!(job["status"], if failing { "failed" } else { "passed" }, "{job}");
        assert_eq!(job["result"]["exit_code"], if failing { 3 } else { 0 });
        let id = job["id"].as_str().expect("an id");
        let (stdout, stderr) = output(n);
        assert_eq!(service.bytes(&format!("/jobs/{id}/logs/stdout")).await, stdout.as_bytes());
        let logs = service.get(&format!("/jobs/{id}/logs")).await;
        assert_eq!((&logs["stdout"], &logs["stderr"]), (&json!(stdout), &json!(stderr)));
        assert_eq!((&logs["complete"], &logs["truncated"]), (&json!(true), &json!(false)));
    }
    let failed = service.get(&format!("{path}/jobs?status=failed&limit=1000")).await;
    assert_eq!(failed["items"].as_array().expect("a list").len(), 100);
    let named = service.get("/jobs?name=test+7").await;
    assert_eq!(named["items"].as_array().expect("a list").len(), 1);

    service.kill();
    let service = Service::start(directory.path(), 4).await;
    assert_eq!(service.get(&path).await, ended);
    assert_eq!(service.get("/jobs/stats").await, expected);
    let again = service.get(&format!("{path}/jobs?limit=1000")).await;
    assert_eq!(again["items"].as_array().expect("a list"), members);
}

#[tokio::test]
async fn priority_10_goes_ahead_of_a_backlog_and_a_cancel_ends_what_runs_and_what_waits() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let gate = directory.path().join("gate");
    let ledger = directory.path().join("ledger");
    let wait = format!("while ! test -e {}; do sleep 0.05; done", gate.display());
    let blocker = service.job("blocker", &["sh", "-c", &wait], Value::Null).await;
    service.until(&format!("/jobs/{blocker}"), "status", &json!("running")).await;
    let note = format!("echo \"$1\" >> {}", ledger.display());
    let mut waiting = Vec::new();
    for n in 0..10 {
        let tag = n.to_string();
        waiting.push(service.job("backlog", &["sh", "-c", &note, "sh", &tag], Value::Null).await);
    }
    let urgent = ["sh", "-c", &note, "sh", "urgent"];
    service.job("urgent", &urgent, json!({"priority": 10})).await;
    let (_, canceled) = service.post(&format!("/jobs/{}/cancel", waiting[3]), &Value::Null).await;
    assert_eq!(canceled["status"], "canceled");
    fs::write(&gate, "").expect("written");
    for id in &waiting {
        service.ended(&format!("/jobs/{id}")).await;
    }
    let ran = fs::read_to_string(&ledger).expect("a ledger");
    assert_eq!(
        ran.lines().collect::<Vec<_>>(),
        ["urgent", "0", "1", "2", "4", "5", "6", "7", "8", "9"]
    );

    let running = service.job("sleeper", &["sleep", "300"], Value::Null).await;
    let path = format!("/jobs/{running}");
    service.until(&path, "status", &json!("running")).await;
    service.post(&format!("{path}/cancel"), &Value::Null).await;
    let ended = service.ended(&path).await;
    assert_eq!(
        (&ended["status"], &ended["result"]["reason"]),
        (&json!("canceled"), &json!("canceled"))
    );
}

#[tokio::test]
async fn what_ran_when_the_process_was_killed_is_run_again_as_worker_lost() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 2).await;
    let pids = directory.path().join("pids");
    let script = format!(
        "echo $$ >> {}; if test $JOBRUNNER_ATTEMPT = 1; then exec sleep 300; fi",
        pids.display()
    );
    let job = json!({"name": "long", "command": ["sh", "-c", script]});
    let (_, batch) = service.post("/job-batches", &json!({"name": "b", "jobs": [job, job]})).await;
    let path = format!("/job-batches/{}", batch["id"].as_str().expect("an id"));
    let lines = || fs::read_to_string(&pids).unwrap_or_default().lines().count();
    until("both to run", || lines() == 2).await;
    let first = fs::read_to_string(&pids).expect("pids");
    service.kill();

    let service = Service::start(directory.path(), 2).await;
    let ended = service.ended(&path).await;
    assert_eq!((&ended["status"], &ended["counts"]["passed"]), (&json!("passed"), &json!(2)));
    for pid in first.lines() {
        assert!(!is_alive(pid), "{pid} was left running");
    }
    let members = service.get(&format!("{path}/jobs")).await;
    for job in members["items"].as_array().expect("a list") {
        let id = job["id"].as_str().expect("an id");
        let attempts = service.get(&format!("/jobs/{id}/attempts")).await;
        let reasons: Vec<_> =
            (0..2).map(|n| attempts["items"][n]["result"]["reason"].clone()).collect();
        assert_eq!(reasons, [json!("worker_lost"), Value::Null], "{attempts}");
    }
}

/// A zombie that nobody has collected yet is dead, too.
fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[tokio::test]
async fn a_data_directory_serves_one_process_at_a_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let _service = Service::start(directory.path(), 0).await;
    let second = std::process::Command::new(crate::service::BINARY)
        .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(directory.path())
        .output()
        .expect("a process");
    assert_eq!(second.status.code(), Some(75));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another jobrunner (process "), "{said}");
    assert!(said.contains("choose another --data-dir"), "{said}");
}
