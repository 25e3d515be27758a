//! The past of tests, as it is read.

use super::results::{
    End::{By, Fail, Pass},
    Team,
};
use crate::{
    BatchId, NewBatch, ProjectName, UserId,
    batch::{NameFilter, RerunOnly},
    history::{RunFilter, Series, SeriesFilter, SeriesTest, TestFilter},
    job::Reason,
    page::PageRequest,
    series::{Revision, SeriesChoice},
    testkit::{Fixture, new_batch, spec},
    user::Scope,
    verdict::{Class, Outcome},
};

async fn seen(fixture: &Fixture, scope: Scope, filter: SeriesFilter) -> Vec<Series> {
    let page = fixture.store.series_list(scope, &filter, PageRequest::first(100)).await;
    page.expect("a page").items
}

/// The series `s` of an owner.
async fn series(fixture: &Fixture, owner: UserId) -> Series {
    let mut seen = seen(fixture, Scope::Owner(owner), SeriesFilter::default()).await;
    assert_eq!(seen.len(), 1);
    seen.remove(0)
}

/// The numbers of the last runs of a series, newest first.
async fn runs(fixture: &Fixture, series: &Series) -> Vec<u64> {
    let filter = RunFilter { with_reruns: true, ..RunFilter::default() };
    let runs = fixture.store.runs(series.number, &filter, PageRequest::first(100)).await;
    runs.expect("runs").items.into_iter().map(|run| run.number).collect()
}

/// All tests, read in pages of `limit`.
async fn tests(
    fixture: &Fixture,
    series: &Series,
    filter: &TestFilter,
    limit: u32,
) -> Vec<SeriesTest> {
    let runs = runs(fixture, series).await;
    let mut page = PageRequest::first(limit);
    let mut all = Vec::new();
    loop {
        let found = fixture.store.tests(series.number, &runs, filter, page).await.expect("tests");
        assert!(found.items.len() <= limit as usize);
        all.extend(found.items);
        let Some(cursor) = found.next_cursor else { return all };
        page = PageRequest::parse(Some(limit), Some(&cursor)).expect("a cursor");
    }
}

fn names(tests: &[SeriesTest]) -> Vec<&str> {
    tests.iter().map(|test| test.named.test.as_str()).collect()
}

fn at(sha: &str) -> NewBatch {
    let revision = Revision { sha: Some(sha.to_owned()), ..Revision::default() };
    NewBatch { revision: Some(revision), ..new_batch("s") }
}

/// Members of a project share its series, whoever submits to it; what is without a project is its
/// owner's alone.
pub async fn a_series_is_of_its_project_or_of_its_owner(fixture: &Fixture) {
    let [one, other] = [Team::new(fixture).await, Team::new(fixture).await];
    let web: ProjectName = format!("p{}", one.owner.as_uuid().simple()).parse().expect("a name");
    let in_web = || NewBatch { project: Some(web.clone()), ..new_batch("s") };
    let of_web = one.run_of(in_web(), &[("a", Pass)]).await;
    let again = other.run_of(in_web(), &[("a", Fail("x"))]).await;
    let own = other.run(&[("a", Fail("x"))]).await;
    let batch = fixture.look_at_batch(again).await;
    assert_eq!(batch.series_id, fixture.look_at_batch(of_web).await.series_id);
    assert_ne!(batch.series_id, fixture.look_at_batch(own).await.series_id);
    assert_eq!(fixture.store.verdict(again).await.expect("one").expect("one").counts.new, 1);

    let of_project = seen(fixture, Scope::Projects([web.clone()].into()), Default::default()).await;
    let [shared] = &of_project[..] else { panic!("{of_project:?}") };
    assert_eq!((shared.name.as_str(), shared.project.as_ref()), ("s", Some(&web)));
    assert_eq!(shared.last_run.as_ref().expect("a run").batch_id, again);
    let mine = seen(fixture, Scope::Owner(one.owner), SeriesFilter::default()).await;
    assert_eq!(mine.iter().map(|it| it.id).collect::<Vec<_>>(), [shared.id]);
    let theirs = seen(fixture, Scope::Owner(other.owner), SeriesFilter::default()).await;
    assert!(theirs.len() == 1 && theirs[0].project.is_none());
    let either = Scope::of(other.owner, [web.clone()]);
    assert_eq!(seen(fixture, either.clone(), SeriesFilter::default()).await.len(), 2);
    let named = |name: &str| SeriesFilter {
        name: Some(NameFilter::from(name.to_owned())),
        ..SeriesFilter::default()
    };
    assert_eq!(seen(fixture, either.clone(), named("s*")).await.len(), 2);
    assert_eq!(seen(fixture, either.clone(), named("t")).await.len(), 0);
    let only = SeriesFilter { project: Some(web.clone()), ..SeriesFilter::default() };
    assert_eq!(seen(fixture, either.clone(), only).await.len(), 1);
    assert!(seen(fixture, Scope::Nothing, SeriesFilter::default()).await.is_empty());

    let store = &fixture.store;
    let stranger = Scope::Owner(UserId::new());
    assert_eq!(store.series(shared.id, stranger.clone()).await.expect("an answer"), None);
    assert!(store.series(shared.id, either.clone()).await.expect("an answer").is_some());
    let test = tests(fixture, shared, &TestFilter::default(), 10).await[0].named.test_id;
    assert_eq!(store.test(test, stranger).await.expect("an answer"), None);
    let (of, named) = store.test(test, either).await.expect("an answer").expect("a test");
    assert_eq!((of.id, named.test.as_str()), (shared.id, "a"));
}

