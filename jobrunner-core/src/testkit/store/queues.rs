//! Queues as operators see and change them.

use std::time::Duration;

use chrono::Utc;

use crate::{
    Error, JobSpec, UserId,
    job::JobFilter,
    lease::QueueUpdate,
    page::PageRequest,
    testkit::{Fixture, spec},
    user::Scope,
};

fn in_queue(name: &str) -> JobSpec {
    JobSpec { queue: name.to_owned(), ..spec("job") }
}

/// Neither a fair claim nor a proposal gets its jobs; those of others go on.
pub async fn a_paused_queue_is_left_alone_until_it_goes_on(fixture: &Fixture) {
    let owner = UserId::new();
    let paused = fixture.job(owner, in_queue("paused")).await;
    let other = fixture.job(owner, in_queue("other")).await;
    let hand = fixture.hand().await;
    let pause = |paused| QueueUpdate { paused: Some(paused), weight: None };
    fixture.store.update_queue("paused", pause(true)).await.expect("a queue");
    let claimed: Vec<_> = hand.claim(10).await.iter().map(|leased| leased.lease.job).collect();
    assert_eq!(claimed, [other]);
    assert!(hand.propose(&[paused]).await.is_empty());
    fixture.store.update_queue("paused", pause(false)).await.expect("a queue");
    let claimed: Vec<_> = hand.claim(10).await.iter().map(|leased| leased.lease.job).collect();
    assert_eq!(claimed, [paused]);
    let unknown = fixture.store.update_queue("unknown", pause(true)).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))), "{unknown:?}");
}

/// With the age of the oldest, and what was set.
pub async fn what_waits_and_runs_in_a_queue_is_told(fixture: &Fixture) {
    let owner = UserId::new();
    let first = fixture.job(owner, JobSpec { priority: 10, ..in_queue("a") }).await;
    let second = fixture.job(owner, JobSpec { priority: 1, ..in_queue("a") }).await;
    fixture.job(UserId::new(), JobSpec { priority: 9, ..in_queue("a") }).await;
    fixture.job(owner, in_queue("b")).await;
    let hand = fixture.hand().await;
    hand.propose(&[first]).await;
    let weight = QueueUpdate { paused: None, weight: Some(2.5) };
    fixture.store.update_queue("b", weight).await.expect("a queue");

    let queues = fixture.store.queues(None, 10).await.expect("queues");
    let told: Vec<_> = queues
        .iter()
        .map(|queue| {
            (queue.name.as_str(), queue.waiting, queue.running, queue.weight, queue.paused)
        })
        .collect();
    assert_eq!(told, [("a", 2, 1, 1.0, false), ("b", 1, 0, 2.5, false)]);
    let oldest = fixture.look(second).await.created_at;
    assert_eq!(queues[0].oldest_waiting_at, Some(oldest));
    let named = fixture.store.queue("b").await.expect("a queue");
    assert_eq!(named.as_ref(), queues.get(1));
    assert_eq!(fixture.store.queue("c").await.expect("an answer"), None);
    assert_eq!(fixture.store.queues(Some("a"), 10).await.expect("queues"), queues[1..]);
    assert_eq!(fixture.store.queues(None, 1).await.expect("queues"), queues[..1]);
}

/// As long as something of it waits, runs or is scheduled it is used; what somebody has set up
/// stays.
pub async fn queues_that_nobody_uses_are_forgotten(fixture: &Fixture) {
    let owner = UserId::new();
    let hand = fixture.hand().await;
    for name in ["idle", "paused", "weighed"] {
        fixture.job(owner, in_queue(name)).await;
        hand.run_one(None).await;
    }
    fixture.job(owner, in_queue("running")).await;
    let running = hand.claim(1).await[0].lease;
    let later = Some(Utc::now() + Duration::from_secs(3600));
    fixture.job(owner, JobSpec { scheduled_at: later, ..in_queue("scheduled") }).await;
    fixture.job(owner, in_queue("waiting")).await;
    let pause = QueueUpdate { paused: Some(true), weight: None };
    fixture.store.update_queue("paused", pause).await.expect("a queue");
    let weigh = QueueUpdate { paused: None, weight: Some(2.0) };
    fixture.store.update_queue("weighed", weigh).await.expect("a queue");
    let names = async || -> Vec<String> {
        let queues = fixture.store.queues(None, 10).await.expect("queues");
        queues.into_iter().map(|queue| queue.name).collect()
    };

    let hour = Duration::from_secs(3600);
    assert_eq!(fixture.store.forget_queues(hour).await.expect("looked for"), 0);
    assert_eq!(fixture.store.forget_queues(Duration::ZERO).await.expect("forgotten"), 1);
    assert_eq!(names().await, ["paused", "running", "scheduled", "waiting", "weighed"]);

    hand.finish(running, None).await;
    assert_eq!(fixture.store.forget_queues(Duration::ZERO).await.expect("forgotten"), 1);
    assert_eq!(names().await, ["paused", "scheduled", "waiting", "weighed"]);
    // It is there again when somebody uses it, and what was done in it is still found.
    let again = fixture.job(owner, in_queue("idle")).await;
    assert_eq!(names().await, ["idle", "paused", "scheduled", "waiting", "weighed"]);
    assert!(hand.claim(10).await.iter().any(|leased| leased.lease.job == again));
    let filter = JobFilter { queue: Some("idle".to_owned()), ..JobFilter::default() };
    let page = fixture.store.jobs(Scope::All, &filter, PageRequest::first(10)).await;
    assert_eq!(page.expect("a list").items.len(), 2);
}
