//! Results as JUnit XML.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use jobrunner_core::{
    BatchId, JobSpec, NewBatch,
    config::Settings,
    connect,
    connect::Embedded,
    job::Reason,
    lease::Finish,
    log::{LogChunk, Stream},
    report::{Case, CaseStatus, Report},
    series::{Revision, SeriesChoice},
    store::BatchOrder,
    testkit::{Fixture, new_batch, skip, spec},
};
use jobrunner_server::junit;
use secrecy::SecretString;
use tempfile::TempDir;

/// A batch of failed jobs that have written this to their standard output.
struct Failed {
    batch: BatchId,
    embedded: Embedded,
    fixture: Fixture,
    _directory: TempDir,
}

impl Failed {
    async fn with(jobs: Vec<JobSpec>, output: &'static [u8]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let settings = Settings::from_vars(|_| None).expect("settings");
        let embedded = connect::embedded(directory.path(), &settings).await.expect("a service");
        let password = SecretString::from("correct horse battery");
        embedded.service.create_first_admin("a@b.example", password).await.expect("an admin");
        let fixture = Fixture::new(embedded.store.clone(), ());
        let caller = embedded.service.local_admin().await.expect("an answer").expect("an admin");
        let count = jobs.len();
        let batch = fixture.batch(caller.id, jobs).await;
        let hand = fixture.hand().await;
        for _ in 0..count {
            let lease = hand.start_one().await.lease;
            let mut report = hand.report(lease, Some(Reason::ExitCode));
            report.stdout_bytes = output.len() as u64;
            report.output = vec![LogChunk {
                stream: Stream::Stdout,
                offset: 0,
                bytes: Bytes::from_static(output),
                marks: Vec::new(),
            }];
            fixture.store.finish(&[report]).await.expect("an answer");
        }
        Self { batch, embedded, fixture, _directory: directory }
    }

    async fn document(&self) -> junit::Document {
        let service = &self.embedded.service;
        let caller = service.local_admin().await.expect("an answer").expect("an admin");
        junit::document(service, &caller, self.batch).await.expect("a document")
    }

    async fn text(&self) -> String {
        let parts: Vec<Bytes> = self.document().await.try_collect().await.expect("all parts");
        String::from_utf8(parts.concat()).expect("UTF-8")
    }
}

#[tokio::test]
async fn whatever_a_name_or_an_output_holds_the_results_can_be_parsed() {
    let names = ["\u{fffe}", "\u{ffff}", "<&>\"'\u{1}\u{1b}[31m", "a\tb\nc", "]]>", "x", "x", "x"];
    let failed =
        Failed::with(names.map(spec).into(), b"\0\x01\xef\xbf\xbe\xef\xbf\xbf]]><b>&\xff end")
            .await;
    let text = failed.text().await;
    let document = roxmltree::Document::parse(&text).expect("XML");
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    let cases: Vec<_> = cases.filter_map(|case| case.attribute("name")).collect();
    assert_eq!(
        cases,
        [
            "\u{fffd}",
            "\u{fffd} [2]",
            "<&>\"'\u{fffd}\u{fffd}[31m",
            "a\tb\nc",
            "]]>",
            "x",
            "x [2]",
            "x [3]"
        ]
    );
    for output in document.descendants().filter(|node| node.has_tag_name("system-out")) {
        assert!(output.text().is_some_and(|text| text.ends_with("]]><b>&\u{fffd} end")), "{text}");
    }
    let totals = document.descendants().find(|node| node.has_tag_name("testsuite"));
    let totals = totals.expect("an element");
    let numbers = ["tests", "failures", "errors", "skipped"].map(|name| totals.attribute(name));
    assert_eq!(numbers, [Some("8"), Some("8"), Some("0"), Some("0")]);
}

