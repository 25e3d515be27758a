//! The fields of the description are those that are sent.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use jobrunner_core as domain;
use jobrunner_core::{AuditEventId, BatchId, JobId, SessionId, UserId};
use poem::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::*;
use crate::api::http::{
    problem::{Failure, Problem},
    schema,
};

/// The schema of an answer and the types that it refers to.
fn schema_of<T: JsonSchema>() -> Value {
    let (mut value, mut types) = (json!({"schema": schema::answered::<T>()}), Map::new());
    schema::release(&mut value, &mut types);
    types.remove(T::schema_name().as_ref()).expect("a type of its own")
}

fn fields(schema: &Value, is_one: impl Fn(&str, &Value) -> bool) -> BTreeSet<String> {
    let properties = schema["properties"].as_object().expect("properties");
    properties.iter().filter(|(name, it)| is_one(name, it)).map(|(name, _)| name.clone()).collect()
}

/// Compares the fields of a schema with those of two values: one that has everything, and one that
/// lacks whatever may be missing.
fn holds<T: JsonSchema + Serialize>(full: impl Into<T>, bare: impl Into<T>) {
    let schema = schema_of::<T>();
    let sent = |value: T| -> BTreeMap<String, Value> {
        serde_json::from_value(serde_json::to_value(value).expect("JSON")).expect("an object")
    };
    let (full, bare) = (sent(full.into()), sent(bare.into()));
    let names = |value: &BTreeMap<String, Value>, is_one: fn(&Value) -> bool| {
        value.iter().filter(|(_, it)| is_one(it)).map(|(name, _)| name.clone()).collect()
    };
    let all: BTreeSet<String> = names(&full, |_| true);
    let name = T::schema_name();
    assert_eq!(fields(&schema, |_, _| true), all, "{name}");
    assert_eq!(names(&full, Value::is_null), BTreeSet::new(), "{name} has everything");
    let nullable = fields(&schema, |_, it| {
        let choices = ["anyOf", "oneOf"].iter().filter_map(|of| it[of].as_array()?.last());
        it["nullable"] == true || choices.into_iter().any(|null| null["nullable"] == true)
    });
    assert_eq!(nullable, names(&bare, Value::is_null), "null in {name}");
    let required: BTreeSet<String> =
        serde_json::from_value(schema["required"].clone()).expect("a list");
    assert_eq!(required, names(&bare, |_| true), "always in {name}");
}

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn payload() -> Map<String, Value> {
    [("a".to_owned(), json!(1))].into_iter().collect()
}

fn spec() -> domain::JobSpec {
    domain::JobSpec {
        name: "j".to_owned(),
        command: vec!["true".to_owned()],
        working_dir: "/".to_owned(),
        env: [("A".to_owned(), "b".to_owned())].into(),
        payload: payload(),
        project: Some(web()),
        queue: "default".to_owned(),
        priority: 5,
        timeout_seconds: 1,
        scheduled_at: Some(NOW),
        max_attempts: 1,
        retry: Some(retry()),
        skip_exit_codes: vec![77],
        inputs: vec!["/a".to_owned()],
        junit: vec!["*.xml".to_owned()],
        silence_seconds: Some(1),
        max_output_bytes: Some(1),
        max_memory_mb: Some(1),
        max_open_files: Some(16),
        max_cpu_seconds: Some(1),
        test: Some("t".to_owned()),
        variant: [("os".to_owned(), "linux".to_owned())].into(),
        seed: Some(domain::series::Seed::Number(7)),
        rerun_of: Some(JobId::new()),
    }
}

fn web() -> domain::ProjectName {
    "web".parse().expect("a name")
}

fn retry() -> domain::retry::Retry {
    let on = vec![domain::retry::RetryOn::ExitCode(1)];
    domain::retry::Retry { on, delay_seconds: 1, backoff: 1.0 }
}

fn result() -> domain::job::JobResult {
    domain::job::JobResult {
        exit_code: Some(1),
        signal: Some("SIGKILL".to_owned()),
        reason: Some(domain::job::Reason::Oom),
        duration_ms: 1,
        stdout_bytes: 1,
        stderr_bytes: 1,
        truncated: true,
        worker_id: Some(SessionId::new()),
    }
}

