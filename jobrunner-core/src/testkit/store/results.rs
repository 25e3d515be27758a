//! What became of tests from run to run.

use std::time::Duration;

use crate::{
    BatchId, JobSpec, NewBatch, UserId,
    batch::RerunOnly,
    job::Reason,
    page::PageRequest,
    series::{Baseline, Gate, Revision, SeriesChoice},
    store::BatchOrder,
    testkit::{Fixture, Hand, new_batch, spec},
    verdict::{Class, ClassCounts, ClassifiedTest, Verdict, VerdictStatus},
};

/// How a test ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Pass,
    /// It passes after so many milliseconds.
    PassIn(u64),
    /// With this last line.
    Fail(&'static str),
    By(Reason),
}

use End::{By, Fail, Pass, PassIn};

/// The owner of a series, and a worker.
pub(super) struct Team<'a> {
    fixture: &'a Fixture,
    pub(super) owner: UserId,
    hand: Hand,
}

impl<'a> Team<'a> {
    pub(super) async fn new(fixture: &'a Fixture) -> Self {
        Self { fixture, owner: UserId::new(), hand: fixture.hand().await }
    }

    pub(super) async fn submit(&self, batch: NewBatch, specs: Vec<JobSpec>) -> BatchId {
        let order = BatchOrder { owner: self.owner, batch, idempotency: None };
        let specs = Box::new(specs.into_iter().map(Ok));
        self.fixture.store.submit_batch(order, specs).await.expect("a stored batch").id
    }

    /// Runs what waits: each test ends as `tests` says of its name.
    pub(super) async fn work(&self, tests: &[(&str, End)]) {
        loop {
            let leased = self.hand.claim(1000).await;
            if leased.is_empty() {
                return;
            }
            let report = |leased: &crate::lease::Leased| {
                let name = &leased.run.spec.name;
                let end = tests.iter().find(|(test, _)| test == name).map(|(_, end)| *end);
                let reason = match end.unwrap_or(Pass) {
                    Pass | PassIn(_) => None,
                    Fail(_) => Some(Reason::ExitCode),
                    By(reason) => Some(reason),
                };
                let mut report = self.hand.report(leased.lease, reason);
                if let Some(PassIn(ms)) = end {
                    report.outcome.duration = Duration::from_millis(ms);
                }
                if let Some(Fail(line)) = end {
                    report.error_line = Some(line.to_owned());
                }
                report
            };
            let reports: Vec<_> = leased.iter().map(report).collect();
            self.hand.store().finish(&reports).await.expect("answers");
        }
    }

    /// A run of the series `s` from its begin to its end.
    pub(super) async fn run(&self, tests: &[(&str, End)]) -> BatchId {
        self.run_of(new_batch("s"), tests).await
    }

    pub(super) async fn run_of(&self, batch: NewBatch, tests: &[(&str, End)]) -> BatchId {
        let id = self.submit(batch, tests.iter().map(|(name, _)| spec(name)).collect()).await;
        self.work(tests).await;
        id
    }

    async fn verdict(&self, batch: BatchId) -> Verdict {
        let found = self.fixture.store.verdict(batch).await;
        found.expect("an answer").expect("it is a run")
    }

    async fn counts(&self, batch: BatchId) -> ClassCounts {
        self.verdict(batch).await.counts
    }

    async fn tests(&self, batch: BatchId, class: Class) -> Vec<ClassifiedTest> {
        let page = PageRequest::first(1000);
        self.fixture.store.classified(batch, class, page).await.expect("a page").items
    }

    async fn names(&self, batch: BatchId, class: Class) -> Vec<String> {
        self.tests(batch, class).await.into_iter().map(|test| test.test).collect()
    }
}

fn on(branch: &str) -> NewBatch {
    let revision = Revision { branch: Some(branch.to_owned()), ..Revision::default() };
    NewBatch { revision: Some(revision), ..new_batch("s") }
}

