//! How attempts, jobs and batches end.

use crate::{
    JobSpec, Status, UserId,
    job::Reason,
    lease::{Claim, Finished, LeaseRef, LeaseToken, Pick},
    retry::WORKER_LOST_BUDGET,
    store::Canceled,
    testkit::{Fixture, spec},
};

/// The first report counts; a job that has ended cannot be claimed, canceled or ended again.
pub async fn p2_a_job_ends_once(fixture: &Fixture) {
    let job = fixture.job(UserId::new(), spec("a")).await;
    let hand = fixture.hand().await;
    let lease = hand.run_one(None).await;
    let ended = fixture.look(job).await;
    assert_eq!((ended.status, ended.attempt), (Status::Passed, 1));
    assert!(ended.finished_at >= ended.started_at && ended.started_at >= Some(ended.created_at));
    let result = ended.result.clone().expect("a result");
    assert_eq!((result.exit_code, result.reason, result.duration_ms), (Some(0), None, 5));
    assert_eq!(result.worker_id, Some(hand.session));
    assert_eq!(hand.finish(lease, Some(Reason::ExitCode)).await, Finished::Already);
    assert_eq!(fixture.store.cancel_job(job).await.expect("an answer"), Canceled::default());
    assert_eq!(hand.claim(1).await.len(), 0);
    assert_eq!(fixture.look(job).await, ended);
}

/// A report for a lease that was taken back, was never given out, or belongs to another job.
pub async fn p3_a_stale_token_changes_nothing(fixture: &Fixture) {
    let owner = UserId::new();
    let job = fixture.job(owner, spec("a")).await;
    let hand = fixture.hand().await;
    let old = hand.start_one().await.lease;
    fixture.store.close_session(hand.session).await.expect("closed");
    let hand = fixture.hand().await;
    let current = hand.start_one().await.lease;
    let invented = LeaseRef { job, token: LeaseToken(i64::MAX) };
    let other = fixture.job(owner, spec("b")).await;
    let crossed = LeaseRef { job: other, token: current.token };
    for stale in [old, invented, crossed] {
        assert_eq!(hand.finish(stale, None).await, Finished::Stale, "{stale:?}");
    }
    assert_eq!(fixture.look(job).await.status, Status::Running);
    assert_eq!(hand.finish(current, Some(Reason::ExitCode)).await, Finished::Won);
    assert_eq!(hand.finish(old, None).await, Finished::Stale);
    assert_eq!(fixture.look(job).await.status, Status::Failed);
    assert_eq!(fixture.look(other).await.status, Status::Waiting);
}

/// Up to `max_attempts` runs; the job is as its last attempt, and the others can still be seen.
pub async fn p4_failures_are_repeated_and_every_attempt_is_kept(fixture: &Fixture) {
    let owner = UserId::new();
    let job = fixture.job(owner, JobSpec { max_attempts: 3, ..spec("a") }).await;
    let hand = fixture.hand().await;
    hand.run_one(Some(Reason::Timeout)).await;
    let waiting = fixture.look(job).await;
    assert_eq!((waiting.status, waiting.attempt), (Status::Waiting, 1));
    assert_eq!((waiting.result, waiting.finished_at), (None, None));
    let first = fixture.store.attempts(job).await.expect("a list");
    hand.run_one(Some(Reason::ExitCode)).await;
    hand.run_one(None).await;
    let attempts = fixture.store.attempts(job).await.expect("a list");
    assert_eq!(attempts[0], first[0], "an attempt never changes");
    let numbers: Vec<_> = attempts.iter().map(|attempt| attempt.attempt).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let statuses: Vec<_> = attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Status::Failed, Status::Failed, Status::Passed]);
    let ended = fixture.look(job).await;
    assert_eq!((ended.status, ended.attempt, ended.error), (Status::Passed, 3, None));

    let never = fixture.job(owner, JobSpec { max_attempts: 2, ..spec("b") }).await;
    hand.run_one(Some(Reason::ExitCode)).await;
    hand.run_one(Some(Reason::Signal)).await;
    let ended = fixture.look(never).await;
    assert_eq!((ended.status, ended.attempt), (Status::Failed, 2));
    assert_eq!(ended.result.expect("a result").reason, Some(Reason::Signal));
    assert_eq!(hand.claim(1).await.len(), 0);
}