fn job() -> domain::Job {
    domain::Job {
        id: JobId::new(),
        owner_id: UserId::new(),
        batch_id: Some(BatchId::new()),
        spec: spec(),
        status: domain::Status::Failed,
        attempt: 1,
        created_at: NOW,
        started_at: Some(NOW),
        finished_at: Some(NOW),
        result: Some(result()),
        error: Some("why".to_owned()),
        flaky: true,
        skipped: true,
        report: Some(report()),
    }
}

fn report() -> domain::report::Summary {
    let error = Some("a.xml is empty".to_owned());
    domain::report::Summary { passed: 1, failed: 1, skipped: 1, flaky: 1, error }
}

fn case() -> domain::report::Case {
    domain::report::Case {
        class: "c".into(),
        name: "n".to_owned(),
        file: Some("f".to_owned()),
        status: domain::report::CaseStatus::Failed,
        flaky: true,
        duration_ms: Some(1),
        message: Some("m".to_owned()),
    }
}

fn batch() -> domain::Batch {
    domain::Batch {
        id: BatchId::new(),
        name: "b".to_owned(),
        description: Some("d".to_owned()),
        payload: payload(),
        owner_id: UserId::new(),
        project: Some(web()),
        rerun_of: Some(BatchId::new()),
        status: domain::Status::Failed,
        counts: counts(),
        flaky: 1,
        skipped: 1,
        series: Some("s".to_owned()),
        series_id: Some(domain::SeriesId::new()),
        revision: Some(revision()),
        gate: Some(domain::series::Gate::New),
        verdict: Some(short()),
        created_at: NOW,
        started_at: Some(NOW),
        finished_at: Some(NOW),
    }
}

fn revision() -> domain::series::Revision {
    domain::series::Revision {
        sha: Some("c".to_owned()),
        branch: Some("b".to_owned()),
        dirty: true,
        url: Some("https://a".to_owned()),
    }
}

fn short() -> domain::verdict::ShortVerdict {
    domain::verdict::ShortVerdict::new(domain::series::Gate::New, None)
}

fn counts() -> domain::Counts {
    domain::Counts { total: 5, waiting: 1, running: 1, passed: 1, failed: 1, canceled: 1 }
}

#[test]
fn jobs_and_attempts_have_the_fields_that_are_described() {
    let bare_spec = domain::JobSpec {
        project: None,
        scheduled_at: None,
        retry: None,
        silence_seconds: None,
        max_output_bytes: None,
        max_memory_mb: None,
        max_open_files: None,
        max_cpu_seconds: None,
        test: None,
        seed: None,
        rerun_of: None,
        ..spec()
    };
    let bare = domain::Job {
        batch_id: None,
        spec: bare_spec,
        started_at: None,
        finished_at: None,
        result: None,
        error: None,
        report: None,
        ..job()
    };
    holds::<Job>(job(), bare);
    holds::<job::Retry>(retry(), domain::retry::Retry { on: vec![], ..retry() });
    let bare = domain::job::JobResult {
        exit_code: None,
        signal: None,
        reason: None,
        worker_id: None,
        ..result()
    };
    holds::<job::JobResult>(result(), bare);
    let attempt = || domain::job::Attempt {
        attempt: 1,
        status: domain::Status::Failed,
        worker_id: Some(SessionId::new()),
        worker_host: Some("h".to_owned()),
        started_at: NOW,
        finished_at: Some(NOW),
        result: Some(result()),
        error: Some("why".to_owned()),
        report: Some(report()),
    };
    let bare = domain::job::Attempt {
        worker_id: None,
        worker_host: None,
        finished_at: None,
        result: None,
        error: None,
        report: None,
        ..attempt()
    };
    holds::<Attempt>(attempt(), bare);
    holds::<Report>(report(), domain::report::Summary { error: None, ..report() });
    let bare = domain::report::Case { file: None, duration_ms: None, message: None, ..case() };
    holds::<Case>(case(), bare);
    let hold = |until| domain::job::Hold {
        reason: domain::job::HoldReason::OwnerDisabled,
        message: "m".to_owned(),
        until,
    };
    holds::<Hold>(hold(Some(chrono::Utc::now())), hold(None));
}

