//! What shells complete, and the pages of the manual.

use std::{path::Path, process::Command};

use serde_json::json;

use crate::{
    client::{command, jobrunner, text},
    service::{EMAIL, Service},
};

/// What a shell is offered for the last of these words.
fn offered(home: &Path, server: &str, words: &[&str]) -> Vec<String> {
    let line = [&["--", "jobrunner"], words].concat();
    let mut asked = command(home, server, &line);
    let asked = asked
        .env("JOBRUNNER_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .env("_CLAP_COMPLETE_COMP_TYPE", "9")
        .env("_CLAP_COMPLETE_SPACE", "true")
        .env("_CLAP_IFS", "\n");
    let ended = asked.output().expect("a process");
    assert!(ended.status.success() && ended.stderr.is_empty(), "{}", text(&ended.stderr));
    // Options are offered beside them.
    let printed = text(&ended.stdout);
    printed.lines().filter(|word| !word.starts_with('-')).map(str::to_owned).collect()
}

#[tokio::test]
async fn ids_and_names_are_completed_from_the_server() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    let words = |words: &[&str]| offered(home.path(), &service.url, words);
    assert!(words(&["jobs", "show", ""]).is_empty(), "not signed in, and nothing is said");
    let login = jobrunner(home.path(), &service.url, &["login", "--email", EMAIL]);
    assert_eq!(login.status.code(), Some(0));
    let jobs = json!([{"name": "j", "command": ["true"], "queue": "slow"}]);
    let (_, batch) = service.post("/job-batches", &json!({"name": "nightly", "jobs": jobs})).await;
    // What would be a command of its own in a shell is not put there.
    let named = json!({"name": "$(reboot)", "jobs": [{"name": "j", "command": ["true"]}]});
    assert_eq!(service.post("/job-batches", &named).await.0, 202);
    assert!(!words(&["batch", "show", ""]).iter().any(|word| word.contains('$')));
    let id = batch["id"].as_str().expect("an id");
    let jobs = format!("/jobs?batch_id={id}");
    let job = service.get(&jobs).await["items"][0]["id"].as_str().expect("an id").to_owned();

    assert!(words(&["ba"]).contains(&"batch".to_owned()), "{:?}", words(&["ba"]));
    assert_eq!(words(&["batch", "show", "nig"]), ["nightly"]);
    assert_eq!(words(&["batch", "show", "@"]), ["@last"]);
    assert_eq!(words(&["batch", "show", &id[28..32]]), [&id[28..]]);
    assert_eq!(words(&["jobs", "logs", &job[28..30]]), [&job[28..]]);
    assert_eq!(words(&["queues", "pause", "s"]), ["slow"]);
    assert_eq!(words(&["jobs", "list", "--queue", "s"]), ["slow"]);
    assert!(offered(home.path(), "http://127.0.0.1:9", &["batch", "show", ""]).is_empty());
    let named = ["batch", "--server", &service.url, "show", "nig"];
    assert_eq!(offered(home.path(), "http://127.0.0.1:9", &named), ["nightly"]);
}

#[test]
fn every_shell_gets_a_script_that_it_understands() {
    let home = tempfile::tempdir().expect("a directory");
    for shell in ["bash", "zsh", "fish"] {
        let script = jobrunner(home.path(), "", &["completions", shell]);
        assert_eq!(script.status.code(), Some(0), "{}", text(&script.stderr));
        assert!(text(&script.stdout).contains("JOBRUNNER_COMPLETE"), "{shell}");
        if shell == "bash" {
            let file = home.path().join("completions");
            std::fs::write(&file, &script.stdout).expect("written");
            let sourced = Command::new("bash").arg("-n").arg(&file).output().expect("bash");
            assert!(sourced.status.success(), "{}", text(&sourced.stderr));
        }
    }
}

#[test]
fn each_command_has_a_page_in_the_manual() {
    let home = tempfile::tempdir().expect("a directory");
    let pages = home.path().join("a/man1");
    let directory = pages.to_str().expect("UTF-8");
    let written = jobrunner(home.path(), "", &["man", directory]);
    assert_eq!(written.status.code(), Some(0), "{}", text(&written.stderr));
    for page in ["jobrunner.1", "jobrunner-batch-show.1", "jobrunner-jobs-logs.1"] {
        let page = std::fs::read_to_string(pages.join(page)).expect(page);
        assert!(page.contains(".TH"), "{page}");
    }
    let page = std::fs::read_to_string(pages.join("jobrunner.1")).expect("the page");
    assert!(page.contains("gave up waiting") && page.contains("124"), "exit codes: {page}");
    let file = home.path().join("a file");
    std::fs::write(&file, "").expect("written");
    let below = file.join("man").display().to_string();
    assert_eq!(jobrunner(home.path(), "", &["man", &below]).status.code(), Some(73));
}
