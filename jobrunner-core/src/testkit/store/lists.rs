//! Looking and deleting.

use std::{collections::HashMap, time::Duration};

use crate::{
    BatchId, Conflict, Error, Job, Status, UserId,
    batch::{BatchFilter, Counts, NameFilter},
    job::{JobFilter, Order, Reason},
    page::PageRequest,
    store::BatchOrder,
    testkit::{Fixture, new_batch, spec},
    user::Scope,
};

async fn names(fixture: &Fixture, scope: Scope, filter: JobFilter) -> Vec<String> {
    let page = fixture.store.jobs(scope, &filter, PageRequest::first(100)).await.expect("a list");
    let mut names: Vec<_> = page.items.into_iter().map(|job: Job| job.spec.name).collect();
    names.sort();
    names
}

/// Forwards and backwards, page by page, whatever the page size; what did not start comes last by
/// duration.
pub async fn members_are_listed_in_the_order_that_is_asked_for(fixture: &Fixture) {
    let owner = UserId::new();
    let order_of_names = ["b", "a", "c", "B", "a"];
    let batch = fixture.batch(owner, order_of_names.map(spec).into()).await;
    fixture.batch(owner, vec![spec("of another batch")]).await;
    let hand = fixture.hand().await;
    let ids: Vec<_> = fixture.members(batch).await.into_iter().map(|job| job.id).collect();
    for (place, millis) in [(0, 300), (2, 100), (3, 200)] {
        let pick = crate::lease::Pick::Ids(vec![ids[place]]);
        let lease = fixture.store.claim(hand.session, pick).await.expect("a claim")[0].lease;
        let failed = (place == 3).then_some(Reason::ExitCode);
        let mut report = hand.report(lease, failed);
        report.outcome.duration = Duration::from_millis(millis);
        fixture.store.finish(&[report]).await.expect("an answer");
    }
    let listed = async |order: Order, limit: u32, status: Option<Status>| {
        let filter = JobFilter { batch: Some(batch), order, status, ..JobFilter::default() };
        let (mut found, mut page) = (Vec::new(), PageRequest::first(limit));
        loop {
            let part = fixture.store.jobs(Scope::All, &filter, page).await.expect("a list");
            assert!(part.items.len() <= limit as usize);
            let places = part.items.iter().map(|job| ids.iter().position(|id| *id == job.id));
            found.extend(places.map(|place| place.expect("a member")));
            let Some(cursor) = part.next_cursor else { return found };
            page = PageRequest::parse(Some(limit), Some(&cursor)).expect("a cursor");
        }
    };
    for limit in [1, 2, 100] {
        assert_eq!(listed(Order::Oldest, limit, None).await, [0, 1, 2, 3, 4]);
        assert_eq!(listed(Order::Newest, limit, None).await, [4, 3, 2, 1, 0]);
        assert_eq!(listed(Order::Name, limit, None).await, [3, 1, 4, 0, 2]);
        assert_eq!(listed(Order::NameDown, limit, None).await, [2, 0, 4, 1, 3]);
        assert_eq!(listed(Order::Shortest, limit, None).await, [2, 3, 0, 1, 4]);
        assert_eq!(listed(Order::Longest, limit, None).await, [0, 3, 2, 1, 4]);
        let passed = Some(Status::Passed);
        assert_eq!(listed(Order::Longest, limit, passed).await, [0, 2]);
        assert_eq!(listed(Order::Name, limit, Some(Status::Waiting)).await, [1, 4]);
        assert_eq!(listed(Order::NameDown, limit, Some(Status::Failed)).await, [3]);
    }
}

