use std::time::{Duration, Instant};

use futures_util::StreamExt;
use jobrunner_core::{
    Queue,
    queue::{Candidates, Link, RedisQueue, Wakeup},
    testkit::{allowed, servers::PrivateRedis, wait_until},
};
use rustix::process::{Pid, Signal, kill_process};

use super::Bench;

async fn until(queue: &RedisQueue, link: Link) {
    let asked = || async { (queue.link().await == link).then_some(()) };
    wait_until(&format!("the link to be {link:?}"), asked).await;
}

/// Calls of all kinds are answered at once.
async fn nobody_waits(queue: &RedisQueue) {
    let begun = Instant::now();
    for _ in 0..200 {
        assert_eq!(queue.candidates(&[], 8).await, Candidates::AskStore);
        queue.offer(&[]).await;
        queue.announce(Wakeup::Cancel).await;
        assert_eq!(queue.link().await, Link::Down);
    }
    // A quarter of a second for each, or a try to connect, would be 50 seconds at least.
    assert!(begun.elapsed() < allowed(Duration::from_secs(4)), "{:?}", begun.elapsed());
}

/// What is announced in one process arrives in the other.
async fn wakes(one: &RedisQueue, other: &RedisQueue) {
    let mut there = other.wakeups();
    one.announce(Wakeup::Cancel).await;
    while there.next().await.expect("a wake-up") != Wakeup::Cancel {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_stopped_is_done_without_and_used_again_when_it_is_back() {
    let mut server = PrivateRedis::start();
    let bench = Bench::at(server.url());
    let (queue, other) = (bench.queue().await, bench.queue().await);
    let mut listener = other.wakeups();
    wakes(&queue, &other).await;
    server.stop();
    until(&queue, Link::Down).await;
    nobody_waits(&queue).await;
    wakes(&queue, &queue).await;
    server.start_again();
    until(&queue, Link::Up).await;
    while listener.next().await.expect("a wake-up") != Wakeup::Lagged {}
    wakes(&queue, &other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_can_begin_without_its_server() {
    let mut server = PrivateRedis::start();
    server.stop();
    let bench = Bench::at(server.url());
    let (queue, other) = (bench.queue().await, bench.queue().await);
    assert_eq!(queue.link().await, Link::Down);
    nobody_waits(&queue).await;
    let mut listener = other.wakeups();
    server.start_again();
    until(&queue, Link::Up).await;
    while listener.next().await.expect("a wake-up") != Wakeup::Lagged {}
    wakes(&queue, &other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_counts_as_away() {
    let server = PrivateRedis::start();
    let bench = Bench::at(server.url());
    let (queue, other) = (bench.queue().await, bench.queue().await);
    let information: String = bench.redis(&["INFO", "server"]).await;
    let process = information.lines().find_map(|line| line.strip_prefix("process_id:"));
    let process = process.expect("its number").parse().ok().and_then(Pid::from_raw);
    let process = process.expect("a number");
    kill_process(process, Signal::STOP).expect("it runs");
    assert_eq!(queue.link().await, Link::Down);
    nobody_waits(&queue).await;
    kill_process(process, Signal::CONT).expect("it is there");
    until(&queue, Link::Up).await;
    wakes(&queue, &other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cuts_its_connections_is_connected_to_again() {
    let server = PrivateRedis::start();
    let bench = Bench::at(server.url());
    let (queue, other) = (bench.queue().await, bench.queue().await);
    let mut listener = other.wakeups();
    for kind in ["normal", "pubsub"] {
        bench.redis::<()>(&["CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"]).await;
    }
    while listener.next().await.expect("a wake-up") != Wakeup::Lagged {}
    until(&queue, Link::Up).await;
    wakes(&queue, &other).await;
}