#[test]
fn batches_and_what_is_reported_of_them_have_the_fields_that_are_described() {
    let bare = domain::Batch {
        description: None,
        project: None,
        rerun_of: None,
        series: None,
        series_id: None,
        revision: None,
        gate: None,
        verdict: None,
        started_at: None,
        finished_at: None,
        ..batch()
    };
    holds::<Batch>(batch(), bare);
    holds::<Counts>(counts(), counts());
    let named = || domain::insight::NamedJob { id: JobId::new(), name: "j".to_owned() };
    holds::<batch::NamedJob>(named(), named());
    let cause = || domain::insight::Cause {
        reason: Some(domain::job::Reason::ExitCode),
        exit_code: Some(1),
        signal: Some("SIGHUP".to_owned()),
        error_line: Some("l".to_owned()),
        count: 1,
        jobs: vec![named()],
    };
    let bare = domain::insight::Cause {
        reason: None,
        exit_code: None,
        signal: None,
        error_line: None,
        ..cause()
    };
    holds::<batch::Cause>(cause(), bare);
    holds::<Causes>(vec![cause()], vec![]);
    let moment = domain::insight::Moment { at: NOW, running: 1, passed: 1, failed: 1 };
    holds::<batch::Moment>(moment, moment);
    holds::<Timeline>(vec![moment], vec![]);
}

#[test]
fn verdicts_have_the_fields_that_are_described() {
    holds::<Revision>(revision(), domain::series::Revision::default());
    holds::<ShortVerdict>(short(), short());
    let baseline = || domain::series::Baseline {
        branch: Some("b".to_owned()),
        batch_id: Some(BatchId::new()),
    };
    holds::<Baseline>(baseline(), domain::series::Baseline::default());
    let counts = domain::verdict::ClassCounts::default();
    let verdict = || domain::verdict::Verdict {
        batch_id: BatchId::new(),
        series: "s".to_owned(),
        series_id: domain::SeriesId::new(),
        baseline: baseline(),
        is_final: true,
        status: domain::verdict::VerdictStatus::Pass,
        gate: domain::series::Gate::New,
        summary: "all".to_owned(),
        counts,
    };
    holds::<Verdict>(verdict(), verdict());
    holds::<verdict::ClassCounts>(counts, counts);
    let since = domain::verdict::Since { batch_id: BatchId::new(), runs: 1 };
    holds::<verdict::Since>(since, since);
    let good =
        || domain::verdict::LastGood { batch_id: BatchId::new(), revision: Some(revision()) };
    let bare = domain::verdict::LastGood { revision: None, ..good() };
    holds::<verdict::LastGood>(good(), bare);
    let cause = || domain::verdict::FailureCause {
        reason: Some(domain::job::Reason::ExitCode),
        exit_code: Some(1),
        signal: Some("SIGHUP".to_owned()),
        error_line: Some("l".to_owned()),
    };
    holds::<verdict::FailureCause>(cause(), domain::verdict::FailureCause::default());
    let test = || domain::verdict::ClassifiedTest {
        test_id: domain::series::TestId::new(1, 2),
        test: "t".to_owned(),
        variant: [("os".to_owned(), "linux".to_owned())].into(),
        case: Some("c".to_owned()),
        job_id: Some(JobId::new()),
        since: Some(since),
        last_good: Some(good()),
        cause: Some(cause()),
        known_issue: Some(domain::KnownIssueId::new()),
    };
    let bare = domain::verdict::ClassifiedTest {
        case: None,
        job_id: None,
        since: None,
        last_good: None,
        cause: None,
        known_issue: None,
        ..test()
    };
    holds::<ClassifiedTest>(test(), bare);
}

