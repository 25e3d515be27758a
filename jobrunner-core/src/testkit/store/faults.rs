//! Calls whose answers were lost are repeated, and come to the same.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use crate::{
    Error, Result, SessionId, Status, Store, UserId,
    lease::{Claim, Finished, NewSession, Pick},
    log::{LogChunk, LogKey, Stream},
    store::{BatchOrder, Idempotency},
    testkit::{Fault, Faulty, Fixture, new_batch, spec, wait_until},
};

/// The store behind a plan of faults of one call: it fails before, then after it was carried out.
fn faulty(fixture: &Fixture, call: &'static str) -> Arc<dyn Store> {
    let faults = [(call, Fault::Before), (call, Fault::After)];
    Arc::new(Faulty::scripted(Arc::clone(&fixture.store), faults))
}

fn is_lost<T>(answer: &Result<T>) -> bool {
    matches!(answer, Err(Error::Unavailable { .. }))
}

fn key() -> Option<Idempotency> {
    Some(Idempotency { key: "nightly".to_owned(), digest: [1; 32] })
}

/// One job, however often its submission is sent.
pub async fn p1_a_submission_whose_answer_was_lost_is_repeated_by_its_key(fixture: &Fixture) {
    let (store, owner) = (faulty(fixture, "submit_job"), UserId::new());
    for _ in 0..2 {
        assert!(is_lost(&store.submit_job(owner, spec("a"), key()).await));
    }
    let again = store.submit_job(owner, spec("a"), key()).await.expect("an answer");
    assert_eq!(again.made_at, None, "it was stored by the call whose answer was lost");
    let counts = store.counts(crate::user::Scope::Owner(owner), None).await.expect("counts");
    assert_eq!(counts.total, 1);
}

/// One batch, however often its submission is sent.
pub async fn p1_a_batch_whose_answer_was_lost_is_repeated_by_its_key(fixture: &Fixture) {
    let (store, owner) = (faulty(fixture, "submit_batch"), UserId::new());
    let submit = || {
        let order = BatchOrder { owner, batch: new_batch("b"), idempotency: key() };
        store.submit_batch(order, Box::new((0..3).map(|n| Ok(spec(&n.to_string())))))
    };
    assert!(is_lost(&submit().await));
    assert!(is_lost(&submit().await));
    let again = submit().await.expect("an answer");
    assert_eq!(again.made_at, None);
    fixture.recount(again.id).await;
    assert_eq!(fixture.members(again.id).await.len(), 3);
}

/// One exchange is carried out, however often it is sent: its reports are recorded once, and the
/// leases whose answer was lost come back.
pub async fn p4_an_exchange_whose_answer_was_lost_is_repeated(fixture: &Fixture) {
    let batch = fixture.batch(UserId::new(), ["a", "b"].map(spec).into()).await;
    let hand = fixture.hand_for(Duration::from_millis(300)).await;
    let report = [hand.report(hand.start_one().await.lease, None)];
    let store = faulty(fixture, "exchange");
    let exchange = async || {
        let pick = Pick::Fair { queues: Vec::new(), want: 1 };
        store.exchange(&report, Some(Claim { session: hand.session, pick })).await
    };
    assert!(is_lost(&exchange().await));
    assert_eq!(fixture.look_at_batch(batch).await.counts.passed, 0, "it did not reach the store");
    assert!(is_lost(&exchange().await));
    let again = exchange().await.expect("an answer");
    assert_eq!((again.finished, again.leased.len()), (vec![Finished::Already], 0));
    let second = wait_until("the lease to come back", || async {
        fixture.store.renew(hand.session, &[]).await.expect("renewed");
        hand.claim(1).await.pop()
    })
    .await;
    assert_eq!(second.run.attempt, 1, "nothing was charged");
    fixture.recount(batch).await;
}

/// One result is accepted, however often the report is sent.
pub async fn p3_a_report_whose_answer_was_lost_is_repeated(fixture: &Fixture) {
    let batch = fixture.batch(UserId::new(), vec![spec("a")]).await;
    let hand = fixture.hand().await;
    let report = [hand.report(hand.start_one().await.lease, None)];
    let store = faulty(fixture, "finish");
    assert!(is_lost(&store.finish(&report).await));
    assert_eq!(fixture.look_at_batch(batch).await.status, Status::Running);
    assert!(is_lost(&store.finish(&report).await));
    assert_eq!(store.finish(&report).await.expect("an answer"), [Finished::Already]);
    let job = report[0].lease.job;
    assert_eq!(fixture.store.attempts(job).await.expect("attempts").len(), 1);
    assert_eq!(fixture.look_at_batch(batch).await.status, Status::Passed);
    fixture.recount(batch).await;
}

