use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::{Collected, ExecutorFixture, HOLDS, LONG_GRACE, SHORT_GRACE};
use crate::{attempt::Reason, executor::RunContext, testkit::wait_until};

/// Enough seconds for a shell to begin on any machine.
const BEGUN: u64 = 3;

/// A command that ends when it is asked to is not killed.
pub async fn p7_a_timeout_ends_a_command(fixture: &ExecutorFixture) {
    let begun = Instant::now();
    let ran = fixture.run_with_timeout(LONG_GRACE, 1, "exec sleep 60").await;
    assert_eq!((ran.outcome.reason, ran.outcome.exit_code), (Some(Reason::Timeout), None));
    assert_eq!(ran.outcome.signal.as_deref(), Some("SIGTERM"));
    assert!(begun.elapsed() >= Duration::from_secs(1) && begun.elapsed() < LONG_GRACE);
}

/// A command that does not is killed after the grace, with all that it has started.
pub async fn p7_a_timeout_kills_what_does_not_end(fixture: &ExecutorFixture) {
    let begun = Instant::now();
    let stubborn = format!("trap '' TERM; {HOLDS}; sleep 60 & sleep 61 & wait; wait");
    let ran = fixture.run_with_timeout(SHORT_GRACE, BEGUN, &stubborn).await;
    assert_eq!((ran.outcome.reason, ran.text()), (Some(Reason::Timeout), "up\n"));
    assert_eq!(ran.outcome.signal.as_deref(), Some("SIGKILL"));
    assert!(begun.elapsed() >= Duration::from_secs(BEGUN) + SHORT_GRACE);
    assert!(!fixture.is_held().await, "something is left of it");
}

/// What it writes meanwhile is taken, and what it returns is not its result.
pub async fn a_command_may_clean_up_when_it_is_asked_to_end(fixture: &ExecutorFixture) {
    let tidy = "trap 'echo cleaned; exit 4' TERM; sleep 60 & wait";
    let ran = fixture.run_with_timeout(LONG_GRACE, BEGUN, tidy).await;
    assert_eq!(ran.text(), "cleaned\n");
    assert_eq!((ran.outcome.reason, ran.outcome.exit_code), (Some(Reason::Timeout), None));
}

/// Output of either stream counts.
pub async fn a_command_that_writes_nothing_for_too_long_is_ended(fixture: &ExecutorFixture) {
    let mut job = fixture.script("echo begin; exec sleep 60");
    job.spec.silence_seconds = Some(1);
    let ran = fixture.run(&job).await;
    assert_eq!((ran.outcome.reason, ran.text()), (Some(Reason::Silent), "begin\n"));
    assert_eq!(ran.outcome.exit_code, None);
}

/// It ends with all that it has started.
pub async fn p6_a_command_that_is_stopped_ends_with_its_children(fixture: &ExecutorFixture) {
    let script = format!("{HOLDS}; sleep 60 & sleep 61 & wait");
    let running = fixture.start(LONG_GRACE, &script).await;
    assert!(fixture.is_held().await);
    running.stop.cancel();
    let outcome = running.task.await.expect("the run ends");
    assert_eq!((outcome.reason, outcome.exit_code), (Some(Reason::Canceled), None));
    assert!(!fixture.is_held().await, "something is left of it");
}

/// A command that ignores it is killed after the grace.
pub async fn p6_a_command_that_does_not_stop_is_killed(fixture: &ExecutorFixture) {
    let script = format!("trap '' TERM; {HOLDS}; sleep 60 & wait; wait");
    let running = fixture.start(SHORT_GRACE, &script).await;
    running.stop.cancel();
    let outcome = running.task.await.expect("the run ends");
    assert_eq!(outcome.reason, Some(Reason::Canceled));
    assert_eq!(outcome.signal.as_deref(), Some("SIGKILL"));
    assert!(!fixture.is_held().await, "something is left of it");
}

/// It is canceled all the same.
pub async fn p6_what_is_stopped_before_it_begins_is_not_started(fixture: &ExecutorFixture) {
    let stop = CancellationToken::new();
    stop.cancel();
    let output = Arc::new(Collected::default());
    let context = RunContext { stop, output: Arc::clone(&output) as _ };
    let job = fixture.script("echo started; touch started");
    let outcome = (fixture.make)(LONG_GRACE).run(&job, context).await;
    assert_eq!(outcome.reason, Some(Reason::Canceled));
    let looked = fixture.run(&fixture.job(["test", "-e", "started"])).await;
    assert_eq!((output.len(), looked.outcome.exit_code), (0, Some(1)));
}

/// Neither with its output open nor without it.
pub async fn what_a_command_leaves_behind_ends_with_it(fixture: &ExecutorFixture) {
    for leaves in ["sleep 60 >/dev/null 2>&1 &", "sleep 60 &"] {
        let begun = Instant::now();
        let ran = fixture.run(&fixture.script(&format!("{HOLDS}; {leaves} exit 5"))).await;
        assert_eq!((ran.outcome.exit_code, ran.text()), (Some(5), "up\n"), "{leaves}");
        assert!(begun.elapsed() < Duration::from_secs(60), "it waited for what was left");
        assert!(!fixture.is_held().await, "something is left of it: {leaves}");
    }
}

/// Without any grace.
pub async fn a_run_that_is_dropped_is_killed(fixture: &ExecutorFixture) {
    let script = format!("trap '' TERM; {HOLDS}; sleep 60 & wait; wait");
    let running = fixture.start(LONG_GRACE, &script).await;
    assert!(fixture.is_held().await);
    running.task.abort();
    let ended = || async { (!fixture.is_held().await).then_some(()) };
    wait_until("nothing to be left of it", ended).await;
}