#[test]
fn the_past_has_the_fields_that_are_described() {
    use domain::history as past;
    let run = || past::Run {
        number: 1,
        batch_id: BatchId::new(),
        name: Some("n".to_owned()),
        is_rerun: true,
        revision: Some(revision()),
        gate: domain::series::Gate::New,
        verdict: short(),
        counts: Some(domain::verdict::ClassCounts::default()),
        created_at: NOW,
        finished_at: Some(NOW),
    };
    let bare = past::Run { name: None, revision: None, counts: None, finished_at: None, ..run() };
    holds::<Run>(run(), bare);
    let series = || past::Series {
        id: domain::SeriesId::new(),
        number: 1,
        owner_id: UserId::new(),
        project: Some("web".parse().expect("a name")),
        name: "s".to_owned(),
        created_at: NOW,
        last_run: Some(run()),
    };
    holds::<Series>(series(), past::Series { project: None, last_run: None, ..series() });
    let named = || past::NamedTest {
        test_id: domain::series::TestId::new(1, 2),
        test: "t".to_owned(),
        variant: [("os".to_owned(), "linux".to_owned())].into(),
        case: Some("c".to_owned()),
    };
    let cause = || domain::verdict::FailureCause {
        reason: Some(domain::job::Reason::ExitCode),
        exit_code: Some(1),
        signal: Some("SIGHUP".to_owned()),
        error_line: Some("l".to_owned()),
    };
    let ran = past::Ran { batch_id: BatchId::new(), job_id: JobId::new() };
    let evidence = || past::Evidence { revision: Some(revision()), passed: ran, failed: ran };
    holds::<history::Evidence>(evidence(), past::Evidence { revision: None, ..evidence() });
    let flaky = || past::Flakiness {
        differing: 1,
        revisions: 2,
        flips: 3,
        host: Some(past::HostShare { host: "h".to_owned(), share: 0.5 }),
        evidence: vec![evidence()],
    };
    holds::<history::Flakiness>(flaky(), past::Flakiness::default());
    let test = || past::SeriesTest {
        named: named(),
        outcome: domain::verdict::Outcome::Failed,
        batch_id: BatchId::new(),
        job_id: JobId::new(),
        duration_ms: 1,
        cause: Some(cause()),
        flakiness: Some(flaky()),
    };
    let nameless = || past::NamedTest { case: None, ..named() };
    let bare = past::SeriesTest { named: nameless(), cause: None, flakiness: None, ..test() };
    holds::<SeriesTest>(test(), bare);
    let result = || past::TestResult {
        test_id: domain::series::TestId::new(1, 2),
        run: 1,
        batch_id: BatchId::new(),
        revision: Some(revision()),
        is_rerun: false,
        created_at: NOW,
        job_id: JobId::new(),
        outcome: domain::verdict::Outcome::Failed,
        cause: Some(cause()),
        duration_ms: 1,
        host: Some("h".to_owned()),
        attempts: 1,
    };
    let bare = past::TestResult { revision: None, cause: None, host: None, ..result() };
    holds::<TestResult>(result(), bare);
    let good = || domain::verdict::LastGood { batch_id: BatchId::new(), revision: None };
    let counted = past::CountedCause {
        cause: cause(),
        runs: 1,
        batch_id: BatchId::new(),
        job_id: JobId::new(),
    };
    let about = || past::Test {
        named: named(),
        series_id: domain::SeriesId::new(),
        series: "s".to_owned(),
        project: Some("web".parse().expect("a name")),
        outcome: Some(domain::verdict::Outcome::Failed),
        last_good: Some(good()),
        last_failure: Some(result()),
        flakiness: flaky(),
        causes: vec![counted.clone()],
        hosts: vec![past::OnHost { host: "h".to_owned(), passed: 1, failed: 2 }],
    };
    let bare = past::Test {
        named: nameless(),
        project: None,
        outcome: None,
        last_good: None,
        last_failure: None,
        causes: vec![],
        hosts: vec![],
        ..about()
    };
    holds::<Test>(about(), bare);
    let cell = past::Cell { outcome: domain::verdict::Outcome::Passed, job_id: JobId::new() };
    let grid = || past::Grid {
        runs: vec![run()],
        items: vec![past::GridRow { named: named(), cells: vec![Some(cell), None] }],
        next_cursor: Some("c".to_owned()),
    };
    holds::<Grid>(grid(), past::Grid { items: vec![], next_cursor: None, ..grid() });
    let compared = past::Comparison {
        batch_id: BatchId::new(),
        other_id: BatchId::new(),
        summary: "s".to_owned(),
        counts: domain::verdict::ClassCounts::default(),
    };
    holds::<Comparison>(compared.clone(), compared);
}

