//! What is left when one of the two processes is killed: nothing.

use std::time::{Duration, Instant};

use jobrunner_core::{executor::processes, testkit::allowed};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::service::{Service, until};

/// How long what a command has started may be there after a kill.
const GONE_IN: Duration = Duration::from_secs(2);

/// A command that ignores being asked to end and leaves children behind in every way there is: in
/// its group, in a session of their own, with two parents gone between, and with an environment
/// that names no job. Each is a `sleep` for so many seconds.
fn tree(seconds: u32) -> String {
    format!(
        "trap '' TERM
         sleep {seconds} &
         (sleep {seconds} &)
         setsid sleep {seconds} &
         setsid sh -c '(setsid sh -c \"sleep {seconds} >/dev/null 2>&1 </dev/null & exit\" & exit) & exit'
         env -i setsid /bin/sh -c '(trap \"\" TERM; /bin/sleep {seconds} >/dev/null 2>&1 &) & exit'
         sleep {seconds}
         sleep {seconds}"
    )
}

/// How many of such a tree's processes there are besides the shell.
const SLEEPERS: usize = 6;

fn sleepers(seconds: u32) -> Vec<Pid> {
    let argument = format!("sleep\0{seconds}\0").into_bytes();
    let is_one = |process: &processes::Process| {
        let line = std::fs::read(format!("/proc/{}/cmdline", process.id.as_raw_pid()));
        line.is_ok_and(|line| line.ends_with(&argument))
    };
    processes::all()
        .expect("a table")
        .into_iter()
        .filter(is_one)
        .map(|process| process.id)
        .collect()
}

async fn start(directory: &std::path::Path, seconds: u32) -> Service {
    start_as(directory, seconds, &[]).await
}

async fn start_as(directory: &std::path::Path, seconds: u32, arguments: &[&str]) -> Service {
    let service = Service::start_as(directory, 2, arguments, &[]).await;
    service.job("tree", &["sh", "-c", &tree(seconds)], json!({})).await;
    until("the whole tree", || sleepers(seconds).len() == SLEEPERS).await;
    service
}

async fn all_gone_in_time(seconds: u32, since: Instant) {
    until("the tree to be gone", || sleepers(seconds).is_empty()).await;
    assert!(since.elapsed() < allowed(GONE_IN), "{:?}", since.elapsed());
}

#[tokio::test]
async fn p9_nothing_is_alive_two_seconds_after_the_runner_was_killed() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = start_as(directory.path(), 7_771, &["--no-restart"]).await;
    let killed = Instant::now();
    kill_process(service.runner(), Signal::KILL).expect("a runner");
    all_gone_in_time(7_771, killed).await;
    assert_eq!(service.ended_by_itself().await.code(), Some(128 + 9));
}

#[tokio::test]
async fn a_runner_that_leaves_unasked_is_replaced_until_the_supervisor_is_asked_to_end() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut service = Service::start_as(directory.path(), 2, &["--demo"], &[]).await;
    for signal in [Signal::KILL, Signal::TERM] {
        let before = service.runner();
        kill_process(before, signal).expect("a runner");
        service.comes_back().await;
        assert_ne!(service.runner(), before);
        let job = service.job("job", &["true"], json!({})).await;
        assert_eq!(service.ended(&format!("/jobs/{job}")).await["status"], "passed");
        let batches = service.get("/job-batches").await;
        let batches = batches["items"].as_array().expect("a list").len();
        assert_eq!(batches, 1, "the demo is submitted once");
    }
    kill_process(service.supervisor(), Signal::TERM).expect("a supervisor");
    assert_eq!(service.ended_by_itself().await.code(), Some(0));
}

#[tokio::test]
async fn a_runner_that_cannot_start_is_not_started_again() {
    let directory = tempfile::tempdir().expect("a directory");
    for arguments in [&["up", "--data-dir", "."][..], &["worker"][..]] {
        let output = std::process::Command::new(crate::service::BINARY)
            .args(arguments)
            .env_clear()
            .envs([("LEASE_SECONDS", "none"), ("HOME", "/nowhere")])
            .current_dir(directory.path())
            .output()
            .expect("a process");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert_eq!(said.matches("LEASE_SECONDS").count(), 1, "{said}");
    }
}

#[tokio::test]
async fn p9_nothing_is_alive_two_seconds_after_the_supervisor_was_killed() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = start(directory.path(), 7_772).await;
    let (supervisor, runner) = (service.supervisor(), service.runner());
    let killed = Instant::now();
    kill_process(supervisor, Signal::KILL).expect("a supervisor");
    all_gone_in_time(7_772, killed).await;
    let runner_ended = || processes::Process::read(runner).is_none_or(|process| process.is_zombie);
    until("the runner to end", runner_ended).await;
    assert!(killed.elapsed() < allowed(GONE_IN), "{:?}", killed.elapsed());
}

