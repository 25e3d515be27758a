//! Submitting.

use std::time::Duration;

use chrono::{TimeDelta, TimeZone, Utc};
use futures_util::future::join_all;

use crate::{
    Conflict, Error, JobSpec, Status, UserId,
    batch::{Counts, RerunOnly},
    job::{JobFilter, Reason},
    page::PageRequest,
    retry::{Retry, RetryKind, RetryOn},
    store::{BatchOrder, Idempotency, Specs},
    testkit::{Fixture, new_batch, spec, wait_until},
    user::Scope,
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
        skip_exit_codes: vec![77, 255],
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
    assert!(first.made_at.is_some());
    assert_eq!((again.id, again.made_at), (first.id, None));
    let different = store.submit_job(owner, spec("b"), key("k", 2)).await;
    assert!(matches!(different, Err(Error::Conflict(Conflict::KeyReused))), "{different:?}");
    assert!(
        store.submit_job(other, spec("b"), key("k", 2)).await.expect("stored").made_at.is_some()
    );

    let order = || BatchOrder { owner, batch: new_batch("b"), idempotency: key("batch", 3) };
    let specs = || -> Specs { Box::new([Ok(spec("m"))].into_iter()) };
    let first = store.submit_batch(order(), specs()).await.expect("stored");
    let again = store.submit_batch(order(), specs()).await.expect("answered");
    assert_eq!((again.id, again.made_at), (first.id, None));
    assert_eq!(store.counts(Scope::Owner(owner), None).await.expect("counts").total, 2);
}

/// A request that is sent again after what it made was deleted makes nothing: its key still stands
/// for that.
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
    assert_eq!((again.id, again.made_at), (job, None));
    let again = store.submit_batch(order(), specs()).await.expect("answered");
    assert_eq!((again.id, again.made_at), (batch, None));
    assert_eq!(store.counts(Scope::Owner(owner), None).await.expect("counts").total, 0);
}

/// Submissions that arrive together are stored together, whosever they are and whatever else is
/// among them: each once, counted, and claimable when it is due.
pub async fn p1_of_many_submitted_at_once_each_is_stored_once(fixture: &Fixture) {
    let owners = [UserId::new(), UserId::new(), UserId::new()];
    let job = |n: usize| JobSpec {
        queue: ["a", "b"][n % 2].to_owned(),
        scheduled_at: (n % 5 == 4).then(|| Utc::now() + TimeDelta::days(1)),
        ..spec(&n.to_string())
    };
    // Every third has a key. From the fifteenth on these were used before, for something else.
    let once = |n: usize| {
        n.is_multiple_of(3).then(|| key(&(n % 15).to_string(), u8::from(n >= 15))).flatten()
    };
    let first = (0..15).chain(0..15);
    for round in [first.collect::<Vec<_>>(), (0..60).collect(), (0..60).collect()] {
        let submit = |(n, owner): (usize, UserId)| async move {
            (n, fixture.store.submit_job(owner, job(n), once(n)).await)
        };
        let pairs = round.iter().flat_map(|n| owners.map(|owner| (*n, owner)));
        for (n, submitted) in join_all(pairs.map(submit)).await {
            match once(n).is_some() && n >= 15 {
                true => assert!(
                    matches!(submitted, Err(Error::Conflict(Conflict::KeyReused))),
                    "{submitted:?}"
                ),
                false => assert!(submitted.is_ok(), "{n}: {submitted:?}"),
            }
        }
    }
    // Five with a key, and ten without of the first fifteen, twice, and forty of each sixty.
    let expected = 5 + 2 * 10 + 2 * 40;
    for owner in owners {
        let counts = fixture.store.counts(Scope::Owner(owner), None).await.expect("counts");
        assert_eq!((counts.total, counts.waiting), (expected, expected));
        let filter = JobFilter::default();
        let page = fixture
            .store
            .jobs(Scope::Owner(owner), &filter, PageRequest::first(1000))
            .await
            .expect("a list");
        assert_eq!(page.items.len() as u64, expected, "the count equals a recount");
    }
    let filter = JobFilter::default();
    let page =
        fixture.store.jobs(Scope::All, &filter, PageRequest::first(1000)).await.expect("a list");
    let due = page.items.iter().filter(|job| job.spec.scheduled_at.is_none()).count();
    let mut claimed = 0;
    let hand = fixture.hand().await;
    while claimed < due {
        let leased = hand.claim(200).await.len();
        assert!(leased > 0, "{claimed} of {due} were claimed");
        claimed += leased;
    }
    assert_eq!((claimed, hand.claim(200).await.len()), (due, 0), "what is not due waits");
}

