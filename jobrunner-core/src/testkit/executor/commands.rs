use std::time::Duration;

use futures_util::future::join_all;

use super::ExecutorFixture;
use crate::attempt::Reason;

/// A command that returns 0 has passed; any other code is told.
pub async fn an_exit_code_is_told(fixture: &ExecutorFixture) {
    let passed = fixture.run(&fixture.job(["true"])).await.outcome;
    assert_eq!((passed.reason, passed.exit_code), (None, Some(0)));
    assert_eq!((passed.signal, passed.error), (None, None));
    for code in [1, 3, 127, 255] {
        let failed = fixture.run(&fixture.script(&format!("exit {code}"))).await.outcome;
        assert_eq!((failed.reason, failed.exit_code), (Some(Reason::ExitCode), Some(code)));
        assert!(failed.signal.is_none() && failed.error.is_some(), "{failed:?}");
    }
}

/// A signal that nobody here has sent is told by its name.
pub async fn a_signal_is_told_by_its_name(fixture: &ExecutorFixture) {
    for (number, name) in [(9, "SIGKILL"), (11, "SIGSEGV"), (15, "SIGTERM")] {
        let outcome = fixture.run(&fixture.script(&format!("kill -{number} $$"))).await.outcome;
        assert_eq!((outcome.reason, outcome.exit_code), (Some(Reason::Signal), None));
        assert_eq!(outcome.signal.as_deref(), Some(name));
        assert!(outcome.error.is_some(), "{outcome:?}");
    }
}

/// No shell reads them, nothing is left out.
pub async fn arguments_reach_the_command_as_they_are(fixture: &ExecutorFixture) {
    let arguments =
        ["$(id)", "`id`", "a b", "", "; true", "*", "Grüße 世界", "a\nb", "--", "\"'\\"];
    let job = fixture.job(["printf", "<%s>\\0"].into_iter().chain(arguments));
    let expected: String = arguments.iter().map(|argument| format!("<{argument}>\0")).collect();
    assert_eq!(fixture.run(&job).await.text(), expected);
}

/// Which program it was is in the sentence.
pub async fn a_program_that_cannot_be_started_is_told_of(fixture: &ExecutorFixture) {
    for program in ["no-such-program", "./no-such-file"] {
        let ran = fixture.run(&fixture.job([program])).await;
        assert_eq!((ran.outcome.reason, ran.outcome.exit_code), (Some(Reason::SpawnFailed), None));
        assert!(ran.error().contains(program), "{}", ran.error());
        assert!(ran.stdout.is_empty() && ran.stderr.is_empty(), "{ran:?}");
    }
}

/// It ran no shorter than that.
pub async fn the_duration_is_that_of_the_command(fixture: &ExecutorFixture) {
    let begun = std::time::Instant::now();
    let outcome = fixture.run(&fixture.job(["sleep", "0.3"])).await.outcome;
    let bounds = Duration::from_millis(290)..=begun.elapsed();
    assert!(bounds.contains(&outcome.duration), "{outcome:?}");
}

/// Nothing of one gets into another.
pub async fn many_commands_at_once_have_their_own_results(fixture: &ExecutorFixture) {
    let runs = (0..60).map(|number| async move {
        let script = format!("echo {number}; echo -{number} >&2; exit {}", number % 7);
        let ran = fixture.run(&fixture.script(&script)).await;
        assert_eq!(ran.text(), format!("{number}\n"));
        assert_eq!(ran.stderr, format!("-{number}\n").as_bytes());
        assert_eq!(ran.outcome.exit_code, Some(number % 7));
    });
    join_all(runs).await;
}