#[tokio::test]
async fn what_a_batch_says_as_a_run_is_in_properties_of_its_suite() {
    let mut failed = Failed::with(vec![spec("a"), spec("b")], b"it broke\n").await;
    let text = failed.text().await;
    let document = roxmltree::Document::parse(&text).expect("XML");
    let properties = document.descendants().filter(|node| node.has_tag_name("property"));
    let told = |name: &str| {
        let found = properties.clone().find(|it| it.attribute("name") == Some(name));
        found.and_then(|it| it.attribute("value")).map(str::to_owned)
    };
    let parents = properties.clone().filter_map(|it| it.parent_element()?.parent_element());
    assert!(
        parents.clone().next().is_some() && parents.clone().all(|it| it.has_tag_name("testsuite"))
    );
    let names = ["series", "verdict.status", "verdict.gate", "verdict.final", "verdict.summary"];
    let values = names.map(|name| told(&format!("jobrunner.{name}")));
    let expected = ["a batch", "fail", "failed", "true", "2 new of 2"];
    assert_eq!(values, expected.map(|value| Some(value.to_owned())));
    let numbers = ["new", "passed", "slower", "total"];
    let numbers = numbers.map(|class| told(&format!("jobrunner.verdict.{class}")));
    assert_eq!(numbers, ["2", "0", "0", "2"].map(|value| Some(value.to_owned())));
    assert_eq!(told("jobrunner.revision.dirty"), None);

    let service = &failed.embedded.service;
    let caller = service.local_admin().await.expect("an answer").expect("an admin");
    let revision = Revision { branch: Some("a \"b\" <c>".to_owned()), ..Revision::default() };
    let batch = NewBatch { revision: Some(revision), ..new_batch("with a revision") };
    let order = BatchOrder { owner: caller.id, batch, idempotency: None };
    let jobs = Box::new([Ok(spec("a"))].into_iter());
    failed.batch = failed.fixture.store.submit_batch(order, jobs).await.expect("stored").id;
    let text = failed.text().await;
    let document = roxmltree::Document::parse(&text).expect("XML");
    let value = |name| {
        let found = document.descendants().find(|it| it.attribute("name") == Some(name));
        found.and_then(|it| it.attribute("value")).map(str::to_owned)
    };
    assert_eq!(value("jobrunner.revision.branch").as_deref(), Some("a \"b\" <c>"));
    assert_eq!(value("jobrunner.revision.dirty").as_deref(), Some("false"));
    assert_eq!(value("jobrunner.verdict.final").as_deref(), Some("false"));

    let none = NewBatch { series: SeriesChoice::None, ..new_batch("no run") };
    let order = BatchOrder { owner: caller.id, batch: none, idempotency: None };
    let jobs = Box::new([Ok(spec("a"))].into_iter());
    failed.batch = failed.fixture.store.submit_batch(order, jobs).await.expect("stored").id;
    assert!(!failed.text().await.contains("<propert"));
}

#[tokio::test]
async fn what_was_skipped_is_a_skipped_case_and_no_failure() {
    let mut failed = Failed::with(vec![spec("failed")], b"").await;
    let caller = failed.embedded.service.local_admin().await.expect("an answer");
    let members = ["skipped", "passed"].map(spec).into();
    failed.batch = failed.fixture.batch(caller.expect("an admin").id, members).await;
    let hand = failed.fixture.hand().await;
    let lease = hand.start_one().await.lease;
    let report = Finish { outcome: skip(), ..hand.report(lease, None) };
    failed.fixture.store.finish(&[report]).await.expect("an answer");
    hand.run_one(None).await;

    let text = failed.text().await;

    let document = roxmltree::Document::parse(&text).expect("XML");
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite"));
    let totals = ["tests", "skipped", "failures", "errors"]
        .map(|name| suite.and_then(|suite| suite.attribute(name)));
    assert_eq!(totals, [Some("2"), Some("1"), Some("0"), Some("0")]);
    let skipped: Vec<_> =
        document.descendants().filter(|node| node.has_tag_name("skipped")).collect();
    let [skipped] = skipped.as_slice() else { panic!("one case is skipped: {text}") };
    let said = ["message", "type"].map(|name| skipped.attribute(name));
    assert_eq!(said, [Some("exited with code 77"), Some("skipped")]);
    assert_eq!(skipped.parent().and_then(|case| case.attribute("name")), Some("skipped"));
}

