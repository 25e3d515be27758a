//! Attempts that follow another one: which, when and where.

use std::time::{Duration, Instant};

use crate::{
    JobSpec, Status, UserId,
    batch::RerunOnly,
    job::Reason,
    lease::{Finish, Finished, Rescue},
    retry::{Retry, RetryKind, RetryOn},
    testkit::{Fixture, Hand, skip, spec, wait_until},
};

/// A worker that lives.
const LIVES: Duration = Duration::from_secs(600);

fn repeated(retry: Retry) -> JobSpec {
    JobSpec { max_attempts: 5, retry: Some(retry), ..spec("repeated") }
}

async fn fail_with(hand: &Hand, exit_code: i32) {
    let lease = hand.start_one().await.lease;
    let mut report = hand.report(lease, Some(Reason::ExitCode));
    report.outcome.exit_code = Some(exit_code);
    assert_eq!(hand.store().finish(&[report]).await.expect("an answer"), [Finished::Won]);
}

/// Exit codes and kinds that are not named end the job, however many attempts are left.
pub async fn only_failures_that_a_job_names_are_repeated(fixture: &Fixture) {
    let on = vec![RetryOn::ExitCode(75), RetryOn::Kind(RetryKind::Timeout)];
    let job = fixture.job(UserId::new(), repeated(Retry { on, ..Retry::default() })).await;
    let hand = fixture.hand().await;
    fail_with(&hand, 75).await;
    assert_eq!(fixture.look(job).await.status, Status::Waiting);
    hand.run_one(Some(Reason::Timeout)).await;
    assert_eq!(fixture.look(job).await.status, Status::Waiting);
    fail_with(&hand, 74).await;
    let job = fixture.look(job).await;
    assert_eq!((job.status, job.attempt), (Status::Failed, 3));
}

/// It is not claimed before, and claimed soon after.
pub async fn a_repetition_waits_for_its_pause(fixture: &Fixture) {
    let after = |delay_seconds| repeated(Retry { delay_seconds, ..Retry::default() });
    let hand = fixture.hand().await;
    let long = fixture.job(UserId::new(), after(600)).await;
    hand.run_one(Some(Reason::ExitCode)).await;
    let found = fixture.look(long).await;
    assert_eq!((found.status, found.attempt), (Status::Waiting, 1));
    assert!(hand.claim(1).await.is_empty());

    let job = fixture.job(UserId::new(), after(1)).await;
    let failed = Instant::now();
    hand.run_one(Some(Reason::ExitCode)).await;
    let leased = wait_until("the pause to be over", || async { hand.claim(1).await.pop() }).await;
    assert!(failed.elapsed() >= Duration::from_millis(900), "{:?}", failed.elapsed());
    assert_eq!((leased.lease.job, leased.run.attempt), (job, 2));
}

/// The loss of a worker does not make a job flaky.
pub async fn p4_a_job_that_passes_after_a_failure_is_flaky_and_counted(fixture: &Fixture) {
    let owner = UserId::new();
    let members = ["flaky", "lost", "steady"].map(|name| JobSpec { max_attempts: 2, ..spec(name) });
    let batch = fixture.batch(owner, members.to_vec()).await;
    let hand = fixture.hand().await;
    hand.run_one(Some(Reason::ExitCode)).await;
    hand.run_one(None).await;
    hand.run_one(Some(Reason::WorkerLost)).await;
    hand.run_one(None).await;
    hand.run_one(None).await;
    let members = fixture.members(batch).await;
    let flaky: Vec<bool> = members.iter().map(|job| job.flaky).collect();
    assert_eq!(flaky, [true, false, false]);
    let found = fixture.look_at_batch(batch).await;
    assert_eq!((found.status, found.counts.passed, found.flaky), (Status::Passed, 3, 1));

    let deleted = fixture.store.delete_job(members[0].id).await;
    deleted.expect("an ended job can be deleted");
    assert_eq!(fixture.look_at_batch(batch).await.flaky, 0);
}

