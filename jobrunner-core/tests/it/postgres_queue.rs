use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::BoxStream};
use jobrunner_core::{
    JobId, Queue,
    queue::{Link, PostgresQueue, Wakeup},
    queue_conformance,
    testkit::{PATIENCE, allowed, servers::PrivatePostgres, wait_until},
};
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

async fn postgres() -> (Arc<dyn Queue>, ()) {
    let url = PrivatePostgres::shared().create_database();
    (Arc::new(connect(&url).await), ())
}

queue_conformance!(postgres);

async fn connect(url: &str) -> PostgresQueue {
    PostgresQueue::connect(url, None).await.expect("a queue")
}

async fn hear(listener: &mut BoxStream<'static, Wakeup>, wanted: &Wakeup) {
    let search = async {
        while let Some(wakeup) = listener.next().await {
            if wakeup == *wanted {
                return;
            }
        }
        panic!("the queue is gone");
    };
    let heard = timeout(PATIENCE, search).await;
    heard.unwrap_or_else(|_| panic!("waited in vain for {wanted:?}"));
}

fn changed() -> Wakeup {
    Wakeup::Changed { job: Some(JobId::new()), batch: None }
}

#[tokio::test]
async fn wakeups_reach_other_processes_on_the_same_channel() {
    let url = PrivatePostgres::shared().create_database();
    let (one, other) = (connect(&url).await, connect(&url).await);
    let elsewhere = PostgresQueue::connect(&url, Some("el\"sewhere")).await.expect("a queue");
    let (mut there, mut far) = (other.wakeups(), elsewhere.wakeups());
    one.offer(&[]).await;
    hear(&mut there, &Wakeup::Work).await;
    let changed = changed();
    for wakeup in [Wakeup::Cancel, changed] {
        one.announce(wakeup.clone()).await;
        hear(&mut there, &wakeup).await;
    }
    elsewhere.announce(Wakeup::Work).await;
    assert_eq!(far.next().await, Some(Wakeup::Work), "it heard nothing of the other channel");
    assert_eq!(one.link().await, Link::None);
}

/// Ends every connection of the queues in a database; answers how many there were.
async fn terminate(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    let terminate = "select count(pg_terminate_backend(pid)) from pg_stat_activity
         where application_name = 'jobrunner queue' and datname = current_database()";
    sqlx::query_scalar(terminate).fetch_one(&mut connection).await.expect("a count")
}

#[tokio::test]
async fn a_lost_connection_is_made_again_and_listeners_are_told() {
    let url = PrivatePostgres::shared().create_database();
    let (one, other) = (connect(&url).await, connect(&url).await);
    let mut there = other.wakeups();
    one.announce(Wakeup::Cancel).await;
    hear(&mut there, &Wakeup::Cancel).await;
    assert!(terminate(&url).await >= 3, "two listen and one tells");
    hear(&mut there, &Wakeup::Lagged).await;
    let changed = changed();
    one.announce(changed.clone()).await;
    // Either it arrives, or its loss is told.
    let arrived = timeout(PATIENCE, there.next()).await.expect("a wake-up");
    assert!([Some(changed), Some(Wakeup::Lagged)].contains(&arrived), "{arrived:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_database_is_survived_and_nobody_waits_for_it() {
    let mut server = PrivatePostgres::start();
    let url = server.create_database();
    let (one, other) = (connect(&url).await, connect(&url).await);
    let (mut here, mut there) = (one.wakeups(), other.wakeups());
    server.stop();
    let announcing = async {
        for _ in 0..10_000 {
            one.announce(Wakeup::Cancel).await;
        }
    };
    timeout(allowed(Duration::from_secs(5)), announcing).await.expect("nobody waits");
    hear(&mut here, &Wakeup::Cancel).await;
    server.start_again();
    hear(&mut there, &Wakeup::Lagged).await;
    let reached = wait_until("a wake-up to arrive again", || async {
        one.announce(Wakeup::Work).await;
        let mut fresh = other.wakeups();
        one.announce(Wakeup::Work).await;
        timeout(Duration::from_secs(1), fresh.next()).await.ok().flatten()
    });
    assert!(matches!(reached.await, Wakeup::Work | Wakeup::Lagged | Wakeup::Cancel));
}

#[tokio::test]
async fn a_queue_that_is_dropped_ends_its_streams_and_connections() {
    let url = PrivatePostgres::shared().create_database();
    let queue = connect(&url).await;
    let mut listener = queue.wakeups();
    drop(queue);
    assert_eq!(listener.next().await, None);
    wait_until("its connections to go", || async { (terminate(&url).await == 0).then_some(()) })
        .await;
}