/// In pages, with what each came to; what repeats tests of another is among them if asked for.
pub async fn the_runs_of_a_series_are_told_newest_first(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let first = team.run_of(at("4f2a"), &[("a", Pass)]).await;
    let on_topic = Revision { branch: Some("topic".to_owned()), ..Revision::default() };
    let topic = NewBatch { revision: Some(on_topic), ..new_batch("s") };
    let second = team.run_of(topic, &[("a", Fail("x"))]).await;
    let third = team.submit(new_batch("s"), vec![spec("a")]).await;
    let store = &fixture.store;
    let again = store.rerun_batch(team.owner, second, RerunOnly::All).await.expect("a rerun");
    let series = series(fixture, team.owner).await;
    let batches = async |filter: RunFilter, limit: u32| {
        let mut page = PageRequest::first(limit);
        let mut all: Vec<BatchId> = Vec::new();
        loop {
            let found = store.runs(series.number, &filter, page).await.expect("runs");
            all.extend(found.items.into_iter().map(|run| run.batch_id));
            let Some(cursor) = found.next_cursor else { return all };
            page = PageRequest::parse(Some(limit), Some(&cursor)).expect("a cursor");
        }
    };
    for limit in [1, 2, 100] {
        let all = RunFilter { with_reruns: true, branch: None };
        assert_eq!(batches(all, limit).await, [again, third, second, first]);
        assert_eq!(batches(RunFilter::default(), limit).await, [third, second, first]);
    }
    let of_topic = RunFilter { branch: Some("topic".to_owned()), with_reruns: false };
    assert_eq!(batches(of_topic, 10).await, [second]);
    let runs = store.runs(series.number, &RunFilter::default(), PageRequest::first(10)).await;
    let runs = runs.expect("runs").items;
    assert!(runs[0].counts.is_none() && runs[0].finished_at.is_none());
    assert_eq!(runs[1].counts.expect("it has ended").new, 1);
    assert_eq!((runs[1].verdict.summary.as_str(), runs[1].is_rerun), ("1 new of 1", false));
    assert_eq!(runs[2].revision.as_ref().and_then(|it| it.sha.as_deref()), Some("4f2a"));
    assert!(runs[2].finished_at.is_some() && runs[2].name.as_deref() == Some("s"));
    assert_eq!(series.last_run.map(|run| run.batch_id), Some(third));
}

