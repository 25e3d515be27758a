//! Workers that come and go.

use std::time::Duration;

use crate::{
    Error, SessionId, Status, UserId,
    job::Reason,
    lease::{Finished, Rescue},
    testkit::{Fixture, spec, wait_until},
};

/// A time to live that a test waits out, and that is long enough for what the worker does before.
const SHORT: Duration = Duration::from_secs(2);

/// After the time to live, and not by itself: each is a lost attempt.
pub async fn p9_leases_of_a_silent_worker_are_reclaimed(fixture: &Fixture) {
    let batch = fixture.batch(UserId::new(), ["a", "b"].map(spec).into()).await;
    let silent = fixture.hand_for(SHORT).await;
    let started = silent.start_one().await.lease;
    let other = silent.start_one().await.lease;
    let rescued = wait_until("the rescue", || async {
        let rescued = fixture.store.rescue(Rescue::Expired).await.expect("a rescue");
        (!rescued.is_empty()).then_some(rescued)
    })
    .await;
    assert_eq!(rescued.len(), 2);
    assert!(rescued.iter().all(|rescued| rescued.waits && rescued.batch == Some(batch)));
    fixture.recount(batch).await;
    for lease in [started, other] {
        let lost = fixture.store.attempts(lease.job).await.expect("a list");
        assert_eq!(lost[0].result.as_ref().expect("a result").reason, Some(Reason::WorkerLost));
    }

    assert_eq!(silent.finish(started, None).await, Finished::Stale);
    let renewed = fixture.store.renew(silent.session, &[started]).await;
    assert!(matches!(renewed, Err(Error::NotFound(_))), "{renewed:?}");
    let workers = fixture.store.workers().await.expect("a list");
    assert!(workers.iter().all(|worker| worker.id != silent.session));
    assert_eq!(fixture.hand().await.claim(10).await.len(), 2);
}

/// A worker that renews in time keeps its jobs longer than its time to live.
pub async fn p9_a_renewal_keeps_the_leases(fixture: &Fixture) {
    let job = fixture.job(UserId::new(), spec("a")).await;
    let hand = fixture.hand_for(Duration::from_secs(5)).await;
    let lease = hand.start_one().await.lease;
    let began = std::time::Instant::now();
    wait_until("more than the time to live", || async {
        let renewal = fixture.store.renew(hand.session, &[lease]).await.expect("renewed");
        assert_eq!((renewal.lost, renewal.cancel), (vec![], vec![]));
        assert_eq!(fixture.store.rescue(Rescue::Expired).await.expect("a rescue"), []);
        (began.elapsed() > Duration::from_secs(6)).then_some(())
    })
    .await;
    assert_eq!(hand.finish(lease, None).await, Finished::Won);
    assert_eq!(fixture.look(job).await.status, Status::Passed);
}

/// When the answer to a claim is lost, the worker renews without the lease, and the job is not
/// stuck.
pub async fn p9_a_lease_the_worker_never_heard_of_comes_back(fixture: &Fixture) {
    fixture.job(UserId::new(), spec("a")).await;
    let hand = fixture.hand_for(SHORT).await;
    let unheard = hand.claim(1).await[0].lease;
    let other = fixture.hand().await;
    let again = wait_until("the job", || async {
        fixture.store.renew(hand.session, &[]).await.expect("renewed");
        other.claim(1).await.pop()
    })
    .await;
    assert_eq!((again.lease.job, again.run.attempt), (unheard.job, 1));
    let renewal = fixture.store.renew(hand.session, &[unheard]).await.expect("renewed");
    assert_eq!(renewal.lost, [unheard]);
}

/// A good-bye works at once, without waiting for the time to live.
pub async fn a_closed_session_gives_its_jobs_back(fixture: &Fixture) {
    fixture.batch(UserId::new(), ["a", "b"].map(spec).into()).await;
    let hand = fixture.hand().await;
    let unstarted = hand.start_one().await.lease;
    hand.start_one().await;
    fixture.store.release(&[unstarted]).await.expect("released");
    let back = fixture.store.close_session(hand.session).await.expect("closed");
    assert_eq!(back.len(), 1);
    let again = fixture.hand().await.claim(10).await;
    let mut attempts: Vec<_> = again.iter().map(|leased| leased.run.attempt).collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [1, 2]);
    assert_eq!(fixture.store.close_session(SessionId::new()).await.expect("nothing to do"), []);
}

/// It is told at its next renewal, and gets nothing in any case.
pub async fn a_draining_worker_gets_nothing_new(fixture: &Fixture) {
    fixture.job(UserId::new(), spec("a")).await;
    let hand = fixture.hand().await;
    fixture.store.drain(hand.session).await.expect("told");
    assert!(fixture.store.renew(hand.session, &[]).await.expect("renewed").drain);
    assert_eq!(hand.claim(1).await.len(), 0);
    assert!(fixture.store.workers().await.expect("a list")[0].draining);
    let nobody = fixture.store.drain(SessionId::new()).await;
    assert!(matches!(nobody, Err(Error::NotFound(_))), "{nobody:?}");
}