/// Each beside its own last result that says something, for as long as it fails alike.
pub async fn a_failure_is_new_once_then_still_there_then_fixed(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let first = team.run(&[("a", Pass), ("b", Pass)]).await;
    let broken = team.run(&[("a", Pass), ("b", Fail("x"))]).await;
    let still = team.run(&[("a", Pass), ("b", Fail("x"))]).await;
    let other = team.run(&[("a", Pass), ("b", Fail("y"))]).await;
    // It is the failure of before: the one between has mended nothing.
    let before = team.run(&[("a", Pass), ("b", Fail("x"))]).await;
    let mended = team.run(&[("a", Pass), ("b", Pass)]).await;

    assert_eq!(team.verdict(first).await.summary, "all 2 passed");
    assert_eq!(team.verdict(broken).await.summary, "1 new of 2");
    assert_eq!(team.verdict(still).await.summary, "1 still of 2");
    assert_eq!(team.verdict(other).await.summary, "1 new of 2");
    assert_eq!(team.verdict(before).await.summary, "1 still of 2");
    assert_eq!(team.verdict(mended).await.summary, "1 fixed of 2");
    let told = &team.tests(still, Class::Still).await[0];
    let since = told.since.expect("it fails");
    assert_eq!((since.batch_id, since.runs), (broken, 2));
    assert_eq!(told.last_good.as_ref().map(|good| good.batch_id), Some(first));
    let cause = told.cause.as_ref().expect("a cause");
    assert_eq!(cause.error_line.as_deref(), Some("x"));
    assert_eq!(cause.reason, Some(Reason::ExitCode));
    assert!(told.job_id.is_some() && told.test_id.numbers().is_some());
    assert_eq!(team.names(mended, Class::Fixed).await, ["b"]);
    assert_eq!(team.names(mended, Class::Passed).await, ["a"]);
    let batch = fixture.look_at_batch(still).await;
    assert_eq!(batch.series.as_deref(), Some("s"));
    assert_eq!(batch.verdict.map(|it| it.summary), Some("1 still of 2".to_owned()));
}

/// What failed by its host, was canceled, skipped, or not even in a run, changes nothing.
pub async fn only_what_says_something_is_compared_with(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    team.run(&[("a", Pass), ("b", Fail("x"))]).await;
    let lost = team.run(&[("a", By(Reason::InputMissing)), ("b", By(Reason::WorkingDir))]).await;
    let counts = team.counts(lost).await;
    assert_eq!((counts.infra, counts.total()), (2, 2));
    let empty = team.run(&[("c", Pass)]).await;
    assert_eq!(team.names(empty, Class::Missing).await, ["a", "b"]);
    let canceled = team.submit(new_batch("s"), vec![spec("a"), spec("b")]).await;
    fixture.store.cancel_batch(canceled).await.expect("canceled");
    let counts = team.counts(canceled).await;
    assert_eq!((counts.not_run, counts.total()), (2, 2));
    assert_eq!(team.names(canceled, Class::NotRun).await, ["a", "b"]);
    let next = team.run(&[("a", Fail("y")), ("b", Fail("x"))]).await;
    assert_eq!(team.names(next, Class::New).await, ["a"]);
    assert_eq!(team.names(next, Class::Still).await, ["b"]);
}

/// While it runs, a verdict says what is known; then it stays as it is.
pub async fn a_verdict_is_live_until_the_batch_has_ended(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    team.run(&[("a", Pass), ("b", Pass), ("c", Pass)]).await;
    let batch = team.submit(new_batch("s"), ["a", "b", "c"].map(spec).into()).await;
    let pending = team.verdict(batch).await;
    assert_eq!((pending.is_final, pending.status), (false, VerdictStatus::Pending));
    assert_eq!((pending.counts.total(), pending.counts.missing), (0, 0));
    let lease = team.hand.start_one().await.lease;
    team.hand.finish(lease, Some(Reason::ExitCode)).await;
    let live = team.verdict(batch).await;
    assert_eq!((live.counts.new, live.counts.total(), live.is_final), (1, 1, false));
    assert_eq!(live.summary, "so far 1 new of 1");
    assert_eq!(team.names(batch, Class::New).await.len(), 1);
    team.work(&[]).await;
    let last = team.verdict(batch).await;
    assert_eq!((last.is_final, last.status), (true, VerdictStatus::Fail));
    assert_eq!((last.counts.new, last.counts.passed, last.counts.total()), (1, 2, 3));
    assert_eq!(team.names(batch, Class::Passed).await.len(), 2);
    // What happens afterwards does not change it.
    team.run(&[("a", Fail("z"))]).await;
    assert_eq!(team.verdict(batch).await, last);
}

