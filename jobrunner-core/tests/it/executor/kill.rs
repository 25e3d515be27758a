use std::{sync::Arc, time::Duration};

use jobrunner_core::{
    Executor,
    attempt::Outcome,
    executor::{ProcessExecutor, Run, RunContext},
    job::Reason,
    testkit::allowed,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    Collected, GRACE, SHORT_GRACE, alive, executor, hasty, job, run, run_by, script, timed,
    wait_until,
};

/// What P7 allows beyond timeout and grace.
const SLACK: Duration = Duration::from_secs(2);

/// Enough for a shell to begin on any machine.
const BEGUN: u64 = 3;

fn with_timeout(seconds: u64, mut job: Run) -> Run {
    job.spec.timeout_seconds = seconds;
    job
}

struct Running {
    job: Run,
    stop: CancellationToken,
    output: Arc<Collected>,
    task: JoinHandle<Outcome>,
}

/// Starts a job and returns when it has written something.
async fn start(job: Run) -> Running {
    start_by(executor(), job).await
}

async fn start_by(executor: ProcessExecutor, job: Run) -> Running {
    let stop = CancellationToken::new();
    let output = Arc::new(Collected::default());
    let context = RunContext { stop: stop.clone(), output: Arc::clone(&output) as _ };
    let running = job.clone();
    let task = tokio::spawn(async move { executor.run(&running, context).await });
    wait_until("the command runs", || !output.is_empty()).await;
    Running { job, stop, output, task }
}

#[tokio::test]
async fn p7_a_timeout_ends_a_command_that_listens() {
    let job = with_timeout(1, job(["sleep", "60"]));
    let (ran, took) = timed(run(&job)).await;
    assert_eq!(ran.outcome.reason, Some(Reason::Timeout));
    assert_eq!(ran.outcome.signal.as_deref(), Some("SIGTERM"));
    assert_eq!(ran.error(), "was killed after its timeout of 1 s");
    assert!(took >= Duration::from_secs(1) && took < GRACE, "{took:?}");
    assert_eq!(alive(&job), [""; 0]);
}

#[tokio::test]
async fn p7_a_timeout_kills_a_whole_group_that_ignores_being_asked() {
    let tree = "trap '' TERM; (trap '' TERM; sleep 60 & wait) & echo up; sleep 61 & wait; wait";
    let job = with_timeout(BEGUN, script(tree));
    let (ran, took) = timed(run_by(&hasty(), &job)).await;
    assert_eq!(ran.outcome.reason, Some(Reason::Timeout));
    assert_eq!(ran.outcome.signal.as_deref(), Some("SIGKILL"));
    assert_eq!(ran.text(), "up\n");
    let due = Duration::from_secs(BEGUN) + SHORT_GRACE;
    assert!(took >= due && took < due + allowed(SLACK), "{took:?}");
    assert_eq!(alive(&job), [""; 0]);
}

#[tokio::test]
async fn p7_a_stopped_command_times_out_like_any_other() {
    let stopped = script("trap 'echo asked; exit' TERM; kill -STOP $$; sleep 60");
    let job = with_timeout(BEGUN, stopped);
    let (ran, took) = timed(run(&job)).await;
    assert_eq!(ran.outcome.reason, Some(Reason::Timeout));
    assert_eq!(ran.text(), "asked\n");
    assert!(took < GRACE, "{took:?}");
    assert_eq!(alive(&job), [""; 0]);
}

#[tokio::test]
async fn a_command_that_ended_by_itself_keeps_its_result_when_it_is_canceled_later() {
    // The output stays open after the end, so the run is still there to be canceled.
    let running = start(script("sleep 60 & echo up; exit 5")).await;
    let leader_gone = || alive(&running.job).len() == 1;
    wait_until("only the child is left", leader_gone).await;
    running.stop.cancel();
    let outcome = running.task.await.expect("the run ends");
    assert_eq!((outcome.reason, outcome.exit_code), (Some(Reason::ExitCode), Some(5)));
    assert_eq!(alive(&running.job), [""; 0]);
}

#[tokio::test]
async fn children_left_in_the_group_are_killed_when_the_command_ends() {
    let job = script("sleep 60 >/dev/null 2>&1 & echo done");
    let (ran, took) = timed(run(&job)).await;
    assert_eq!((ran.outcome.reason, ran.text()), (None, "done\n"));
    assert!(took < allowed(Duration::from_secs(1)), "nobody holds the output: {took:?}");
    assert_eq!(alive(&job), [""; 0]);
}

#[tokio::test]
async fn a_daemon_that_holds_the_output_does_not_hold_the_job() {
    let job = script("setsid sh -c 'echo daemon; exec sleep 60' & echo done");
    let (ran, took) = timed(run(&job)).await;
    assert_eq!((ran.outcome.reason, ran.outcome.exit_code), (None, Some(0)));
    assert!(ran.text().contains("done\n") && ran.text().contains("daemon\n"), "{}", ran.text());
    assert!(took < allowed(Duration::from_secs(4)), "{took:?}");
    for daemon in alive(&job) {
        let pid = daemon.parse().ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("a process id"), rustix::process::Signal::KILL)
            .expect("the daemon is ours to kill");
    }
}

#[tokio::test]
async fn dropping_a_run_kills_its_group_at_once() {
    let running = start(script("trap '' TERM; sleep 60 & echo up; wait; wait")).await;
    running.task.abort();
    wait_until("nothing of it is left", || alive(&running.job).is_empty()).await;
    assert_eq!(running.output.len(), 3);
}
