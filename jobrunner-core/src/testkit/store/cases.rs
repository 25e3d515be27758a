//! The cases of reports, as tests of their own.

use super::results::Team;
use crate::{
    BatchId,
    job::Reason,
    report::{Case, CaseStatus, Report},
    testkit::{Fixture, new_batch, spec},
    verdict::{Class, ClassCounts, VerdictStatus},
};
use CaseStatus::{Failed, Passed, Skipped};

fn case(name: &str, status: CaseStatus) -> Case {
    Case {
        class: "Suite".into(),
        name: name.to_owned(),
        file: None,
        status,
        flaky: false,
        duration_ms: Some(1),
        message: (status == Failed).then(|| "expected 3, got 4\nat a.c:7".to_owned()),
    }
}

/// A run of one job with these cases, which ends for a reason.
async fn run(team: &Team<'_>, reason: Option<Reason>, cases: Vec<Case>) -> BatchId {
    let batch = team.submit(new_batch("s"), vec![spec("unit")]).await;
    let lease = team.hand.start_one().await.lease;
    let report = Report { cases: cases.into(), error: None };
    let finish = crate::lease::Finish { report: Some(report), ..team.hand.report(lease, reason) };
    team.hand.store().finish(&[finish]).await.expect("an answer");
    batch
}

async fn cases(team: &Team<'_>, batch: BatchId, class: Class) -> Vec<String> {
    let named = |test: crate::verdict::ClassifiedTest| match test.case {
        Some(case) => format!("{}: {case}", test.test),
        None => test.test,
    };
    team.tests(batch, class).await.into_iter().map(named).collect()
}

/// From night to night, in place of the job that has reported them.
pub async fn cases_are_tests_with_a_past_of_their_own(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let fails = Some(Reason::ExitCode);
    let first = run(&team, None, vec![case("a", Passed), case("b", Passed)]).await;
    let passed = |passed| ClassCounts { passed, ..ClassCounts::default() };
    assert_eq!(team.counts(first).await, passed(2));
    assert_eq!(cases(&team, first, Class::Passed).await.len(), 2);
    // The job failed by its case, and is none besides.
    let ends = vec![case("b", Failed), case("a", Passed), case("c", Skipped)];
    let second = run(&team, fails, ends.clone()).await;
    assert_eq!(team.counts(second).await, ClassCounts { new: 1, ..passed(2) });
    let new = team.tests(second, Class::New).await.pop().expect("one");
    assert_eq!((new.test.as_str(), new.case.as_deref()), ("unit", Some("Suite › b")));
    let line = new.cause.and_then(|cause| cause.error_line);
    assert_eq!(line.as_deref(), Some("expected #, got #"));
    assert_eq!(new.last_good.map(|good| good.batch_id), Some(first));
    assert!(new.job_id.is_some());
    assert_eq!(team.verdict(second).await.status, VerdictStatus::Fail);
    let third = run(&team, fails, ends).await;
    assert_eq!(cases(&team, third, Class::Still).await, ["unit: Suite › b"]);
    let since = team.tests(third, Class::Still).await.pop().and_then(|test| test.since);
    assert_eq!(since.map(|since| (since.batch_id, since.runs)), Some((second, 2)));
    // A flaky one, one that is mended, and one that is away.
    let flaky = Case { flaky: true, ..case("a", Passed) };
    let fourth = run(&team, None, vec![flaky, case("b", Passed)]).await;
    let expected = ClassCounts { flaky: 1, fixed: 1, ..ClassCounts::default() };
    assert_eq!(team.counts(fourth).await, expected);
    let fifth = run(&team, None, vec![case("b", Passed)]).await;
    assert_eq!(team.counts(fifth).await, ClassCounts { missing: 1, ..passed(1) });
    assert_eq!(cases(&team, fifth, Class::Missing).await, ["unit: Suite › a"]);
}

/// Where the cases do not tell what became of it.
pub async fn a_job_that_failed_otherwise_is_a_test_beside_its_cases(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let all = || vec![case("a", Passed), case("b", Passed)];
    run(&team, None, all()).await;
    let late = run(&team, Some(Reason::Timeout), all()).await;
    let expected = ClassCounts { new: 1, passed: 2, ..ClassCounts::default() };
    assert_eq!(team.counts(late).await, expected);
    assert_eq!(cases(&team, late, Class::New).await, ["unit"]);
    // It says that it failed, and no case does.
    let silent = run(&team, Some(Reason::ExitCode), all()).await;
    assert_eq!(cases(&team, silent, Class::New).await, ["unit"]);
    let lost = run(&team, Some(Reason::WorkingDir), all()).await;
    assert_eq!(cases(&team, lost, Class::Infra).await, ["unit"]);
}

/// The worst of those that are called alike, and none of an attempt that is repeated.
pub async fn cases_that_are_called_alike_are_one_test(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let twice = vec![case("a", Passed), case("a", Failed), case("a", Skipped)];
    let first = run(&team, Some(Reason::ExitCode), twice).await;
    let expected = ClassCounts { new: 1, ..ClassCounts::default() };
    assert_eq!(team.counts(first).await, expected);
    let again = crate::JobSpec { max_attempts: 2, ..spec("unit") };
    let batch = team.submit(new_batch("s"), vec![again]).await;
    for (reason, status) in [(Some(Reason::ExitCode), Failed), (None, Passed)] {
        let lease = team.hand.start_one().await.lease;
        let report = Report { cases: vec![case("z", status)].into(), error: None };
        let finish =
            crate::lease::Finish { report: Some(report), ..team.hand.report(lease, reason) };
        team.hand.store().finish(&[finish]).await.expect("an answer");
    }
    // The job itself is flaky: that is nothing that its cases tell.
    let expected = ClassCounts { flaky: 1, passed: 1, missing: 1, ..ClassCounts::default() };
    assert_eq!(team.counts(batch).await, expected);
    assert_eq!(cases(&team, batch, Class::Passed).await, ["unit: Suite › z"]);
}
