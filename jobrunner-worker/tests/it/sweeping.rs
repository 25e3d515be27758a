use std::process::{Command, Stdio};

use jobrunner_core::{JobId, testkit::wait_until};
use jobrunner_worker::sweep_leftovers;

use crate::site::{alive, wait_until_dead};

/// A tree of three processes, one of which left its session.
fn leave_behind(job: JobId) {
    let status = Command::new("sh")
        .args(["-c", "trap '' TERM; setsid sleep 60 & sleep 60 & sleep 60 &"])
        .env("JOBRUNNER_JOB_ID", job.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("a shell").success());
}

#[tokio::test]
async fn p9_a_sweep_kills_the_processes_of_the_given_jobs_and_no_others() {
    let (lost, other) = (JobId::new(), JobId::new());
    leave_behind(lost);
    leave_behind(other);
    for job in [lost, other] {
        wait_until("the processes", || async { (alive(job).len() == 3).then_some(()) }).await;
    }

    assert_eq!(sweep_leftovers(&[JobId::new(), lost]).expect("a sweep"), 3);
    assert_eq!(alive(lost), [0; 0]);
    assert_eq!(alive(other).len(), 3);
    assert_eq!(sweep_leftovers(&[other]).expect("a sweep"), 3);
    wait_until_dead(other).await;
}

#[test]
fn a_sweep_of_nothing_finds_nothing() {
    assert_eq!(sweep_leftovers(&[]).expect("a sweep"), 0);
    assert_eq!(sweep_leftovers(&[JobId::new()]).expect("a sweep"), 0);
}