/// A rerun is none of the runs of its series, and is beside those before the one that it repeats.
pub async fn a_rerun_does_not_hide_the_run_that_it_repeats(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    team.run(&[("a", Pass), ("b", Pass)]).await;
    let night = team.run(&[("a", Fail("x")), ("b", Pass)]).await;
    let store = &fixture.store;
    let again = store.rerun_batch(team.owner, night, RerunOnly::Failed).await.expect("a rerun");
    team.work(&[("a", Fail("x"))]).await;
    let counts = team.counts(again).await;
    assert_eq!((counts.new, counts.missing, counts.total()), (1, 0, 1));
    let third = store.rerun_batch(team.owner, again, RerunOnly::All).await.expect("a rerun");
    team.work(&[("a", Pass)]).await;
    assert_eq!(team.counts(third).await.passed, 1);
    let next = team.run(&[("a", Fail("x")), ("b", Pass)]).await;
    let since = team.tests(next, Class::Still).await[0].since.expect("it fails");
    assert_eq!((since.batch_id, since.runs), (night, 2));
}

/// Each branch has a past of its own, unless a batch names what it is compared with.
pub async fn runs_are_compared_with_those_of_their_branch(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let main = team.run_of(on("main"), &[("a", Pass)]).await;
    let first = team.run_of(on("topic"), &[("a", Fail("x"))]).await;
    let second = team.run_of(on("topic"), &[("a", Fail("x"))]).await;
    assert_eq!(team.counts(first).await.new, 1);
    assert_eq!(team.counts(second).await.still, 1);
    let baseline = Baseline { branch: Some("main".to_owned()), batch_id: None };
    let beside_main = NewBatch { baseline: baseline.clone(), ..on("topic") };
    let third = team.run_of(beside_main, &[("a", Fail("x"))]).await;
    let verdict = team.verdict(third).await;
    assert_eq!((verdict.counts.new, verdict.baseline), (1, baseline));
    let pinned = Baseline { branch: None, batch_id: Some(second) };
    let beside_one = NewBatch { baseline: pinned.clone(), ..on("main") };
    let fourth = team.run_of(beside_one, &[("a", Fail("x"))]).await;
    let verdict = team.verdict(fourth).await;
    assert_eq!((verdict.counts.still, verdict.baseline), (1, pinned));
    let good = team.tests(third, Class::New).await[0].last_good.clone().expect("it passed");
    assert_eq!(good.batch_id, main);
    assert_eq!(good.revision.and_then(|it| it.branch).as_deref(), Some("main"));
}

/// Variants are tests of their own, and so are others of another name; a seed is no part of it.
pub async fn a_test_is_its_name_and_its_variant(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let on_os = |name: &str, os: &str, seed: i64| JobSpec {
        test: Some("t".to_owned()),
        variant: [("os".to_owned(), os.to_owned())].into(),
        seed: Some(crate::series::Seed::Number(seed)),
        ..spec(name)
    };
    team.submit(new_batch("s"), vec![on_os("a", "linux", 1), on_os("b", "bsd", 1)]).await;
    team.work(&[("a", Pass), ("b", Fail("x"))]).await;
    let batch =
        team.submit(new_batch("s"), vec![on_os("c", "linux", 2), on_os("d", "bsd", 2)]).await;
    team.work(&[("c", Fail("x")), ("d", Fail("x"))]).await;
    let new = &team.tests(batch, Class::New).await;
    assert_eq!((new.len(), new[0].test.as_str()), (1, "t"));
    assert_eq!(new[0].variant.get("os").map(String::as_str), Some("linux"));
    assert_eq!(team.counts(batch).await.still, 1);
    // Of two jobs that are the same test the worse one is told.
    let twice = team.submit(new_batch("s"), vec![on_os("e", "bsd", 3), on_os("f", "bsd", 3)]).await;
    team.work(&[("e", Pass), ("f", Fail("x"))]).await;
    let counts = team.counts(twice).await;
    assert_eq!((counts.still, counts.missing, counts.total()), (1, 1, 1));
}

/// Twice its own time of nine passes in ten, and a second more.
pub async fn a_test_that_takes_much_longer_is_slower(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    for _ in 0..3 {
        team.run(&[("a", PassIn(500)), ("b", PassIn(900)), ("c", PassIn(3000))]).await;
    }
    let slow = team.run(&[("a", PassIn(1500)), ("b", PassIn(1800)), ("c", PassIn(5000))]).await;
    let counts = team.counts(slow).await;
    assert_eq!((counts.slower, counts.passed, counts.total()), (1, 3, 3));
    assert_eq!(team.names(slow, Class::Slower).await, ["a"]);
    assert_eq!(team.names(slow, Class::Passed).await.len(), 3);
}