#[tokio::test]
async fn a_part_of_the_results_is_small_and_what_follows_is_not_read_before_it_is_asked_for() {
    const OUTPUT: &[u8] = &[b'x'; 16 * 1024];
    const JOBS: usize = 60;
    let failed = Failed::with(vec![spec("j"); JOBS], OUTPUT).await;
    let mut parts = 0;
    let mut document = failed.document().await;
    while let Some(part) = document.next().await {
        let part = part.expect("a part");
        assert!(part.len() <= 4 * OUTPUT.len(), "a part of {} bytes", part.len());
        parts += 1;
    }
    assert!(parts >= JOBS * OUTPUT.len() / (4 * OUTPUT.len()), "{parts} parts");

    let mut document = failed.document().await;
    for _ in 0..2 {
        document.next().await.expect("a part").expect("a part");
    }
    // Output that had been read ahead would still come.
    failed.fixture.store.delete_batch(failed.batch).await.expect("deleted");
    let rest: Vec<_> = document.collect().await;
    assert!(rest.first().is_some_and(Result::is_err), "the rest was read ahead");
}

/// A case of a class; its message is that of a failure.
fn case(class: &str, name: &str, status: CaseStatus) -> Case {
    Case {
        class: class.into(),
        name: name.to_owned(),
        file: None,
        status,
        flaky: false,
        duration_ms: Some(1500),
        message: (status == CaseStatus::Failed).then(|| "why <&>\nat line 1".to_owned()),
    }
}

#[tokio::test]
async fn the_tests_of_a_job_are_a_suite_of_their_own() {
    let mut batch = Failed::with(vec![spec("failed")], b"").await;
    let caller = batch.embedded.service.local_admin().await.expect("an answer");
    let members = ["one", "without", "two"].map(spec).into();
    batch.batch = batch.fixture.batch(caller.expect("an admin").id, members).await;
    let hand = batch.fixture.hand().await;
    let many = vec![case("", "same", CaseStatus::Passed); 1200];
    let few = vec![
        case("c.D", "fails \u{1b}", CaseStatus::Failed),
        Case { flaky: true, ..case("c.D", "flaky", CaseStatus::Passed) },
        case("c.D", "left out", CaseStatus::Skipped),
    ];
    for cases in [Some(few), None, Some(many)] {
        let lease = hand.start_one().await.lease;
        let report = cases.map(|cases| Report { cases: cases.into(), error: None });
        let report = Finish { report, ..hand.report(lease, None) };
        batch.fixture.store.finish(&[report]).await.expect("an answer");
    }

    let text = batch.text().await;

    let document = roxmltree::Document::parse(&text).expect("XML");
    let suites: Vec<_> =
        document.descendants().filter(|node| node.has_tag_name("testsuite")).collect();
    let told: Vec<_> = suites
        .iter()
        .map(|suite| {
            let cases = suite.children().filter(|node| node.has_tag_name("testcase")).count();
            (["name", "tests", "failures", "skipped"].map(|it| suite.attribute(it)), cases)
        })
        .collect();
    assert_eq!(told[0], ([Some("a batch"), Some("3"), Some("0"), Some("0")], 3));
    assert_eq!(told[1], ([Some("one"), Some("3"), Some("1"), Some("1")], 3));
    assert_eq!(told[2], ([Some("two"), Some("1200"), Some("0"), Some("0")], 1200));
    let failure = document.descendants().find(|node| node.has_tag_name("failure"));
    let failure = failure.expect("a failure");
    assert_eq!(failure.attribute("message"), Some("why <&>"));
    assert_eq!(failure.text(), Some("why <&>\nat line 1"));
    let of = failure.parent().expect("a case");
    let said = ["name", "classname", "time"].map(|it| of.attribute(it));
    assert_eq!(said, [Some("fails \u{fffd}"), Some("one › c.D"), Some("1.500")]);
    let cases = suites[2].children().filter_map(|case| case.attribute("name"));
    let names: std::collections::HashSet<_> = cases.collect();
    assert_eq!(names.len(), 1200, "each has a name of its own");
}