/// Each filter alone and together.
pub async fn lists_show_what_the_filter_asks_for(fixture: &Fixture) {
    let (owner, other) = (UserId::new(), UserId::new());
    let gpu = crate::JobSpec { queue: "gpu".to_owned(), ..spec("d[1]") };
    let batch = fixture.batch(owner, vec![spec("a"), spec("b"), spec("c"), gpu]).await;
    fixture.job(other, spec("e")).await;
    let hand = fixture.hand().await;
    let members = fixture.members(batch).await;
    for (job, reason) in members.iter().zip([None, Some(Reason::ExitCode)]) {
        let pick = crate::lease::Pick::Ids(vec![job.id]);
        let lease = fixture.store.claim(hand.session, pick).await.expect("a claim")[0].lease;
        hand.finish(lease, reason).await;
    }
    let all = || JobFilter::default();
    let with = |status| JobFilter { status: Some(status), ..all() };
    assert_eq!(names(fixture, Scope::All, with(Status::Waiting)).await, ["c", "d[1]", "e"]);
    let pick = crate::lease::Pick::Ids(vec![members[2].id]);
    fixture.store.claim(hand.session, pick).await.expect("a claim");
    assert_eq!(names(fixture, Scope::All, all()).await, ["a", "b", "c", "d[1]", "e"]);
    assert_eq!(names(fixture, Scope::All, with(Status::Waiting)).await, ["d[1]", "e"]);
    assert_eq!(names(fixture, Scope::All, with(Status::Running)).await, ["c"]);
    assert_eq!(names(fixture, Scope::All, with(Status::Passed)).await, ["a"]);
    assert_eq!(names(fixture, Scope::All, with(Status::Failed)).await, ["b"]);
    assert_eq!(names(fixture, Scope::All, with(Status::Canceled)).await, [""; 0]);

    for (status, reason, expected) in [
        (None, Reason::ExitCode, &["b"][..]),
        (Some(Status::Failed), Reason::ExitCode, &["b"]),
        (Some(Status::Passed), Reason::ExitCode, &[]),
        (None, Reason::Timeout, &[]),
        (None, Reason::Canceled, &[]),
    ] {
        for batch in [None, Some(batch)] {
            let filter = JobFilter { status, batch, reason: Some(reason), ..all() };
            assert_eq!(names(fixture, Scope::All, filter).await, expected, "{status:?} {reason:?}");
        }
        let filter = JobFilter { owner: Some(owner), status, reason: Some(reason), ..all() };
        assert_eq!(names(fixture, Scope::All, filter).await, expected, "{status:?} {reason:?}");
    }

    let of_batch = || JobFilter { batch: Some(batch), ..all() };
    assert_eq!(names(fixture, Scope::All, of_batch()).await, ["a", "b", "c", "d[1]"]);
    let running = JobFilter { status: Some(Status::Running), ..of_batch() };
    assert_eq!(names(fixture, Scope::All, running).await, ["c"]);
    let gpu = JobFilter { queue: Some("gpu".to_owned()), ..of_batch() };
    assert_eq!(names(fixture, Scope::All, gpu).await, ["d[1]"]);
    assert_eq!(names(fixture, Scope::All, JobFilter { owner: Some(other), ..all() }).await, ["e"]);
    let named = |name: &str| JobFilter { name: Some(name.to_owned()), ..all() };
    assert_eq!(names(fixture, Scope::All, named("d[1]")).await, ["d[1]"]);
    assert_eq!(names(fixture, Scope::All, named("d*")).await, ["d[1]"]);
    assert_eq!(names(fixture, Scope::All, named("%")).await, [""; 0]);
    assert_eq!(names(fixture, Scope::All, named("?")).await, [""; 0]);
    fixture.recount(batch).await;
}

/// A batch whose name has a `*` in it is found alone by its name, newest first and within the
/// scope.
pub async fn batches_are_found_by_their_name_or_a_pattern(fixture: &Fixture) {
    let (owner, other) = (UserId::new(), UserId::new());
    for (owner, name) in [(owner, "n*"), (owner, "night"), (other, "n*"), (owner, "n*")] {
        let batch = new_batch(name);
        let order = BatchOrder { owner, batch, idempotency: None };
        let specs = Box::new([Ok(spec("a"))].into_iter());
        fixture.store.submit_batch(order, specs).await.expect("a batch");
    }
    let found = async |name: NameFilter, scope: Scope, limit: u32| {
        let filter = BatchFilter { name: Some(name), ..BatchFilter::default() };
        let (mut names, mut page) = (Vec::new(), PageRequest::first(limit));
        loop {
            let part = fixture.store.batches(scope.clone(), &filter, page).await.expect("a list");
            names.extend(part.items.into_iter().map(|batch| (batch.owner_id == owner, batch.name)));
            let Some(cursor) = part.next_cursor else { return names };
            page = PageRequest::parse(Some(limit), Some(&cursor)).expect("a cursor");
        }
    };
    let exactly = || NameFilter::Exactly("n*".to_owned());
    let of =
        |whose: &[bool]| -> Vec<_> { whose.iter().map(|own| (*own, "n*".to_owned())).collect() };
    for limit in [1, 100] {
        assert_eq!(found(exactly(), Scope::All, limit).await, of(&[true, false, true]));
        assert_eq!(found(exactly(), Scope::Owner(other), limit).await, of(&[false]));
        assert_eq!(found(exactly(), Scope::Nothing, limit).await, []);
        let typed = NameFilter::from("n*".to_owned());
        assert_eq!(found(typed, Scope::Owner(owner), limit).await.len(), 3);
        let typed = NameFilter::from("night".to_owned());
        assert_eq!(found(typed, Scope::All, limit).await, [(true, "night".to_owned())]);
    }
}