/// It says so by its exit code. What failed before is no news of it then.
pub async fn p4_a_job_that_is_skipped_has_passed_and_is_counted(fixture: &Fixture) {
    let names = ["failed before", "lost before", "skipped", "passed"];
    let members = names.map(|name| JobSpec { max_attempts: 2, ..spec(name) });
    let batch = fixture.batch(UserId::new(), members.to_vec()).await;
    let hand = fixture.hand().await;
    let skips = async || {
        let lease = hand.start_one().await.lease;
        let report = Finish { outcome: skip(), ..hand.report(lease, None) };
        // Told once more, it is counted once.
        let told = hand.store().finish(&[report.clone(), report]).await.expect("an answer");
        assert_eq!(told, [Finished::Won, Finished::Already]);
    };
    hand.run_one(Some(Reason::ExitCode)).await;
    skips().await;
    hand.run_one(Some(Reason::WorkerLost)).await;
    skips().await;
    skips().await;
    hand.run_one(None).await;

    let members = fixture.members(batch).await;
    let marks: Vec<_> = members.iter().map(|job| (job.status, job.skipped, job.flaky)).collect();
    let skipped = (Status::Passed, true, false);
    assert_eq!(marks, [skipped, skipped, skipped, (Status::Passed, false, false)]);
    let result = members[2].result.as_ref().expect("a result");
    assert_eq!((result.exit_code, result.reason, &members[2].error), (Some(77), None, &None));
    let found = fixture.look_at_batch(batch).await;
    let counted = (found.status, found.counts.passed, found.skipped, found.flaky);
    assert_eq!(counted, (Status::Passed, 4, 3, 0));

    let again = fixture.store.rerun_batch(UserId::new(), batch, RerunOnly::All).await;
    let again = fixture.look_at_batch(again.expect("a rerun")).await;
    assert_eq!((again.counts.waiting, again.skipped), (4, 0));
    let deleted = fixture.store.delete_job(members[0].id).await;
    deleted.expect("an ended job can be deleted");
    let found = fixture.look_at_batch(batch).await;
    assert_eq!((found.counts.passed, found.skipped), (3, 2));
}

/// It costs no run, the first host leaves the job to the other, and where there is no other the job
/// fails.
pub async fn files_that_are_missing_on_one_host_are_looked_for_on_another(fixture: &Fixture) {
    let here = fixture.hand_on("here", LIVES).await;
    let alone = fixture.job(UserId::new(), spec("alone")).await;
    here.run_one(Some(Reason::InputMissing)).await;
    assert_eq!(fixture.look(alone).await.status, Status::Failed);

    let there = fixture.hand_on("there", LIVES).await;
    let owner = UserId::new();
    let job = fixture.job(owner, spec("job")).await;
    here.run_one(Some(Reason::InputMissing)).await;
    assert_eq!(fixture.look(job).await.status, Status::Waiting);
    // What waits behind it is not held up by it, in its own lane and in others.
    let behind = fixture.job(owner, spec("behind")).await;
    let other = fixture.job(UserId::new(), spec("other")).await;
    let mut claimed = [here.claim(1).await, here.claim(2).await].concat();
    claimed.sort_by_key(|leased| leased.lease.job);
    let jobs: Vec<_> = claimed.iter().map(|leased| leased.lease.job).collect();
    assert_eq!(jobs, [behind, other]);
    assert!(here.propose(&[job]).await.is_empty());

    there.run_one(None).await;
    let job = fixture.look(job).await;
    assert_eq!((job.status, job.attempt, job.flaky), (Status::Passed, 2, false));
}

