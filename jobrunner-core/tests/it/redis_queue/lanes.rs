use std::collections::HashSet;

use jobrunner_core::{
    JobId, Queue, UserId,
    lease::QueueUpdate,
    queue::{Candidates, Hint},
    testkit::wait_until,
};

use super::{Bench, in_queue, take};

/// How many of some jobs belong to a batch.
async fn members(bench: &Bench, batch: jobrunner_core::BatchId, jobs: &[JobId]) -> usize {
    let members = bench.fixture.members(batch).await;
    let members: HashSet<JobId> = members.iter().map(|job| job.id).collect();
    jobs.iter().filter(|job| members.contains(job)).count()
}

#[tokio::test]
async fn the_lanes_of_an_owner_get_its_turns_in_proportion_to_the_weights_of_their_queues() {
    let bench = Bench::shared().await;
    let owner = UserId::new();
    let heavy = bench.fixture.batch(owner, vec![in_queue("heavy", 5); 200]).await;
    let light = bench.fixture.batch(owner, vec![in_queue("light", 5); 200]).await;
    let weight = QueueUpdate { paused: None, weight: Some(2.0) };
    bench.fixture.store.update_queue("heavy", weight).await.expect("a queue");
    let queue = bench.ready_queue().await;
    for _ in 0..3 {
        let jobs = take(&queue, &[], 60).await;
        let (heavy, light) =
            (members(&bench, heavy, &jobs).await, members(&bench, light, &jobs).await);
        assert!(heavy + light == 60 && (39..=41).contains(&heavy), "{heavy}:{light}");
    }
}

#[tokio::test]
async fn owners_get_turns_in_proportion_to_their_weights_however_many_queues_they_use() {
    let bench = Bench::shared().await;
    let (heavy, light) = (UserId::new(), UserId::new());
    bench.fixture.store.weigh_owner(heavy, 2.0).await.expect("weighed");
    let heavy = bench.fixture.batch(heavy, vec![in_queue("default", 5); 200]).await;
    let in_many = (0..200).map(|n| in_queue(&format!("queue-{}", n % 50), 5)).collect();
    let light = bench.fixture.batch(light, in_many).await;
    let queue = bench.ready_queue().await;
    for _ in 0..3 {
        let jobs = take(&queue, &[], 60).await;
        let (heavy, light) =
            (members(&bench, heavy, &jobs).await, members(&bench, light, &jobs).await);
        assert!(heavy + light == 60 && (39..=41).contains(&heavy), "{heavy}:{light}");
    }
}

#[tokio::test]
async fn a_lane_gives_out_its_jobs_by_priority_and_age() {
    let bench = Bench::shared().await;
    let owner = UserId::new();
    let before = bench.fixture.job(owner, in_queue("default", 5)).await;
    let queue = bench.ready_queue().await;
    let mut expected = vec![before];
    for priority in [5, 10, 0, 5, 10] {
        expected.push(bench.offer(&queue, owner, in_queue("default", priority)).await);
    }
    // An offer that is repeated changes nothing.
    let again = Hint::Job { job: before, priority: 5, queue: "default".to_owned(), owner };
    queue.offer(&[again]).await;
    let order = [2, 5, 0, 1, 4, 3].map(|at| expected[at]);
    assert_eq!(take(&queue, &[], 6).await, order);
}

#[tokio::test]
async fn a_worker_is_proposed_jobs_of_the_queues_it_serves() {
    let bench = Bench::shared().await;
    let queue = bench.ready_queue().await;
    let owner = UserId::new();
    let mut jobs = Vec::new();
    for name in ["a", "b", "c"] {
        jobs.push(bench.offer(&queue, owner, in_queue(name, 5)).await);
    }
    assert_eq!(take(&queue, &["b"], 1).await, [jobs[1]]);
    let rest: HashSet<JobId> = take(&queue, &["c", "a", "nowhere"], 2).await.into_iter().collect();
    assert_eq!(rest, HashSet::from([jobs[0], jobs[2]]));
}

#[tokio::test]
async fn nobody_waits_behind_a_large_batch_of_another() {
    let bench = Bench::shared().await;
    let queue = bench.ready_queue().await;
    let (many, few) = (UserId::new(), UserId::new());
    let batch = bench.fixture.batch(many, vec![in_queue("default", 10); 2500]).await;
    queue.offer(&[Hint::Batch(batch)]).await;
    let lane = bench.key(&format!("jobs:default:{many}"));
    let filled = || async {
        let length: usize = bench.redis(&["ZCARD", &lane]).await;
        (length == 2500).then_some(())
    };
    wait_until("the batch to be in its lane", filled).await;
    take(&queue, &[], 300).await;
    // One after the other, so that their lane is empty again and again: it gets every other turn.
    let mut waits = 0;
    for _ in 0..20 {
        let job = bench.offer(&queue, few, in_queue("default", 0)).await;
        while take(&queue, &[], 1).await != [job] {
            waits += 1;
        }
    }
    assert!((15..=25).contains(&waits), "{waits} turns of the other one between");
}

#[tokio::test]
async fn what_was_proposed_in_vain_is_found_by_asking_the_store() {
    let bench = Bench::shared().await;
    bench.fixture.batch(UserId::new(), vec![in_queue("default", 5); 3000]).await;
    let queue = bench.ready_queue().await;
    take(&queue, &[], 10).await;
    let asked = || async {
        let answer = queue.candidates(&[], 1).await;
        (answer == Candidates::AskStore).then_some(())
    };
    wait_until("an answer to ask the store", asked).await;
}

#[tokio::test]
async fn an_empty_queue_sends_few_to_the_store() {
    let bench = Bench::shared().await;
    let queue = bench.ready_queue().await;
    wait_until("an answer", || async {
        (queue.candidates(&[], 1).await == Candidates::Ids(Vec::new())).then_some(())
    })
    .await;
    let begun = std::time::Instant::now();
    let mut asked = 0;
    for _ in 0..100 {
        asked += u32::from(queue.candidates(&[], 1).await == Candidates::AskStore);
    }
    assert!(f64::from(asked) <= begun.elapsed().as_secs_f64() / 0.5 + 1.0, "{asked} of 100");
}

#[tokio::test]
async fn nothing_is_left_of_lanes_that_are_empty() {
    let bench = Bench::shared().await;
    let queue = bench.ready_queue().await;
    for number in 0..3 {
        for _ in 0..100 {
            let name = format!("queue-{number}");
            bench.offer(&queue, UserId::new(), in_queue(&name, 5)).await;
        }
    }
    take(&queue, &[], 300).await;
    for _ in 0..100 {
        // Time goes on with each turn, and what a lane had is forgotten with time.
        let owner = UserId::new();
        bench.offer(&queue, owner, in_queue("other", 5)).await;
        bench.offer(&queue, owner, in_queue("other", 5)).await;
        take(&queue, &[], 2).await;
    }
    let mut keys: Vec<String> = bench.redis(&["KEYS", &bench.key("*")]).await;
    keys.retain(|key| ["jobs", "lanes", "queues"].iter().any(|name| key.contains(name)));
    assert!(keys.is_empty(), "{keys:?}");
    let idle: usize = bench.redis(&["ZCARD", &bench.key("idle")]).await;
    assert!(idle < 200, "{idle} lanes are remembered");
}
