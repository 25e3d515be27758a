//! Submitting.

use chrono::{TimeZone, Utc};

use crate::{
    Error, JobSpec, Status, UserId,
    authz::Scope,
    batch::{Counts, RerunOnly},
    job::{JobFilter, Reason},
    page::PageRequest,
    retry::{Retry, RetryKind, RetryOn},
    store::{BatchOrder, Idempotency, Specs},
    testkit::{Fixture, new_batch, spec},
};

fn key(key: &str, digest: u8) -> Option<Idempotency> {
    Some(Idempotency { key: key.to_owned(), digest: [digest; 32] })
}

/// Every field comes back as it was sent.
pub async fn p1_a_job_is_found_as_it_was_asked_for(fixture: &Fixture) {
    let owner = UserId::new();
    let asked = JobSpec {
        command: ["echo", "two words", "$(id)", "ÄÖ 日本 \u{1f600}", ""].map(str::to_owned).into(),
        env: [("A".to_owned(), "b = c".to_owned())].into(),
        payload: serde_json::Map::from_iter([("n\0".to_owned(), serde_json::json!([1.5, null]))]),
        priority: 10,
        max_attempts: 3,
        scheduled_at: Utc.timestamp_millis_opt(1_000).single(),
        inputs: vec!["/nfs/a".to_owned()],
        retry: Some(Retry {
            on: vec![RetryOn::ExitCode(75), RetryOn::Kind(RetryKind::Silent)],
            delay_seconds: 3,
            backoff: 1.5,
        }),
        silence_seconds: Some(60),
        max_output_bytes: Some(1_000),
        max_memory_mb: Some(512),
        max_open_files: Some(64),
        max_cpu_seconds: Some(7),
        ..spec("it's \"quoted\" 100%")
    };
    let before = Utc::now().timestamp_millis();
    let id = fixture.job(owner, asked.clone()).await;
    let job = fixture.look(id).await;
    assert_eq!((job.id, job.owner_id, job.batch_id, job.spec), (id, owner, None, asked));
    assert_eq!((job.status, job.attempt), (Status::Waiting, 0));
    assert_eq!((job.started_at, job.finished_at, job.result, job.error), (None, None, None, None));
    assert!((before..=Utc::now().timestamp_millis()).contains(&job.created_at.timestamp_millis()));
}

/// A repeated request makes nothing; another one with its key is refused; keys are an owner's own.
pub async fn p1_the_same_key_answers_the_same_job(fixture: &Fixture) {
    let (owner, other) = (UserId::new(), UserId::new());
    let store = &fixture.store;
    let first = store.submit_job(owner, spec("a"), key("k", 1)).await.expect("stored");
    let again = store.submit_job(owner, spec("a"), key("k", 1)).await.expect("answered");
    assert_eq!((again.id, first.fresh, again.fresh), (first.id, true, false));
    let different = store.submit_job(owner, spec("b"), key("k", 2)).await;
    assert!(matches!(different, Err(Error::Conflict(_))), "{different:?}");
    assert!(store.submit_job(other, spec("b"), key("k", 2)).await.expect("stored").fresh);

    let order = || BatchOrder { owner, batch: new_batch("b"), idempotency: key("batch", 3) };
    let specs = || -> Specs { Box::new([Ok(spec("m"))].into_iter()) };
    let first = store.submit_batch(order(), specs()).await.expect("stored");
    let again = store.submit_batch(order(), specs()).await.expect("answered");
    assert_eq!((again.id, again.fresh), (first.id, false));
    assert_eq!(store.counts(Scope::Owner(owner), None).await.expect("counts").total, 2);
}

/// A request that is sent again after what it made was deleted makes nothing: its key still stands for that.
pub async fn a_key_outlives_what_was_made_with_it(fixture: &Fixture) {
    let (owner, store) = (UserId::new(), &fixture.store);
    let order = || BatchOrder { owner, batch: new_batch("b"), idempotency: key("batch", 2) };
    let specs = || -> Specs { Box::new([Ok(spec("m"))].into_iter()) };
    let job = store.submit_job(owner, spec("a"), key("job", 1)).await.expect("stored").id;
    let batch = store.submit_batch(order(), specs()).await.expect("stored").id;
    store.cancel_job(job).await.expect("canceled");
    store.cancel_batch(batch).await.expect("canceled");
    store.delete_job(job).await.expect("deleted");
    store.delete_batch(batch).await.expect("deleted");

    let again = store.submit_job(owner, spec("a"), key("job", 1)).await.expect("answered");
    assert_eq!((again.id, again.fresh), (job, false));
    let again = store.submit_batch(order(), specs()).await.expect("answered");
    assert_eq!((again.id, again.fresh), (batch, false));
    assert_eq!(store.counts(Scope::Owner(owner), None).await.expect("counts").total, 0);
}