/// Losses cost no runs; too many of them end the job, and the reason is told.
pub async fn p4_a_lost_worker_is_not_a_failure_until_its_budget_is_spent(fixture: &Fixture) {
    let batch = fixture.batch(UserId::new(), vec![spec("a")]).await;
    let job = fixture.members(batch).await[0].id;
    for loss in 1..=WORKER_LOST_BUDGET + 1 {
        let hand = fixture.hand().await;
        assert_eq!(hand.start_one().await.run.attempt, loss);
        let rescued = fixture.store.close_session(hand.session).await.expect("closed");
        assert_eq!((rescued.len(), rescued[0].batch), (1, Some(batch)));
        assert_eq!(rescued[0].waits, loss <= WORKER_LOST_BUDGET);
        fixture.recount(batch).await;
    }
    let ended = fixture.look(job).await;
    assert_eq!((ended.status, ended.attempt), (Status::Failed, WORKER_LOST_BUDGET + 1));
    assert_eq!(ended.result.expect("a result").reason, Some(Reason::WorkerLost));
    let attempts = fixture.store.attempts(job).await.expect("a list");
    assert!(
        attempts.iter().all(|attempt| attempt.worker_host.as_deref() == Some("testkit")),
        "the host is remembered when the worker is gone"
    );
    assert!(
        attempts
            .iter()
            .all(|a| a.result.as_ref().expect("a result").reason == Some(Reason::WorkerLost))
    );
    assert_eq!(fixture.look_at_batch(batch).await.status, Status::Failed);
}

/// `waiting`, then `running` from the first start to the last end, then as its worst member.
pub async fn p5_a_batch_begins_and_finishes_once(fixture: &Fixture) {
    let batch = fixture.batch(UserId::new(), ["a", "b"].map(spec).into()).await;
    let hand = fixture.hand().await;
    assert_eq!(fixture.look_at_batch(batch).await.status, Status::Waiting);
    let mut leased = hand.claim(1).await;
    let begun = fixture.look_at_batch(batch).await;
    assert_eq!((begun.status, begun.finished_at), (Status::Running, None));
    assert!(begun.started_at.is_some());
    hand.finish(leased[0].lease, Some(Reason::ExitCode)).await;
    assert_eq!(fixture.look_at_batch(batch).await.status, Status::Running);
    leased.extend(hand.claim(1).await);
    hand.finish(leased[1].lease, None).await;
    let finished = fixture.look_at_batch(batch).await;
    assert_eq!((finished.status, finished.started_at), (Status::Failed, begun.started_at));
    assert!(finished.finished_at.is_some());
    hand.finish(leased[1].lease, None).await;
    fixture.store.cancel_batch(batch).await.expect("nothing to do");
    assert_eq!(fixture.look_at_batch(batch).await, finished);
}