/// Alone and among others: what the caller is told is what will be read.
pub async fn p1_a_job_was_made_when_the_answer_says(fixture: &Fixture) {
    let owner = UserId::new();
    let submit = |n: usize| fixture.store.submit_job(owner, spec(&n.to_string()), None);
    let first = submit(0).await.expect("stored");
    let others = join_all((1..20).map(submit)).await.into_iter().map(|s| s.expect("stored"));
    for submitted in others.chain([first]) {
        let read = fixture.look(submitted.id).await.created_at;
        assert_eq!(submitted.made_at, Some(read));
    }
}

/// Whoever waits for an answer no longer leaves nothing half done.
pub async fn p1_callers_who_go_away_leave_the_counts_right(fixture: &Fixture) {
    let owner = UserId::new();
    for n in 0..20 {
        let submitting =
            join_all((0..20).map(|_| fixture.store.submit_job(owner, spec("j"), None)));
        // Between nothing and all of it, so that the callers go away in every state.
        let gone = tokio::time::timeout(Duration::from_micros(150 * n), submitting).await;
        drop(gone);
    }
    let last = fixture.job(owner, spec("last")).await;
    let filter = JobFilter::default();
    let listed = wait_until("what was begun to be done, and counted", || async {
        let page = fixture
            .store
            .jobs(Scope::All, &filter, PageRequest::first(1000))
            .await
            .expect("a list");
        let counts = fixture.store.counts(Scope::Owner(owner), None).await.expect("counts");
        (counts.waiting == page.items.len() as u64).then_some(page.items)
    });
    assert!(listed.await.iter().any(|job| job.id == last));
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

    let filter = JobFilter::default();
    let jobs =
        fixture.store.jobs(Scope::All, &filter, PageRequest::first(10)).await.expect("a list");
    assert_eq!(jobs.items, []);
    assert_eq!(fixture.store.counts(Scope::All, None).await.expect("counts"), Counts::default());
    assert_eq!(fixture.hand().await.claim(10).await.len(), 0);
    let kept = fixture.store.submit_batch(order(), Box::new([Ok(spec("m"))].into_iter())).await;
    assert!(kept.expect("the key is still free").made_at.is_some());
}

/// Thousands of members, all there, in pages that continue one another.
pub async fn p1_a_large_batch_is_stored_whole_and_paged_newest_first(fixture: &Fixture) {
    const SIZE: usize = 2_500;
    let owner = UserId::new();
    let names = |n: usize| format!("test {n}");
    let batch = fixture.batch(owner, (0..SIZE).map(|n| spec(&names(n))).collect()).await;
    let counts = fixture.look_at_batch(batch).await.counts;
    assert_eq!((counts.total, counts.waiting), (SIZE as u64, SIZE as u64));

    let filter = JobFilter { batch: Some(batch), ..JobFilter::default() };
    let mut found = Vec::new();
    let mut page = PageRequest::first(999);
    loop {
        let part = fixture.store.jobs(Scope::All, &filter, page).await.expect("a list");
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
    assert!(
        matches!(early, Err(Error::Conflict(Conflict::NothingToRerun))),
        "nothing failed yet: {early:?}"
    );
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