#[test]
fn pages_have_the_fields_that_are_described() {
    let page = |next_cursor| domain::page::Page { items: vec![job()], next_cursor };
    holds::<Page<Job>>(page(Some("c".to_owned())), page(None));
}

#[test]
fn accounts_and_events_have_the_fields_that_are_described() {
    let user = || domain::User {
        id: UserId::new(),
        email: "a@b.example".to_owned(),
        role: domain::Role::Admin,
        is_active: true,
        is_service: false,
        max_running_jobs: Some(1),
        created_at: NOW,
    };
    holds::<User>(user(), domain::User { max_running_jobs: None, ..user() });
    let token = || domain::user::PersonalToken {
        id: domain::TokenId::new(),
        owner_id: UserId::new(),
        name: "t".to_owned(),
        scopes: vec![domain::user::TokenScope::Read].try_into().expect("scopes"),
        project: Some(web()),
        created_at: NOW,
        expires_at: Some(NOW),
        last_used_at: Some(NOW),
    };
    let bare = domain::user::PersonalToken {
        project: None,
        expires_at: None,
        last_used_at: None,
        ..token()
    };
    holds::<PersonalToken>(token(), bare.clone());
    let made = |token| domain::user::MadeToken { token, secret: "jr_1".into() };
    holds::<MadeToken>(made(token()), made(bare));
    let attempt = |status, error| domain::notification::DeliveryAttempt {
        at: NOW,
        duration_ms: 1,
        status,
        error,
    };
    holds::<notification::DeliveryAttempt>(
        attempt(Some(500), Some("e".to_owned())),
        attempt(None, None),
    );
    let event = || domain::notification::Event {
        kind: "failed".to_owned(),
        batch_id: BatchId::new(),
        batch_name: "b".to_owned(),
    };
    holds::<notification::Event>(event(), event());
    let gathered = || domain::notification::Gathered { total: 1, told: vec![event()] };
    holds::<notification::Gathered>(gathered(), gathered());
    let delivery = |status, batch: Option<BatchId>| domain::notification::Delivery {
        id: domain::DeliveryId::new(),
        subscription_id: domain::SubscriptionId::new(),
        kind: "failed".to_owned(),
        batch_id: batch,
        batch_name: batch.map(|_| "b".to_owned()),
        created_at: NOW,
        due_at: NOW,
        status,
        attempts: Vec::new(),
        tried: 0,
        gathered: batch.map(|_| gathered()),
    };
    holds::<Delivery>(
        delivery(domain::notification::DeliveryStatus::Waiting, Some(BatchId::new())),
        delivery(domain::notification::DeliveryStatus::Dead, None),
    );
    let webhook = domain::notification::Channel::Webhook {
        url: "https://a.example".to_owned(),
        secret: "s".into(),
    };
    // Of a channel and of a window none has everything.
    let channel = |text: Option<String>| notification::Channel {
        kind: ChannelType::Webhook,
        host: text.clone(),
        url: text.clone(),
        to: text.map(|text| vec![text]),
    };
    holds::<notification::Channel>(channel(Some("a".to_owned())), channel(None));
    let window = |text: Option<String>| notification::Window {
        every_minutes: text.as_ref().map(|_| 1),
        at: text.clone(),
        zone: text,
    };
    holds::<notification::Window>(window(Some("a".to_owned())), window(None));
    let subscription = |batch_name: Option<String>| domain::notification::Subscription {
        id: domain::SubscriptionId::new(),
        owner_id: UserId::new(),
        what: domain::notification::NewSubscription {
            name: "n".to_owned(),
            project: batch_name.as_ref().map(|_| web()),
            series: batch_name.clone(),
            window: batch_name
                .as_ref()
                .map(|_| domain::notification::Window::every(1).expect("a window")),
            batch_name,
            on: vec![domain::notification::EventKind::Failed],
            channel: webhook.clone(),
            is_enabled: true,
        },
        created_at: NOW,
    };
    holds::<Notification>(subscription(Some("b".to_owned())), subscription(None));
    let issue = || domain::known_issue::KnownIssue {
        id: domain::KnownIssueId::new(),
        owner_id: UserId::new(),
        project: Some("web".parse().expect("a name")),
        created_at: NOW,
        expires_at: NOW,
        title: "t".to_owned(),
        series: Some("s".to_owned()),
        test: "*".to_owned(),
        variant: [("os".to_owned(), "linux".to_owned())].into(),
        pattern: Some("p".to_owned()),
        effect: domain::known_issue::Effect::Mute,
        ticket: Some("t".to_owned()),
    };
    let bare = domain::known_issue::KnownIssue {
        project: None,
        series: None,
        pattern: None,
        ticket: None,
        ..issue()
    };
    holds::<KnownIssue>(issue(), bare);
    let event = || domain::audit::AuditEvent {
        id: AuditEventId::new(),
        created_at: NOW,
        actor_id: Some(UserId::new()),
        actor_email: Some("a@b.example".to_owned()),
        action: domain::audit::AuditAction::SignIn,
        target_type: Some(domain::audit::TargetType::Job),
        target_id: Some("t".to_owned()),
        target_name: Some("n".to_owned()),
        details: payload(),
    };
    let bare = domain::audit::AuditEvent {
        actor_id: None,
        actor_email: None,
        target_type: None,
        target_id: None,
        target_name: None,
        ..event()
    };
    holds::<AuditEvent>(event(), bare);
}