/// Those that failed in the newest run before those of an older one, then all others by name, in
/// pages of any length.
pub async fn tests_that_failed_last_come_first(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    team.run(&[("gone", Fail("x")), ("a", Pass), ("b", Pass), ("z", Pass)]).await;
    team.run(&[("a", Pass), ("b", Fail("x")), ("c", Pass), ("z", Pass)]).await;
    team.run(&[("a", Pass), ("b", Pass), ("c", Pass), ("z", Fail("x")), ("y", Fail("x"))]).await;
    let series = series(fixture, team.owner).await;
    for limit in [1, 2, 3, 100] {
        let all = tests(fixture, &series, &TestFilter::default(), limit).await;
        assert_eq!(names(&all), ["y", "z", "b", "gone", "a", "c"], "{limit}");
    }
    let all = tests(fixture, &series, &TestFilter::default(), 10).await;
    assert_eq!((all[1].outcome, all[2].outcome), (Outcome::Failed, Outcome::Passed));
    let cause = all[1].cause.as_ref().expect("a cause");
    assert_eq!(cause.error_line.as_deref(), Some("x"));
    // What fails in a run that goes on is first, too.
    team.submit(new_batch("s"), vec![spec("c"), spec("later")]).await;
    let runs = runs(fixture, &series).await;
    let filter = TestFilter::default();
    let page = fixture.store.tests(series.number, &runs, &filter, PageRequest::first(10)).await;
    assert_eq!(page.expect("tests").items.len(), 6, "what has no result is not shown");
    team.work(&[("c", Fail("x"))]).await;
    let all = tests(fixture, &series, &TestFilter::default(), 2).await;
    assert_eq!(names(&all), ["c", "y", "z", "b", "gone", "a", "later"]);
    let only = fixture.store.tests(series.number, &runs[2..3], &filter, PageRequest::first(10));
    assert_eq!(names(&only.await.expect("tests").items), ["b", "a", "c", "z"]);
    let none = fixture.store.tests(series.number, &[], &filter, PageRequest::first(10)).await;
    assert!(none.expect("tests").items.is_empty());
}

/// By the last result, whatever there was before, and by names.
pub async fn tests_are_found_by_what_became_of_them_last(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    team.run(&[("a", Fail("x")), ("b", Fail("x")), ("c", Pass), ("d", Pass)]).await;
    let ends = [("a", Pass), ("b", Fail("x")), ("c", Pass), ("d", By(Reason::InputMissing))];
    team.run(&ends).await;
    let series = series(fixture, team.owner).await;
    let of = async |status: Option<Outcome>, name: &str| {
        let name = (!name.is_empty()).then(|| NameFilter::from(name.to_owned()));
        let filter = TestFilter { status, name, branch: None };
        let found = tests(fixture, &series, &filter, 1).await;
        found.into_iter().map(|test| test.named.test).collect::<Vec<_>>()
    };
    assert_eq!(of(Some(Outcome::Failed), "").await, ["b"]);
    assert_eq!(of(Some(Outcome::Passed), "").await, ["a", "c"]);
    assert_eq!(of(Some(Outcome::Infra), "").await, ["d"]);
    assert!(of(Some(Outcome::Flaky), "").await.is_empty());
    assert!(of(Some(Outcome::Skipped), "").await.is_empty());
    assert_eq!(of(None, "c").await, ["c"]);
    assert_eq!(of(None, "*").await, ["b", "a", "c", "d"]);
    assert_eq!(of(Some(Outcome::Passed), "*a*").await, ["a"]);
    assert!(of(None, "_").await.is_empty());
}

/// Once for each run, by the worse of two jobs, in pages; results of other series are none of them.
pub async fn what_became_of_a_test_is_told_newest_first(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let first = team.run_of(at("4f2a"), &[("a", Pass), ("b", Pass)]).await;
    team.run(&[("b", Pass)]).await;
    let third = team.run(&[("a", Fail("x")), ("b", Pass)]).await;
    let series = series(fixture, team.owner).await;
    let elsewhere = SeriesChoice::Named("t".to_owned());
    team.run_of(NewBatch { series: elsewhere, ..new_batch("s") }, &[("a", Pass)]).await;
    let filter = TestFilter::default();
    let found = tests(fixture, &series, &filter, 10).await;
    let a = found[0].named.test_id;
    let store = &fixture.store;
    let page = store.results(a, PageRequest::first(1)).await.expect("results");
    let [last] = &page.items[..] else { panic!("{page:?}") };
    assert_eq!((last.batch_id, last.outcome, last.attempts), (third, Outcome::Failed, 1));
    assert!(last.host.is_some() && last.cause.is_some() && last.test_id == a);
    let cursor = page.next_cursor.expect("more");
    let after = PageRequest::parse(Some(10), Some(&cursor)).expect("a cursor");
    let page = store.results(a, after).await.expect("results");
    let [before] = &page.items[..] else { panic!("{page:?}") };
    assert_eq!((before.batch_id, before.outcome), (first, Outcome::Passed));
    let sha = before.revision.as_ref().and_then(|it| it.sha.as_deref());
    assert_eq!((sha, page.next_cursor), (Some("4f2a"), None));

    let runs = runs(fixture, &series).await;
    let ids: Vec<_> = found.iter().map(|test| test.named.test_id).collect();
    let told = store.outcomes(series.number, &runs, &ids).await.expect("outcomes");
    assert_eq!(told.len(), 5);
    let of_a: Vec<u64> = told.iter().filter(|it| it.test_id == a).map(|it| it.run).collect();
    assert_eq!(of_a, [runs[0], runs[2]], "newest first");
    let one = store.outcomes(series.number, &runs[..1], &ids).await.expect("outcomes");
    assert_eq!(one.len(), 2);
    assert!(store.outcomes(series.number, &[], &ids).await.expect("outcomes").is_empty());
    fixture.store.delete_batch(first).await.expect("deleted");
    let page = store.results(a, PageRequest::first(10)).await.expect("results");
    assert_eq!(page.items.len(), 2, "results outlive their batches");
}