/// A few hundred random changes, with a recount after each.
pub async fn p5_counts_equal_a_recount_after_any_changes(fixture: &Fixture) {
    // A linear congruential generator with a fixed seed (Knuth, MMIX): the same run every time.
    let mut state = 42_u64;
    let mut below = |n: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let owner = UserId::new();
    let retried = JobSpec { max_attempts: 2, ..spec("retried") };
    let specs: Vec<_> =
        (0..30).map(|n| if n % 3 == 0 { retried.clone() } else { spec("a") }).collect();
    let batch = fixture.batch(owner, specs).await;
    let mut running = Vec::new();
    let mut hand = fixture.hand().await;
    for _ in 0..300 {
        match below(10) {
            0..=2 => running.extend(hand.claim(3).await.into_iter().map(|leased| leased.lease)),
            3 if below(4) == 0 => fixture.store.release(&running).await.expect("released"),
            4 => {
                let last = running.len().saturating_sub(2);
                let reports: Vec<_> =
                    running.drain(last..).map(|lease| hand.report(lease, None)).collect();
                let pick = Pick::Fair { queues: Vec::new(), want: 2 };
                let claim = Claim { session: hand.session, pick };
                let done = fixture.store.exchange(&reports, Some(claim)).await.expect("an answer");
                running.extend(done.leased.into_iter().map(|leased| leased.lease));
            }
            5 | 6 if !running.is_empty() => {
                let lease = running[below(running.len())];
                let reasons = [None, Some(Reason::ExitCode), Some(Reason::Canceled)];
                hand.finish(lease, reasons[below(3)]).await;
            }
            7 => {
                let members = fixture.members(batch).await;
                let job = members[below(members.len())].id;
                fixture.store.cancel_job(job).await.expect("an answer");
            }
            8 if below(8) == 0 => {
                fixture.store.close_session(hand.session).await.expect("closed");
                hand = fixture.hand().await;
            }
            _ => {}
        }
        fixture.recount(batch).await;
    }
    fixture.store.cancel_batch(batch).await.expect("canceled");
    fixture.store.close_session(hand.session).await.expect("closed");
    fixture.recount(batch).await;
    let ended = fixture.look_at_batch(batch).await;
    assert!(ended.counts.all_ended() && ended.finished_at.is_some());
    let counts = fixture.store.counts(crate::user::Scope::All, Some(owner)).await.expect("counts");
    assert_eq!(counts, ended.counts);
}

/// Waiting, scheduled, or given back: it ends, and cannot be claimed any more.
pub async fn p6_a_job_that_waits_is_canceled_at_once(fixture: &Fixture) {
    let owner = UserId::new();
    let hand = fixture.hand().await;
    let returned = fixture.job(owner, spec("returned")).await;
    let lease = hand.claim(1).await[0].lease;
    fixture.store.release(&[lease]).await.expect("released");
    let waiting = fixture.job(owner, spec("waiting")).await;
    let hour = chrono::Utc::now() + chrono::TimeDelta::hours(1);
    let later = JobSpec { scheduled_at: Some(hour), ..spec("later") };
    let scheduled = fixture.job(owner, later).await;
    for job in [returned, waiting, scheduled] {
        let canceled = fixture.store.cancel_job(job).await.expect("canceled");
        assert_eq!(canceled, Canceled { ended: 1, stopping: 0 });
        let ended = fixture.look(job).await;
        assert_eq!((ended.status, ended.attempt, ended.result), (Status::Canceled, 0, None));
        assert!(ended.error.is_some() && ended.finished_at.is_some());
    }
    assert_eq!(hand.claim(10).await.len(), 0);
}

/// The flag is kept and told at every renewal, until the worker reports; no attempt follows.
pub async fn p6_a_running_job_is_canceled_by_its_worker(fixture: &Fixture) {
    let owner = UserId::new();
    let hand = fixture.hand().await;
    let job = fixture.job(owner, JobSpec { max_attempts: 5, ..spec("a") }).await;
    let lease = hand.start_one().await.lease;
    for _ in 0..2 {
        let canceled = fixture.store.cancel_job(job).await.expect("canceled");
        assert_eq!(canceled, Canceled { ended: 0, stopping: 1 });
        assert_eq!(fixture.look(job).await.status, Status::Running);
        let renewal = fixture.store.renew(hand.session, &[lease]).await.expect("renewed");
        assert_eq!((renewal.cancel, renewal.lost), (vec![lease], vec![]));
    }
    assert_eq!(hand.finish(lease, Some(Reason::Canceled)).await, Finished::Won);
    let ended = fixture.look(job).await;
    assert_eq!((ended.status, ended.attempt), (Status::Canceled, 1));
    assert_eq!(ended.result.expect("a result").reason, Some(Reason::Canceled));

    // A worker that goes away with the job, or gives it back, takes the cancel with it.
    for name in ["b", "c"] {
        let job = fixture.job(owner, spec(name)).await;
        let lease = hand.start_one().await.lease;
        fixture.store.cancel_job(job).await.expect("canceled");
        match name {
            "b" => fixture.store.release(&[lease]).await.expect("given back"),
            _ => drop(fixture.store.close_session(hand.session).await.expect("closed")),
        }
        let ended = fixture.look(job).await;
        assert_eq!((ended.status, ended.attempt), (Status::Canceled, 1), "{name}");
        assert!(ended.result.is_some() && ended.error.is_some(), "{name}");
    }
}