/// What the scope does not contain is as if it were not there.
pub async fn p12_nothing_is_found_out_of_scope(fixture: &Fixture) {
    let (owner, other) = (UserId::new(), UserId::new());
    let batch = fixture.batch(owner, vec![spec("a")]).await;
    let job = fixture.members(batch).await[0].id;
    let store = &fixture.store;
    for scope in [Scope::Nothing, Scope::Owner(other)] {
        assert_eq!(store.job(job, scope.clone()).await.expect("an answer"), None);
        assert_eq!(store.batch(batch, scope.clone()).await.expect("an answer"), None);
        assert!(store.batch_names(&[batch], scope.clone()).await.expect("names").is_empty());
        for owner in [None, Some(owner)] {
            let filter = JobFilter { owner, ..JobFilter::default() };
            assert_eq!(names(fixture, scope.clone(), filter).await, [""; 0]);
            let filter = JobFilter { batch: Some(batch), owner, ..JobFilter::default() };
            assert_eq!(names(fixture, scope.clone(), filter).await, [""; 0]);
            let filter = BatchFilter { owner, ..BatchFilter::default() };
            let page = store
                .batches(scope.clone(), &filter, PageRequest::first(10))
                .await
                .expect("a list");
            assert_eq!(page.items, []);
            assert_eq!(
                store.counts(scope.clone(), owner).await.expect("counts"),
                Counts::default()
            );
        }
    }
    assert!(store.job(job, Scope::Owner(owner)).await.expect("an answer").is_some());
    let name = store.batch(batch, Scope::All).await.expect("an answer").expect("a batch").name;
    for scope in [Scope::All, Scope::Owner(owner)] {
        let found = store.batch_names(&[batch, BatchId::new()], scope).await.expect("names");
        assert_eq!(found, HashMap::from([(batch, name.clone())]));
    }
    assert_eq!(store.counts(Scope::All, Some(owner)).await.expect("counts").total, 1);
}

/// Nothing is left of it, and the counts forget it too; what has not ended stays.
pub async fn what_has_ended_can_be_deleted(fixture: &Fixture) {
    let owner = UserId::new();
    let batch = fixture.batch(owner, vec![spec("a"), spec("b")]).await;
    let hand = fixture.hand().await;
    let first = hand.run_one(None).await.job;
    let second = hand.start_one().await.lease;
    for refused in
        [fixture.store.delete_job(second.job).await, fixture.store.delete_batch(batch).await]
    {
        assert!(
            matches!(refused, Err(Error::Conflict(Conflict::JobOpen { .. } | Conflict::BatchOpen))),
            "{refused:?}"
        );
    }
    fixture.store.delete_job(first).await.expect("deleted");
    assert!(matches!(fixture.store.delete_job(first).await, Err(Error::NotFound(_))));
    fixture.recount(batch).await;
    hand.finish(second, None).await;
    fixture.store.delete_batch(batch).await.expect("deleted");
    assert_eq!(fixture.store.batch(batch, Scope::All).await.expect("an answer"), None);
    assert_eq!(fixture.store.job(second.job, Scope::All).await.expect("an answer"), None);
    assert_eq!(fixture.store.attempts(second.job).await.expect("a list"), []);
    assert_eq!(fixture.store.counts(Scope::All, None).await.expect("counts"), Counts::default());
}