/// Nothing is remembered of it, nor of a single job.
pub async fn a_batch_of_no_series_has_no_verdict(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let none = NewBatch { series: SeriesChoice::None, ..new_batch("s") };
    let batch = team.run_of(none, &[("a", Fail("x"))]).await;
    assert_eq!(fixture.store.verdict(batch).await.expect("an answer"), None);
    let about = fixture.look_at_batch(batch).await;
    assert_eq!((about.series, about.verdict, about.gate), (None, None, None));
    let run = team.run(&[("a", Fail("x"))]).await;
    assert_eq!(team.counts(run).await.new, 1);
    let again = fixture.store.rerun_batch(team.owner, batch, RerunOnly::All).await.expect("again");
    assert_eq!(fixture.store.verdict(again).await.expect("an answer"), None);
}

/// The past stays when a batch is deleted, and is that of one owner's series alone.
pub async fn results_outlive_their_batch(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let gone = team.run(&[("a", Fail("x"))]).await;
    fixture.store.delete_batch(gone).await.expect("deleted");
    let next = team.run(&[("a", Fail("x"))]).await;
    let since = team.tests(next, Class::Still).await[0].since.expect("it fails");
    assert_eq!((since.batch_id, since.runs), (gone, 2));
    let others = Team { owner: UserId::new(), ..Team::new(fixture).await };
    let first = others.run(&[("a", Fail("x"))]).await;
    assert_eq!(others.counts(first).await.new, 1);
    assert_ne!(others.verdict(first).await.series_id, team.verdict(next).await.series_id);
}

/// The gate of a batch decides.
pub async fn the_gate_of_a_batch_decides_its_verdict(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let gated = |gate| NewBatch { gate, ..new_batch("s") };
    let mut told = Vec::new();
    for gate in [Gate::Failed, Gate::Failed, Gate::New, Gate::None] {
        let batch = team.run_of(gated(gate), &[("a", Fail("x"))]).await;
        told.push(team.verdict(batch).await.status);
    }
    let new = team.run_of(gated(Gate::New), &[("a", Fail("y"))]).await;
    told.push(team.verdict(new).await.status);
    let none = team.run_of(gated(Gate::None), &[("a", Fail("z"))]).await;
    told.push(team.verdict(none).await.status);
    let (pass, fail) = (VerdictStatus::Pass, VerdictStatus::Fail);
    assert_eq!(told, [fail, fail, pass, pass, fail, pass]);
}

/// Every class is read page by page, while the batch runs and afterwards.
pub async fn the_tests_of_a_class_come_in_pages(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let names: Vec<String> = (0..25).map(|n| format!("t{n:02}")).collect();
    let tests: Vec<(&str, End)> = names.iter().map(|name| (name.as_str(), Fail("x"))).collect();
    let passing: Vec<String> = (0..25).map(|n| format!("p{n:02}")).collect();
    let mut specs: Vec<JobSpec> = names.iter().rev().map(|name| spec(name)).collect();
    specs.extend(passing.iter().map(|name| spec(name)));
    let last = JobSpec { priority: 0, ..spec("last") };
    let batch = team.submit(new_batch("s"), specs.into_iter().chain([last]).collect()).await;
    let mut held = team.hand.claim(1000).await;
    while held.len() < 51 {
        held.extend(team.hand.claim(1000).await);
    }
    let last = held.pop().expect("the last one").lease;
    let report = |leased: &crate::lease::Leased| {
        let fails = tests.iter().any(|(name, _)| *name == leased.run.spec.name);
        team.hand.report(leased.lease, fails.then_some(Reason::ExitCode))
    };
    let reports: Vec<_> = held.iter().map(report).collect();
    team.hand.store().finish(&reports).await.expect("answers");
    for has_ended in [false, true] {
        if has_ended {
            team.hand.finish(last, None).await;
        }
        assert_eq!(team.verdict(batch).await.is_final, has_ended);
        let mut found = Vec::new();
        for class in [Class::New, Class::Passed] {
            let mut page = PageRequest::first(10);
            loop {
                let got = fixture.store.classified(batch, class, page).await.expect("a page");
                found.extend(got.items.into_iter().map(|test| test.test));
                let Some(cursor) = got.next_cursor else { break };
                page = PageRequest::parse(Some(10), Some(&cursor)).expect("a cursor");
            }
        }
        assert_eq!(found[..25], names);
        let mut passed = found.split_off(25);
        passed.retain(|name| name != "last");
        passed.sort_unstable();
        assert_eq!(passed, passing);
    }
}
