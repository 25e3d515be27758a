use std::time::Duration;

use jobrunner_core::{job::Reason, testkit::allowed};

use super::{job, run, script};

#[tokio::test]
async fn the_command_is_called_by_the_name_it_was_given() {
    let job = job(["sh", "-c", "tr '\\0' ' ' < /proc/$$/cmdline"]);
    assert!(run(&job).await.text().starts_with("sh -c tr "));
}

#[tokio::test]
async fn exit_codes_are_reported() {
    let passed = run(&job(["true"])).await.outcome;
    assert_eq!((passed.reason, passed.exit_code, passed.error), (None, Some(0), None));
    let failed = run(&script("exit 3")).await.outcome;
    assert_eq!((failed.reason, failed.exit_code), (Some(Reason::ExitCode), Some(3)));
    assert_eq!(failed.error.as_deref(), Some("exited with code 3"));
    assert_eq!(failed.signal, None);
}

#[tokio::test]
async fn a_signal_is_reported_by_its_name() {
    for (number, name) in [(9, "SIGKILL"), (11, "SIGSEGV"), (15, "SIGTERM")] {
        let outcome = run(&script(&format!("kill -{number} $$"))).await.outcome;
        assert_eq!((outcome.reason, outcome.exit_code), (Some(Reason::Signal), None));
        assert_eq!(outcome.signal.as_deref(), Some(name));
        assert_eq!(outcome.error, Some(format!("was ended by {name}")));
    }
}

#[tokio::test]
async fn the_duration_is_that_of_the_command() {
    let outcome = run(&job(["sleep", "0.3"])).await.outcome;
    let most = allowed(Duration::from_secs(2));
    assert!((Duration::from_millis(290)..most).contains(&outcome.duration), "{outcome:?}");
}

#[tokio::test]
async fn hundreds_of_commands_at_once_each_get_their_own_result() {
    let runs = (0..300).map(|number| async move {
        let ran = run(&script(&format!("echo {number}; exit {}", number % 7))).await;
        assert_eq!(ran.text(), format!("{number}\n"));
        assert_eq!(ran.outcome.exit_code, Some(number % 7));
    });
    futures_util::future::join_all(runs).await;
}