/// Not for ever: the rest of the suite covers a job whose only host is the one that was lost.
pub async fn p4_a_job_that_lost_its_worker_prefers_another_host(fixture: &Fixture) {
    let brief = fixture.hand_on("here", Duration::from_secs(2)).await;
    let job = fixture.job(UserId::new(), spec("job")).await;
    brief.start_one().await;
    let again = fixture.hand_on("here", LIVES).await;
    let there = fixture.hand_on("there", LIVES).await;
    wait_until("the session to expire", || async {
        let rescued = fixture.store.rescue(Rescue::Expired).await.expect("a rescue");
        (!rescued.is_empty()).then_some(())
    })
    .await;
    assert!(again.claim(1).await.is_empty());
    let leased = there.claim(1).await;
    assert_eq!(leased.iter().map(|leased| leased.lease.job).collect::<Vec<_>>(), [job]);
}

/// Until it is known whose fault it was: then it fails with a sentence that says so.
pub async fn p4_a_job_that_lost_two_workers_runs_alone_after_all_others(fixture: &Fixture) {
    let suspect = fixture.job(UserId::new(), spec("suspect")).await;
    let lose = async || {
        let hand = fixture.hand().await;
        assert_eq!(hand.start_one().await.lease.job, suspect);
        fixture.store.close_session(hand.session).await.expect("closed");
    };
    lose().await;
    lose().await;
    let others =
        [fixture.job(UserId::new(), spec("a")).await, fixture.job(UserId::new(), spec("b")).await];
    let (busy, hand) = (fixture.hand().await, fixture.hand().await);
    let mut claimed: Vec<_> = busy.claim(10).await.iter().map(|leased| leased.lease).collect();
    claimed.sort_unstable();
    assert_eq!(claimed.iter().map(|lease| lease.job).collect::<Vec<_>>(), others);

    // Nothing else waits now, but one worker has leases.
    let alone = wait_until("the suspect", || async {
        assert!(busy.claim(10).await.is_empty() && hand.propose(&[suspect]).await.is_empty());
        hand.claim(10).await.pop()
    })
    .await;
    assert_eq!((alone.lease.job, alone.run.attempt), (suspect, 3));
    let beside = fixture.job(UserId::new(), spec("beside")).await;
    assert!(hand.claim(10).await.is_empty() && hand.propose(&[beside]).await.is_empty());

    // What is given back is still a suspect.
    fixture.store.release(&[alone.lease]).await.expect("released");
    assert_eq!(hand.claim(10).await.iter().map(|l| l.lease.job).collect::<Vec<_>>(), [beside]);
    for lease in claimed {
        busy.finish(lease, None).await;
    }
    lose().await;
    lose().await;
    let failed = fixture.look(suspect).await;
    assert_eq!((failed.status, failed.attempt), (Status::Failed, 4));
    let said = failed.error.expect("a sentence");
    assert!(said.contains("lost its worker 4 times, 2 of them while it ran alone"), "{said}");
}

/// Workers that are stopped say so, as in an upgrade; one that goes away without a word after them
/// is the first that does.
pub async fn p4_a_job_whose_workers_were_stopped_is_no_suspect(fixture: &Fixture) {
    let job = fixture.job(UserId::new(), spec("long")).await;
    let hand = fixture.hand().await;
    let again =
        async || wait_until("the next attempt", || async { hand.claim(1).await.pop() }).await.lease;
    for _ in 0..2 {
        let lease = again().await;
        let mut report = hand.report(lease, None);
        report.outcome = report.outcome.left_behind();
        assert_eq!(hand.store().finish(&[report]).await.expect("an answer"), [Finished::Won]);
        assert_eq!(fixture.look(job).await.status, Status::Waiting);
    }
    let gone = fixture.hand().await;
    assert_eq!(gone.start_one().await.lease.job, job);
    fixture.store.close_session(gone.session).await.expect("closed");
    let beside = fixture.job(UserId::new(), spec("beside")).await;
    let mut claimed = Vec::new();
    while !claimed.contains(&job) || !claimed.contains(&beside) {
        claimed.push(again().await.job);
    }
    assert_eq!(claimed.len(), 2, "one worker holds both");
}