/// All or nothing, although the members arrive one by one.
pub async fn p1_a_batch_with_one_bad_member_stores_nothing(fixture: &Fixture) {
    let owner = UserId::new();
    let order = || BatchOrder { owner, batch: new_batch("b"), idempotency: key("k", 1) };
    let bad = |n: u32| {
        if n == 2_100 { Err(Error::invalid("jobs[2100]", "is bad")) } else { Ok(spec("m")) }
    };
    let refused = fixture.store.submit_batch(order(), Box::new((0..2_200).map(bad))).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    let empty = fixture.store.submit_batch(order(), Box::new(std::iter::empty())).await;
    assert!(matches!(empty, Err(Error::Invalid(_))), "{empty:?}");

    let filter = JobFilter { scope: Scope::All, ..JobFilter::default() };
    let jobs = fixture.store.jobs(&filter, PageRequest::first(10)).await.expect("a list");
    assert_eq!(jobs.items, []);
    assert_eq!(fixture.store.counts(Scope::All, None).await.expect("counts"), Counts::default());
    assert_eq!(fixture.hand().await.claim(10).await.len(), 0);
    let kept = fixture.store.submit_batch(order(), Box::new([Ok(spec("m"))].into_iter())).await;
    assert!(kept.expect("the key is still free").fresh);
}

/// Thousands of members, all there, in pages that continue one another.
pub async fn p1_a_large_batch_is_stored_whole_and_paged_newest_first(fixture: &Fixture) {
    const SIZE: usize = 2_500;
    let owner = UserId::new();
    let names = |n: usize| format!("test {n}");
    let batch = fixture.batch(owner, (0..SIZE).map(|n| spec(&names(n))).collect()).await;
    let counts = fixture.look_at_batch(batch).await.counts;
    assert_eq!((counts.total, counts.waiting), (SIZE as u64, SIZE as u64));

    let filter = JobFilter { scope: Scope::All, batch: Some(batch), ..JobFilter::default() };
    let mut found = Vec::new();
    let mut page = PageRequest::first(999);
    loop {
        let part = fixture.store.jobs(&filter, page).await.expect("a list");
        found.extend(part.items.into_iter().map(|job| job.spec.name));
        let Some(cursor) = part.next_cursor else {
            break;
        };
        page = PageRequest::parse(Some(999), Some(&cursor)).expect("a cursor");
    }
    let expected: Vec<String> = (0..SIZE).rev().map(names).collect();
    assert_eq!(found, expected);
}

/// Failed and canceled ones, or all; in a batch of their own that names the first.
pub async fn a_rerun_repeats_the_chosen_members(fixture: &Fixture) {
    let (owner, other) = (UserId::new(), UserId::new());
    let batch = fixture.batch(owner, ["a", "b", "c"].map(spec).into()).await;
    let early = fixture.store.rerun_batch(owner, batch, RerunOnly::Failed).await;
    assert!(matches!(early, Err(Error::Conflict(_))), "nothing failed yet: {early:?}");
    let hand = fixture.hand().await;
    hand.run_one(None).await;
    hand.run_one(Some(Reason::ExitCode)).await;
    fixture.store.cancel_batch(batch).await.expect("canceled");

    let failed = fixture.store.rerun_batch(other, batch, RerunOnly::Failed).await.expect("a batch");
    let names: Vec<_> = fixture.members(failed).await.into_iter().map(|j| j.spec.name).collect();
    assert_eq!(names, ["b", "c"]);
    let about = fixture.look_at_batch(failed).await;
    assert_eq!((about.rerun_of, about.owner_id), (Some(batch), other));
    assert_eq!((about.status, about.counts.waiting), (Status::Waiting, 2));
    let all = fixture.store.rerun_batch(owner, batch, RerunOnly::All).await.expect("a batch");
    assert_eq!(fixture.members(all).await.len(), 3);
    assert_eq!(fixture.members(batch).await[1].status, Status::Failed, "the first is as it was");
}
