//! Known issues.

use chrono::{DateTime, TimeDelta, Utc};

use super::results::{By, Fail, Pass, Team};
use crate::{
    Conflict, Error, KnownIssueId, NewBatch, ProjectName, UserId,
    job::Reason,
    known_issue::{Effect, KnownIssue, MOST_KNOWN_ISSUES},
    page::PageRequest,
    series::{Gate, Variant},
    testkit::{Fixture, new_batch, spec},
    user::Scope,
    verdict::{Class, ClassCounts, VerdictStatus},
};

fn issue(owner: UserId, test: &str) -> KnownIssue {
    let now = DateTime::from_timestamp_millis(Utc::now().timestamp_millis()).unwrap_or_default();
    KnownIssue {
        id: KnownIssueId::new(),
        owner_id: owner,
        project: None,
        created_at: now,
        expires_at: now + TimeDelta::days(30),
        title: "it overflows".to_owned(),
        series: None,
        test: test.to_owned(),
        variant: Variant::new(),
        pattern: None,
        effect: Effect::Mute,
        ticket: None,
    }
}

fn project() -> ProjectName {
    "web".parse().expect("a name")
}

/// As it was stored, within the scope, until it is forgotten.
pub async fn a_known_issue_is_found_as_it_was_stored_until_it_is_deleted(fixture: &Fixture) {
    let store = &fixture.store;
    let (owner, other) = (UserId::new(), UserId::new());
    let mut whole = KnownIssue {
        project: Some(project()),
        series: Some("nightly".to_owned()),
        variant: [("os".to_owned(), "linux".to_owned())].into(),
        pattern: Some("^overflow at #".to_owned()),
        effect: Effect::Xfail,
        ticket: Some("https://bugs.example/7".to_owned()),
        ..issue(owner, "parser*")
    };
    let plain = issue(other, "*");
    for made in [&whole, &plain] {
        store.create_known_issue(made.clone()).await.expect("stored");
    }
    let found = async |id, scope| store.known_issue(id, scope).await.expect("an answer");
    let in_project = Scope::Projects([project()].into());
    for scope in [Scope::All, Scope::Owner(owner), in_project.clone()] {
        assert_eq!(found(whole.id, scope).await, Some(whole.clone()));
    }
    for scope in [Scope::Nothing, Scope::Owner(other)] {
        assert_eq!(found(whole.id, scope).await, None);
    }
    for (scope, expected) in [
        (Scope::All, vec![plain.id, whole.id]),
        (Scope::Either(other, [project()].into()), vec![plain.id, whole.id]),
        (Scope::Owner(other), vec![plain.id]),
        (in_project, vec![whole.id]),
        (Scope::Nothing, vec![]),
    ] {
        let page = store.known_issues(scope, PageRequest::first(10)).await.expect("a page");
        assert_eq!(page.items.iter().map(|it| it.id).collect::<Vec<_>>(), expected);
    }
    let first = store.known_issues(Scope::All, PageRequest::first(1)).await.expect("a page");
    assert_eq!(first.items[0].id, plain.id);
    let next = PageRequest { limit: 1, after: Some(plain.id.as_uuid()) };
    let second = store.known_issues(Scope::All, next).await.expect("a page");
    assert_eq!((second.items[0].id, second.next_cursor), (whole.id, None));
    whole = KnownIssue {
        series: None,
        variant: Variant::new(),
        pattern: None,
        ticket: None,
        expires_at: whole.expires_at + TimeDelta::days(1),
        title: "another".to_owned(),
        test: "lexer".to_owned(),
        effect: Effect::Mute,
        owner_id: other,
        ..whole
    };
    store.update_known_issue(whole.clone()).await.expect("changed");
    assert_eq!(found(whole.id, Scope::All).await, Some(whole.clone()));
    for _ in 0..2 {
        store.delete_known_issue(whole.id).await.expect("deleted");
    }
    assert_eq!(found(whole.id, Scope::All).await, None);
    let gone = store.update_known_issue(whole).await.expect_err("gone");
    assert!(matches!(gone, Error::NotFound(_)), "{gone:?}");
}

/// Each project, and each account beside its projects.
pub async fn there_are_no_more_known_issues_than_there_may_be(fixture: &Fixture) {
    let owner = UserId::new();
    for _ in 0..MOST_KNOWN_ISSUES {
        fixture.store.create_known_issue(issue(owner, "a")).await.expect("stored");
    }
    let refused = fixture.store.create_known_issue(issue(owner, "a")).await;
    let refused = refused.expect_err("one too many");
    let expected = matches!(refused, Error::Conflict(Conflict::TooManyKnownIssues { .. }));
    assert!(expected, "{refused:?}");
    let of_project = KnownIssue { project: Some(project()), ..issue(owner, "a") };
    fixture.store.create_known_issue(of_project).await.expect("another place");
    fixture.store.create_known_issue(issue(UserId::new(), "a")).await.expect("another's");
}