/// What a worker never heard that it had leased is claimed by somebody again, at no charge.
pub async fn p9_a_claim_whose_answer_was_lost_comes_back(fixture: &Fixture) {
    let job = fixture.job(UserId::new(), spec("a")).await;
    let hand = fixture.hand_for(Duration::from_secs(2)).await;
    let store = faulty(fixture, "claim");
    let pick = || Pick::Fair { queues: Vec::new(), want: 1 };
    assert!(is_lost(&store.claim(hand.session, pick()).await));
    assert!(is_lost(&store.claim(hand.session, pick()).await));
    assert_eq!(store.claim(hand.session, pick()).await.expect("an answer").len(), 0);
    wait_until("the lease to come back", || async {
        fixture.store.renew(hand.session, &[]).await.expect("renewed");
        fixture.store.claim(hand.session, pick()).await.expect("an answer").pop()
    })
    .await;
    assert_eq!(fixture.look(job).await.attempt, 1, "the claim that was heard of is charged");
}

/// Each byte is stored once, however often it is sent.
pub async fn p8_output_whose_answer_was_lost_is_repeated(fixture: &Fixture) {
    fixture.job(UserId::new(), spec("a")).await;
    let lease = fixture.hand().await.start_one().await.lease;
    let store = faulty(fixture, "append_log");
    let bytes = Bytes::from_static(b"once");
    let chunk = [LogChunk { stream: Stream::Stdout, offset: 0, bytes, marks: Vec::new() }];
    assert!(is_lost(&store.append_log(lease, &chunk, &[]).await));
    assert!(is_lost(&store.append_log(lease, &chunk, &[]).await));
    assert!(store.append_log(lease, &chunk, &[]).await.expect("an answer"));
    let key = LogKey { job: lease.job, attempt: 1 };
    let stored = fixture.store.read_log(key, Stream::Stdout, 0, 1000).await.expect("chunks");
    assert_eq!(stored, chunk);
}

/// A cancel and a release come to the same when they are sent again.
pub async fn p6_a_cancel_and_a_release_whose_answers_were_lost_are_repeated(fixture: &Fixture) {
    let batch = fixture.batch(UserId::new(), ["a", "b"].map(spec).into()).await;
    let lease = fixture.hand().await.claim(1).await[0].lease;
    let store = faulty(fixture, "release");
    assert!(is_lost(&store.release(&[lease]).await));
    assert!(is_lost(&store.release(&[lease]).await));
    store.release(&[lease]).await.expect("released");
    let store = faulty(fixture, "cancel_batch");
    assert!(is_lost(&store.cancel_batch(batch).await));
    assert!(is_lost(&store.cancel_batch(batch).await));
    assert_eq!(store.cancel_batch(batch).await.expect("canceled").ended, 0, "it was done before");
    assert_eq!(fixture.look_at_batch(batch).await.status, Status::Canceled);
    fixture.recount(batch).await;
}

/// A worker that does not know whether it was announced does it again, and works.
pub async fn p9_a_worker_whose_announcement_was_lost_announces_itself_again(fixture: &Fixture) {
    fixture.job(UserId::new(), spec("a")).await;
    let session = NewSession {
        id: SessionId::new(),
        host: "testkit".to_owned(),
        pid: 1,
        slots: 1,
        queues: Vec::new(),
        ttl: Duration::from_secs(600),
        containment: crate::executor::Containment::default(),
    };
    let store = faulty(fixture, "open_session");
    assert!(is_lost(&store.open_session(session.clone()).await));
    assert!(is_lost(&store.open_session(session.clone()).await));
    store.open_session(session.clone()).await.expect("announced");
    assert_eq!(store.workers().await.expect("a list").len(), 1);
    let pick = Pick::Fair { queues: Vec::new(), want: 1 };
    assert_eq!(store.claim(session.id, pick).await.expect("a claim").len(), 1);
}
