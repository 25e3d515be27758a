//! What the reports of attempts say.

use crate::{
    JobId, JobSpec, UserId,
    job::Reason,
    lease::{Finish, Finished},
    page::PageRequest,
    report::{Case, CaseFilter, CaseStatus, MOST_CASES, Report, Summary},
    testkit::{Fixture, Hand, spec},
};

fn case(name: &str, status: CaseStatus) -> Case {
    Case {
        class: "suite".into(),
        name: name.to_owned(),
        file: None,
        status,
        flaky: false,
        duration_ms: Some(12),
        message: None,
    }
}

/// Ends the next job with a report of these cases.
async fn report(hand: &Hand, reason: Option<Reason>, cases: Vec<Case>) -> Finish {
    let lease = hand.start_one().await.lease;
    let report = Report { cases: cases.into(), error: None };
    let finish = Finish { report: Some(report), ..hand.report(lease, reason) };
    let answers = hand.store().finish(std::slice::from_ref(&finish)).await.expect("an answer");
    assert_eq!(answers, [Finished::Won]);
    finish
}

async fn listed(fixture: &Fixture, job: JobId, filter: &CaseFilter) -> Vec<Case> {
    let all = PageRequest::first(1000);
    fixture.store.cases(job, filter, all).await.expect("a list").items
}

/// In their order, page by page, with everything they say; and chosen by status and name.
pub async fn cases_are_listed_as_they_were_reported(fixture: &Fixture) {
    let job = fixture.job(UserId::new(), spec("a")).await;
    let without = fixture.job(UserId::new(), spec("b")).await;
    let hand = fixture.hand().await;
    let cases = vec![
        Case {
            class: "a.b::C <&\"'>".into(),
            file: Some("a/b.c".to_owned()),
            message: Some("line 1\nline 2 \u{1f980}".to_owned()),
            duration_ms: None,
            ..case("fails [1%_]", CaseStatus::Failed)
        },
        Case { flaky: true, ..case("flaky", CaseStatus::Passed) },
        case("left out", CaseStatus::Skipped),
        case("passes [1]", CaseStatus::Passed),
        case("passes [2]", CaseStatus::Passed),
    ];
    let finish = hand.start_one().await.lease;
    let told = Report { cases: cases.clone().into(), error: Some("b.xml is empty".to_owned()) };
    let summary = told.summary();
    let reported = Finish { report: Some(told), ..hand.report(finish, Some(Reason::ExitCode)) };
    hand.store().finish(&[reported]).await.expect("an answer");
    hand.run_one(None).await;

    assert_eq!(summary.total(), 5);
    let ended = fixture.look(job).await;
    assert_eq!(ended.report.as_ref(), Some(&summary));
    let attempts = fixture.store.attempts(job).await.expect("attempts");
    assert_eq!(attempts[0].report.as_ref(), Some(&summary));
    assert_eq!(fixture.look(without).await.report, None);
    assert_eq!(listed(fixture, without, &CaseFilter::default()).await, []);

    let mut page = PageRequest::first(2);
    let mut found = Vec::new();
    loop {
        let list = fixture.store.cases(job, &CaseFilter::default(), page).await.expect("a page");
        assert!(list.items.len() <= 2);
        found.extend(list.items);
        let Some(cursor) = list.next_cursor else { break };
        page = PageRequest::parse(Some(2), Some(&cursor)).expect("a cursor");
    }
    assert_eq!(found, cases);
    for (status, name, expected) in [
        (Some(CaseStatus::Failed), None, &cases[..1]),
        (Some(CaseStatus::Skipped), None, &cases[2..3]),
        (None, Some("passes [*"), &cases[3..]),
        (None, Some("flaky"), &cases[1..2]),
        (Some(CaseStatus::Failed), Some("fails [1%_]"), &cases[..1]),
        (Some(CaseStatus::Failed), Some("passes*"), &[]),
    ] {
        let filter = CaseFilter { attempt: None, status, name: name.map(str::to_owned) };
        assert_eq!(listed(fixture, job, &filter).await, expected, "{filter:?}");
    }
}

/// Of the last one that has ended, unless another is asked for.
pub async fn cases_are_of_the_last_attempt_or_of_a_named_one(fixture: &Fixture) {
    let job = fixture.job(UserId::new(), JobSpec { max_attempts: 2, ..spec("a") }).await;
    let hand = fixture.hand().await;
    let first = vec![case("first", CaseStatus::Failed)];
    report(&hand, Some(Reason::ExitCode), first.clone()).await;
    let of_last = CaseFilter::default();
    assert_eq!(listed(fixture, job, &of_last).await, first);
    assert_eq!(fixture.look(job).await.report, None, "the job has not ended");
    let second = vec![case("second", CaseStatus::Passed)];
    report(&hand, None, second.clone()).await;
    assert_eq!(listed(fixture, job, &of_last).await, second);
    for (attempt, expected) in [(1, &first[..]), (2, &second), (3, &[])] {
        let filter = CaseFilter { attempt: Some(attempt), ..CaseFilter::default() };
        assert_eq!(listed(fixture, job, &filter).await, expected, "{attempt}");
    }
    assert_eq!(fixture.look(job).await.report, Some(Summary { passed: 1, ..Summary::default() }));
}

/// As the report is.
pub async fn p2_the_cases_of_a_repeated_report_are_stored_once(fixture: &Fixture) {
    let job = fixture.job(UserId::new(), spec("a")).await;
    let hand = fixture.hand().await;
    let cases = vec![case("a", CaseStatus::Passed), case("a", CaseStatus::Passed)];
    let finish = report(&hand, None, cases.clone()).await;
    let again = hand.store().finish(&[finish.clone(), finish]).await.expect("an answer");
    assert_eq!(again, [Finished::Already, Finished::Already]);
    assert_eq!(listed(fixture, job, &CaseFilter::default()).await, cases);
}

/// Those at the end are found as those at the beginning are.
pub async fn a_report_of_a_hundred_thousand_cases_is_stored_whole(fixture: &Fixture) {
    let job = fixture.job(UserId::new(), spec("a")).await;
    let hand = fixture.hand().await;
    let mut cases = vec![case("passes", CaseStatus::Passed); MOST_CASES - 1];
    cases.push(case("last", CaseStatus::Passed));
    report(&hand, None, cases).await;
    let summary = fixture.look(job).await.report.expect("a report");
    assert_eq!(summary.passed as usize, MOST_CASES);
    let filter = CaseFilter { name: Some("last".to_owned()), ..CaseFilter::default() };
    assert_eq!(listed(fixture, job, &filter).await.len(), 1);
}

/// And with its batch.
pub async fn cases_are_forgotten_with_their_job(fixture: &Fixture) {
    let owner = UserId::new();
    let alone = fixture.job(owner, spec("a")).await;
    let batch = fixture.batch(owner, vec![spec("b")]).await;
    let member = fixture.members(batch).await[0].id;
    let hand = fixture.hand().await;
    for _ in 0..2 {
        report(&hand, None, vec![case("x", CaseStatus::Passed)]).await;
    }
    for job in [alone, member] {
        assert_eq!(listed(fixture, job, &CaseFilter::default()).await.len(), 1);
    }
    fixture.store.delete_job(alone).await.expect("deleted");
    fixture.store.delete_batch(batch).await.expect("deleted");
    for job in [alone, member] {
        assert_eq!(
            listed(fixture, job, &CaseFilter { attempt: Some(1), ..CaseFilter::default() }).await,
            []
        );
    }
}