/// Those that wait end, those that run are told, those that have ended stay.
pub async fn p6_a_batch_is_canceled_whole(fixture: &Fixture) {
    let hour = chrono::Utc::now() + chrono::TimeDelta::hours(1);
    let later = JobSpec { scheduled_at: Some(hour), ..spec("later") };
    let mut specs: Vec<_> = (0..5).map(|n| spec(&n.to_string())).collect();
    specs.push(later);
    let batch = fixture.batch(UserId::new(), specs).await;
    let hand = fixture.hand().await;
    hand.run_one(None).await;
    let running = hand.start_one().await.lease;
    let canceled = fixture.store.cancel_batch(batch).await.expect("canceled");
    assert_eq!(canceled, Canceled { ended: 4, stopping: 1 });
    fixture.recount(batch).await;
    assert_eq!(hand.claim(10).await.len(), 0);
    assert_eq!(fixture.look_at_batch(batch).await.status, Status::Running);
    hand.finish(running, Some(Reason::Canceled)).await;
    let ended = fixture.look_at_batch(batch).await;
    assert_eq!((ended.status, ended.counts.canceled), (Status::Canceled, 5));
    fixture.recount(batch).await;
}

/// Waiting, scheduled and given back ones end, those that run are told, and the counts of every
/// owner and batch stay right; others are left alone.
pub async fn p6_all_that_is_open_is_canceled_of_one_owner_or_of_everybody(fixture: &Fixture) {
    let hour = chrono::Utc::now() + chrono::TimeDelta::hours(1);
    let later = || JobSpec { scheduled_at: Some(hour), ..spec("later") };
    let (one, other) = (UserId::new(), UserId::new());
    let hand = fixture.hand().await;
    let batch = fixture.batch(one, vec![spec("ended"), spec("running"), spec("a"), later()]).await;
    hand.run_one(None).await;
    let running = hand.start_one().await.lease;
    let single = fixture.job(one, spec("single")).await;
    let returned = hand.claim(1).await[0].lease;
    fixture.store.release(&[returned]).await.expect("released");
    let others = fixture.batch(other, vec![spec("b"), later()]).await;

    let canceled = fixture.store.cancel_all(Some(one)).await.expect("canceled");
    assert_eq!(canceled, Canceled { ended: 3, stopping: 1 });
    assert_eq!(fixture.look(single).await.status, Status::Canceled);
    assert_eq!(fixture.look_at_batch(others).await.counts.waiting, 2);
    hand.finish(running, Some(Reason::Canceled)).await;
    let ended = fixture.look_at_batch(batch).await;
    assert_eq!(
        (ended.status, ended.counts.passed, ended.counts.canceled),
        (Status::Canceled, 1, 3)
    );
    fixture.recount(batch).await;

    let rest = fixture.store.cancel_all(None).await.expect("canceled");
    assert_eq!(rest, Canceled { ended: 2, stopping: 0 });
    assert_eq!(fixture.look_at_batch(others).await.status, Status::Canceled);
    fixture.recount(others).await;
    let again = fixture.store.cancel_all(None).await.expect("nothing to do");
    assert_eq!(again, Canceled::default());
    assert_eq!(hand.claim(10).await.len(), 0);
}