/// Those that were new or fixed most often; what failed all the time is none.
pub async fn tests_that_turn_are_suspected(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    for turn in 0..4 {
        let (a, c) = if turn % 2 == 0 { (Pass, Pass) } else { (Fail("x"), Pass) };
        let c = if turn == 3 { Fail("x") } else { c };
        team.run(&[("a", a), ("b", Fail("x")), ("c", c), ("d", Pass)]).await;
    }
    let series = series(fixture, team.owner).await;
    let runs = runs(fixture, &series).await;
    let of = async |name: Option<&str>, limit: u32| {
        let name = name.map(|name| NameFilter::from(name.to_owned()));
        let filter = TestFilter { name, ..TestFilter::default() };
        let found = fixture.store.suspects(series.number, &runs[..3], &filter, limit).await;
        found.expect("tests").into_iter().map(|test| test.test).collect::<Vec<_>>()
    };
    assert_eq!(of(None, 10).await, ["a", "c"]);
    assert_eq!(of(None, 1).await, ["a"]);
    assert_eq!(of(Some("c*"), 10).await, ["c"]);
}

/// Whatever other runs say, and in either direction.
pub async fn two_batches_are_compared_with_each_other_alone(fixture: &Fixture) {
    let team = Team::new(fixture).await;
    let old = team.run(&[("a", Pass), ("b", Fail("x")), ("c", Pass), ("gone", Pass)]).await;
    team.run(&[("a", Fail("x")), ("b", Pass), ("c", Fail("x"))]).await;
    let new = team.run(&[("a", Fail("x")), ("b", Fail("x")), ("c", Pass), ("more", Pass)]).await;
    let elsewhere = SeriesChoice::Named("t".to_owned());
    let of_other = NewBatch { series: elsewhere, ..new_batch("s") };
    let of_other = team.run_of(of_other, &[("a", Pass), ("only", Pass)]).await;
    let none = NewBatch { series: SeriesChoice::None, ..new_batch("s") };
    let none = team.run_of(none, &[("a", Pass)]).await;
    let store = &fixture.store;
    let counts = async |a, b| store.compare(a, b).await.expect("an answer").expect("two runs");
    let names = async |a, b, class| {
        let page = store.compared(a, b, class, PageRequest::first(100)).await.expect("a page");
        page.items.into_iter().map(|test| test.test).collect::<Vec<_>>()
    };
    let told = counts(new, old).await;
    assert_eq!((told.new, told.still, told.passed, told.missing), (1, 1, 2, 1));
    assert_eq!(names(new, old, Class::New).await, ["a"]);
    assert_eq!(names(new, old, Class::Still).await, ["b"]);
    assert_eq!(names(new, old, Class::Missing).await, ["gone"]);
    let mut passed = names(new, old, Class::Passed).await;
    passed.sort();
    assert_eq!(passed, ["c", "more"]);
    let back = counts(old, new).await;
    assert_eq!((back.fixed, back.still, back.missing), (1, 1, 1));
    assert_eq!(names(old, new, Class::Fixed).await, ["a"]);
    // A test has the same name in every series.
    assert_eq!(counts(new, of_other).await.new, 2);
    assert_eq!(names(new, of_other, Class::Missing).await, ["only"]);
    assert_eq!(store.compare(new, none).await.expect("an answer"), None);
    assert_eq!(store.compare(none, new).await.expect("an answer"), None);
}