#[tokio::test]
async fn p6_a_cancel_ends_what_left_its_session_and_its_parents() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start_with(directory.path(), 2, &[("KILL_GRACE_SECONDS", "1")]).await;
    let job = service.job("tree", &["sh", "-c", &tree(7_773)], json!({})).await;
    until("the whole tree", || sleepers(7_773).len() == SLEEPERS).await;
    service.post(&format!("/jobs/{job}/cancel"), &json!({})).await;
    let canceled = Instant::now();
    let ended = service.ended(&format!("/jobs/{job}")).await;
    assert_eq!(ended["status"], "canceled");
    // What P6 allows: the grace and five seconds. Nothing of it is alive when the job has ended.
    assert!(canceled.elapsed() < allowed(Duration::from_secs(1 + 5)), "{:?}", canceled.elapsed());
    assert_eq!(sleepers(7_773), []);
}

#[tokio::test]
async fn what_a_command_left_behind_ends_with_it_and_other_jobs_keep_theirs() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 2).await;
    let staying = "setsid sh -c '(sleep 7775 >/dev/null 2>&1 &) & exit'; until test -e go; do sleep 0.02; done";
    let staying = service.job("staying", &["sh", "-c", staying], json!({})).await;
    until("its daemon", || sleepers(7_775).len() == 1).await;

    let leaving = "setsid sh -c '(sleep 7776 >/dev/null 2>&1 &) & exit'; until test -e left; do sleep 0.02; done";
    let leaving = service.job("leaving", &["sh", "-c", leaving], json!({})).await;
    until("its daemon, too", || sleepers(7_776).len() == 1).await;
    std::fs::write(directory.path().join("left"), "").expect("a file");
    assert_eq!(service.ended(&format!("/jobs/{leaving}")).await["status"], "passed");
    assert_eq!(sleepers(7_776), []);
    assert_eq!(sleepers(7_775).len(), 1);

    std::fs::write(directory.path().join("go"), "").expect("a file");
    assert_eq!(service.ended(&format!("/jobs/{staying}")).await["status"], "passed");
    assert_eq!(sleepers(7_775), []);
}

#[tokio::test]
async fn orphans_that_have_ended_are_reaped_while_their_job_goes_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let script = "for i in $(seq 200); do (true &); done; until test -e go; do sleep 0.02; done";
    let job = service.job("orphans", &["sh", "-c", script], json!({})).await;
    service.until(&format!("/jobs/{job}"), "status", &json!("running")).await;
    let runner = service.runner();
    let zombies = || {
        let children = processes::descendants(runner).expect("a table");
        children.iter().filter(|process| process.is_zombie).count()
    };
    until("all to be started and reaped", || {
        // The shell of the job and the sleep that it waits for are all that is left.
        let children = processes::descendants(runner).expect("a table").len();
        children == 2 && zombies() == 0
    })
    .await;
    std::fs::write(directory.path().join("go"), "").expect("a file");
    assert_eq!(service.ended(&format!("/jobs/{job}")).await["status"], "passed");
}

#[tokio::test]
async fn a_second_signal_ends_a_drain_and_everything_with_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = start(directory.path(), 7_777).await;
    let supervisor = service.supervisor();
    kill_process(supervisor, Signal::TERM).expect("a supervisor");
    // It drains, for 30 seconds: what runs goes on.
    let addresses_are_closed = || std::net::TcpStream::connect(service.address()).is_err();
    until("the drain to begin", addresses_are_closed).await;
    assert_eq!(sleepers(7_777).len(), SLEEPERS);
    // A second one sooner than 0.3 seconds after the first would be the same request.
    tokio::time::sleep(Duration::from_millis(400)).await;
    let killed = Instant::now();
    kill_process(supervisor, Signal::TERM).expect("a supervisor");
    all_gone_in_time(7_777, killed).await;
    assert_eq!(service.ended_by_itself().await.code(), Some(130));
}

#[tokio::test]
async fn p12_commands_gain_no_privileges_and_their_files_are_private_unless_it_is_set_otherwise() {
    let directory = tempfile::tempdir().expect("a directory");
    let script = ["sh", "-c", "umask; grep NoNewPrivs /proc/self/status"];
    for (settings, mask) in [(&[][..], "0077"), (&[("JOB_UMASK", "027")][..], "0027")] {
        let data = directory.path().join(mask);
        std::fs::create_dir(&data).expect("a directory");
        let service = Service::start_with(&data, 1, settings).await;
        let job = service.job("looks", &script, json!({})).await;
        assert_eq!(service.ended(&format!("/jobs/{job}")).await["status"], "passed");
        let told = service.bytes(&format!("/jobs/{job}/logs/stdout")).await;
        assert_eq!(String::from_utf8_lossy(&told), format!("{mask}\nNoNewPrivs:\t1\n"));
    }
}
