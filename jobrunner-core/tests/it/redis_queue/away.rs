use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use jobrunner_core::{
    JobId, Queue, UserId,
    queue::{Candidates, Hint, Link, RedisQueue, Wakeup},
    testkit::{allowed, servers::PrivateRedis, wait_until},
};
use rustix::process::{Pid, Signal, kill_process};

use super::{Bench, ask, in_queue, take};

async fn until(queue: &RedisQueue, link: Link) {
    let asked = || async { (queue.link().await == link).then_some(()) };
    wait_until(&format!("the link to be {link:?}"), asked).await;
}

/// Calls of all kinds are answered at once, and workers are sent to the store.
async fn all_ask_the_store(queue: &RedisQueue) {
    let begun = Instant::now();
    for _ in 0..200 {
        assert_eq!(queue.candidates(&[], 8).await, Candidates::AskStore);
        queue.offer(&[]).await;
        queue.announce(Wakeup::Cancel).await;
    }
    // A quarter of a second for each, or a try to connect, would be 50 seconds at least.
    assert!(begun.elapsed() < allowed(Duration::from_secs(4)), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_that_were_flushed_are_rebuilt() {
    let server = PrivateRedis::start();
    let bench = Bench::at(&server.url()).await;
    let batch = bench.fixture.batch(UserId::new(), vec![in_queue("default", 5); 2200]).await;
    let queue = bench.ready_queue().await;
    take(&queue, &[], 10).await;
    bench.redis::<()>(&["FLUSHALL"]).await;
    assert_eq!(queue.candidates(&[], 8).await, Candidates::AskStore);
    bench.rebuilt(1).await;
    let jobs: HashSet<JobId> = take(&queue, &[], 2200).await.into_iter().collect();
    assert_eq!(jobs.len(), 2200, "all of them, those proposed before too: none was claimed");
    assert_eq!(bench.fixture.look_at_batch(batch).await.counts.waiting, 2200);
}

#[tokio::test]
async fn scripts_that_were_flushed_are_loaded_again() {
    let bench = Bench::shared().await;
    let queue = bench.ready_queue().await;
    for _ in 0..3 {
        bench.redis::<()>(&["SCRIPT", "FLUSH"]).await;
        let job = bench.offer(&queue, UserId::new(), in_queue("default", 5)).await;
        bench.redis::<()>(&["SCRIPT", "FLUSH"]).await;
        assert_eq!(take(&queue, &[], 1).await, [job]);
    }
    assert_eq!(queue.link().await, Link::Up);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_stopped_is_done_without_and_filled_when_it_is_back() {
    let mut server = PrivateRedis::start();
    let bench = Bench::at(&server.url()).await;
    let queue = bench.ready_queue().await;
    let mut listener = queue.wakeups();
    let owner = UserId::new();
    let before = bench.offer(&queue, owner, in_queue("default", 5)).await;
    server.stop();
    until(&queue, Link::Down).await;
    all_ask_the_store(&queue).await;
    let meanwhile = bench.offer(&queue, owner, in_queue("default", 5)).await;
    let batch = bench.fixture.batch(owner, vec![in_queue("default", 5); 3]).await;
    queue.offer(&[Hint::Batch(batch)]).await;
    server.start_again();
    until(&queue, Link::Up).await;
    while listener.next().await.expect("a wake-up") != Wakeup::Lagged {}
    let mut expected = vec![before, meanwhile];
    expected.extend(bench.fixture.members(batch).await.iter().map(|job| job.id));
    assert_eq!(take(&queue, &[], 5).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_can_begin_without_its_server() {
    let mut server = PrivateRedis::start();
    server.stop();
    let bench = Bench::at(&server.url()).await;
    let job = bench.fixture.job(UserId::new(), in_queue("default", 5)).await;
    let queue = bench.queue().await;
    assert_eq!(queue.link().await, Link::Down);
    all_ask_the_store(&queue).await;
    server.start_again();
    until(&queue, Link::Up).await;
    assert_eq!(take(&queue, &[], 1).await, [job]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_offered_while_the_server_does_not_answer_are_in_the_lanes_later() {
    let server = PrivateRedis::start();
    let bench = Bench::at(&server.url()).await;
    let queue = bench.ready_queue().await;
    let information: String = bench.redis(&["INFO", "server"]).await;
    let process = information.lines().find_map(|line| line.strip_prefix("process_id:"));
    let process = process.expect("its number").parse().ok().and_then(Pid::from_raw);
    let process = process.expect("a number");
    kill_process(process, Signal::STOP).expect("it runs");
    assert_eq!(queue.link().await, Link::Down);
    all_ask_the_store(&queue).await;
    let job = bench.offer(&queue, UserId::new(), in_queue("default", 5)).await;
    kill_process(process, Signal::CONT).expect("it is there");
    until(&queue, Link::Up).await;
    bench.rebuilt(2).await;
    assert_eq!(take(&queue, &[], 1).await, [job]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_writes_counts_as_away() {
    let server = PrivateRedis::start();
    let bench = Bench::at(&server.url()).await;
    let queue = bench.ready_queue().await;
    let job = bench.offer(&queue, UserId::new(), in_queue("default", 5)).await;
    ask::<()>(&server.url(), &["REPLICAOF", "127.0.0.1", "1"]).await;
    wait_until("a write to fail", || async {
        queue.candidates(&[], 1).await;
        (queue.link().await == Link::Down).then_some(())
    })
    .await;
    all_ask_the_store(&queue).await;
    ask::<()>(&server.url(), &["REPLICAOF", "NO", "ONE"]).await;
    until(&queue, Link::Up).await;
    assert_eq!(take(&queue, &[], 1).await, [job]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_out_of_another_life_of_the_server_are_rebuilt() {
    let server = PrivateRedis::start();
    let bench = Bench::at(&server.url()).await;
    let queue = bench.ready_queue().await;
    // As if a backup had been read, or a replica had taken over.
    bench.redis::<()>(&["SET", &bench.key("server"), "another"]).await;
    bench.redis::<()>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
    until(&queue, Link::Down).await;
    until(&queue, Link::Up).await;
    bench.rebuilt(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_processes_one_rebuilds() {
    let server = PrivateRedis::start();
    let bench = Bench::at(&server.url()).await;
    bench.fixture.batch(UserId::new(), vec![in_queue("default", 5); 5000]).await;
    let queues = [bench.ready_queue().await, bench.queue().await, bench.queue().await];
    bench.redis::<()>(&["FLUSHALL"]).await;
    let ask_all = || async {
        for queue in &queues {
            queue.candidates(&[], 1).await;
        }
        let complete: bool = bench.redis(&["EXISTS", &bench.key("epoch")]).await;
        complete.then_some(())
    };
    wait_until("the lanes to be complete", ask_all).await;
    for queue in &queues {
        take(queue, &[], 100).await;
    }
    bench.rebuilt(1).await;
}
