//! Whose turn it is: that of owners first, then of their lanes.

use crate::{
    JobSpec, UserId,
    lease::QueueUpdate,
    testkit::{Fixture, spec},
};

fn in_queue(name: &str) -> JobSpec {
    JobSpec { queue: name.to_owned(), ..spec(name) }
}

/// The queues of the next jobs, which are finished as they come, so many at a time.
async fn next(fixture: &Fixture, jobs: usize, at_once: u32) -> Vec<(UserId, String)> {
    let hand = fixture.hand().await;
    let mut turns = Vec::new();
    while turns.len() < jobs {
        let leased = hand.claim(at_once).await;
        assert!(!leased.is_empty(), "{} of {jobs} jobs", turns.len());
        for leased in leased {
            turns.push((leased.run.owner, leased.run.spec.queue));
            hand.finish(leased.lease, None).await;
        }
    }
    turns
}

fn turns_of(owner: UserId, turns: &[(UserId, String)]) -> usize {
    turns.iter().filter(|(of, _)| *of == owner).count()
}

/// Inventing queues gets nobody more turns than others.
pub async fn p11_a_single_job_waits_two_turns_beside_1500_queues_of_another(fixture: &Fixture) {
    let many = (0..3_000).map(|n| in_queue(&format!("invented-{}", n % 1_500))).collect();
    fixture.batch(UserId::new(), many).await;
    next(fixture, 20, 1).await;
    let single = UserId::new();
    for _ in 0..3 {
        fixture.job(single, spec("single")).await;
        let turns = next(fixture, 3, 1).await;
        let place = turns.iter().position(|(owner, _)| *owner == single);
        assert!(place.is_some_and(|place| place <= 2), "{place:?}: {turns:?}");
    }
    // A claim is filled all the same.
    assert_eq!(fixture.hand().await.claim(20).await.len(), 20);
    // Also among jobs that are claimed together.
    fixture.job(single, spec("single")).await;
    assert_eq!(turns_of(single, &next(fixture, 4, 4).await), 1);
}

/// However many queues one of them uses.
pub async fn p11_owners_get_turns_in_proportion_to_their_weights(fixture: &Fixture) {
    let (heavy, light) = (UserId::new(), UserId::new());
    fixture.store.weigh_owner(heavy, 3.0).await.expect("weighed");
    fixture.batch(heavy, vec![in_queue("default"); 200]).await;
    fixture.batch(light, (0..200).map(|n| in_queue(&format!("queue-{}", n % 20))).collect()).await;
    for (jobs, at_once) in [(40, 1), (80, 8)] {
        let turns = next(fixture, jobs, at_once).await;
        let heavy = turns_of(heavy, &turns);
        assert!(heavy.abs_diff(jobs * 3 / 4) <= 2, "{heavy} of {jobs}");
    }
}

/// And not those of others.
pub async fn p11_the_lanes_of_an_owner_get_its_turns_by_the_weights_of_their_queues(
    fixture: &Fixture,
) {
    let (both, other) = (UserId::new(), UserId::new());
    let specs = (0..400).map(|n| in_queue(if n % 2 == 0 { "heavy" } else { "light" }));
    fixture.batch(both, specs.collect()).await;
    fixture.batch(other, vec![in_queue("light"); 200]).await;
    let weight = QueueUpdate { paused: None, weight: Some(3.0) };
    fixture.store.update_queue("heavy", weight).await.expect("a queue");
    for (jobs, at_once) in [(80, 1), (160, 8)] {
        let turns = next(fixture, jobs, at_once).await;
        let heavy = turns.iter().filter(|(_, queue)| queue == "heavy").count();
        let own = turns_of(both, &turns);
        assert!(own.abs_diff(jobs / 2) <= 2, "{own} of {jobs}");
        assert!(heavy.abs_diff(jobs * 3 / 8) <= 4, "{heavy} of {own}");
    }
}

/// Neither a long rest nor a busy past counts.
pub async fn p11_who_was_idle_is_a_turn_ahead_and_no_more(fixture: &Fixture) {
    let (busy, idle) = (UserId::new(), UserId::new());
    fixture.batch(busy, vec![spec("busy"); 300]).await;
    next(fixture, 200, 50).await;
    fixture.batch(idle, vec![spec("idle"); 100]).await;
    let turns = next(fixture, 20, 1).await;
    assert!(turns_of(idle, &turns).abs_diff(10) <= 1, "{turns:?}");
}

/// Also what came while it was paused, of owners and lanes that were new then.
pub async fn what_waited_in_a_paused_queue_is_found_when_it_goes_on(fixture: &Fixture) {
    let (before, meanwhile) = (UserId::new(), UserId::new());
    fixture.job(before, in_queue("night")).await;
    let pause = |paused| QueueUpdate { paused: Some(paused), weight: None };
    fixture.store.update_queue("night", pause(true)).await.expect("a queue");
    fixture.job(before, in_queue("night")).await;
    fixture.job(meanwhile, in_queue("night")).await;
    fixture.job(meanwhile, in_queue("day")).await;
    assert_eq!(next(fixture, 1, 10).await, [(meanwhile, "day".to_owned())]);
    fixture.store.rescue(crate::lease::Rescue::Expired).await.expect("tidied up");
    let hand = fixture.hand().await;
    assert!(hand.claim(10).await.is_empty());
    fixture.store.update_queue("night", pause(false)).await.expect("a queue");
    assert_eq!(hand.claim(10).await.len(), 3);
}