/// With its id, and no gate looks at it; a rule that names a cause knows that one alone.
pub async fn a_failure_of_a_known_cause_is_known_and_fails_no_gate(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let rule = KnownIssue { pattern: Some("^overflow".into()), ..issue(team.owner, "pars*") };
    fixture.store.create_known_issue(rule.clone()).await.expect("stored");
    let run = team.run(&[("parser", Fail("overflow at #")), ("lexer", Pass)]).await;
    let expected = ClassCounts { known: 1, passed: 1, ..ClassCounts::default() };
    let verdict = team.verdict(run).await;
    assert_eq!((verdict.counts, verdict.status), (expected, VerdictStatus::Pass));
    let known = team.tests(run, Class::Known).await.pop().expect("one");
    assert_eq!((known.test.as_str(), known.known_issue), ("parser", Some(rule.id)));
    assert_eq!(known.cause.and_then(|it| it.error_line).as_deref(), Some("overflow at #"));
    // Another cause, another test, and no line at all.
    let ends = [("parser", Fail("wrong")), ("lexer", Fail("overflow at #"))];
    let run = team.run(&ends).await;
    assert_eq!(team.names(run, Class::New).await, ["lexer", "parser"]);
    let run = team.run(&[("parser", By(Reason::Timeout))]).await;
    assert_eq!(team.verdict(run).await.status, VerdictStatus::Fail);
    // What was known is a failure all the same for what comes after it.
    let run = team.run(&[("parser", Pass)]).await;
    assert_eq!(team.names(run, Class::Fixed).await, ["parser"]);
}

/// A rule holds from when it is made to when it ends, for what goes on and for what comes; what has
/// ended stays as it is.
pub async fn a_known_issue_holds_for_batches_that_run_until_it_ends(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let ends = [("lexer", By(Reason::ExitCode)), ("parser", By(Reason::ExitCode))];
    let before = team.run(&ends).await;
    let running = team.submit(new_batch("s"), ["lexer", "parser"].map(spec).into()).await;
    let lease = team.hand.start_one().await.lease;
    team.hand.finish(lease, Some(Reason::ExitCode)).await;
    assert_eq!(team.counts(running).await.still, 1);
    let mut rule = issue(team.owner, "*");
    fixture.store.create_known_issue(rule.clone()).await.expect("stored");
    assert_eq!(team.counts(running).await.known, 1);
    team.work(&ends).await;
    assert_eq!(team.names(running, Class::Known).await, ["lexer", "parser"]);
    assert_eq!(team.names(before, Class::New).await, ["lexer", "parser"]);
    rule.expires_at = Utc::now() - TimeDelta::seconds(1);
    fixture.store.update_known_issue(rule).await.expect("changed");
    assert_eq!(team.names(running, Class::Known).await, ["lexer", "parser"]);
    let after = team.run(&ends).await;
    assert_eq!(team.names(after, Class::Still).await, ["lexer", "parser"]);
    assert_eq!(team.verdict(after).await.status, VerdictStatus::Fail);
}

/// One of a series, one of a variant, one of another account.
pub async fn a_known_issue_is_about_what_it_names_alone(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let other = KnownIssue { series: Some("other".to_owned()), ..issue(team.owner, "*") };
    let variant = KnownIssue {
        variant: [("os".to_owned(), "mac".to_owned())].into(),
        ..issue(team.owner, "*")
    };
    let of_project = KnownIssue { project: Some(project()), ..issue(team.owner, "*") };
    for rule in [other, variant, of_project, issue(UserId::new(), "*")] {
        fixture.store.create_known_issue(rule).await.expect("stored");
    }
    let ends = [("parser", Fail("overflow"))];
    let run = team.run(&ends).await;
    assert_eq!(team.names(run, Class::New).await, ["parser"]);
    let run = team.run_of(new_batch("other"), &ends).await;
    assert_eq!(team.names(run, Class::Known).await, ["parser"]);
    let in_project = NewBatch { project: Some(project()), ..new_batch("s") };
    let run = team.run_of(in_project, &ends).await;
    assert_eq!(team.names(run, Class::Known).await, ["parser"]);
}

/// Each time, and whatever it was before; a failure of it is known.
pub async fn that_what_is_expected_to_fail_passes_is_told(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let ends = [("lexer", Pass), ("parser", Pass)];
    team.run(&ends).await;
    let rule = KnownIssue {
        pattern: Some("overflow".to_owned()),
        effect: Effect::Xfail,
        ..issue(team.owner, "parser")
    };
    fixture.store.create_known_issue(rule.clone()).await.expect("stored");
    for _ in 0..2 {
        let run = team.run(&ends).await;
        let expected = ClassCounts { fixed: 1, passed: 1, ..ClassCounts::default() };
        assert_eq!(team.counts(run).await, expected);
        let told = team.tests(run, Class::Fixed).await.pop().expect("one");
        assert_eq!((told.test.as_str(), told.known_issue), ("parser", Some(rule.id)));
        assert_eq!(team.names(run, Class::Passed).await, ["lexer"]);
    }
    let gate = NewBatch { gate: Gate::New, ..new_batch("s") };
    let run = team.run_of(gate, &[("parser", Fail("overflow")), ("lexer", Fail("overflow"))]).await;
    assert_eq!(team.names(run, Class::Known).await, ["parser"]);
    assert_eq!(team.names(run, Class::New).await, ["lexer"]);
}