#[test]
fn projects_and_members_have_the_fields_that_are_described() {
    let project = || domain::Project {
        name: web(),
        description: Some("d".to_owned()),
        is_archived: true,
        created_at: NOW,
    };
    holds::<Project>(project(), domain::Project { description: None, ..project() });
    let member = || domain::project::Member {
        user_id: UserId::new(),
        email: "a@b.example".to_owned(),
        role: domain::ProjectRole::Operator,
        added_at: NOW,
    };
    holds::<Member>(member(), member());
}

#[test]
fn workers_queues_and_health_have_the_fields_that_are_described() {
    let worker = || domain::lease::Worker {
        id: SessionId::new(),
        host: "h".to_owned(),
        pid: 1,
        slots: 1,
        running: 1,
        queues: vec!["q".to_owned()],
        draining: true,
        containment: domain::executor::Containment::CgroupV2,
        started_at: NOW,
        seen_at: NOW,
    };
    holds::<Worker>(worker(), worker());
    let queue = || domain::lease::QueueState {
        name: "q".to_owned(),
        paused: true,
        weight: 1.0,
        waiting: 1,
        running: 1,
        oldest_waiting_at: Some(NOW),
    };
    holds::<Queue>(queue(), domain::lease::QueueState { oldest_waiting_at: None, ..queue() });
    let health = domain::service::Health { database: true, queue: domain::queue::Link::Up };
    holds::<Health>(health, health);
}

#[test]
fn problems_have_the_fields_that_are_described() {
    let bare = Failure::new(StatusCode::NOT_FOUND, "there is no such job");
    let wrong = vec![domain::Violation::new("name", "is missing")];
    let full = Failure::from(domain::Error::from(domain::Conflict::BatchOpen)).with_errors(wrong);
    holds::<Problem>(full.into_problem(), bare.into_problem());
}

#[test]
fn events_of_output_have_the_fields_that_are_described() {
    let full = LogEvent {
        attempt: 1,
        stream: Some(Stream::Stdout),
        offset: Some(1),
        text: Some("t".into()),
        base64: Some("b".to_owned()),
        omitted_bytes: Some(1),
        status: Some(Status::Passed),
    };
    holds::<LogEvent<'_>>(full, LogEvent::default());
}
