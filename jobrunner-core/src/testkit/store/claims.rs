//! Claiming.

use std::{collections::BTreeSet, time::Duration};

use chrono::Utc;
use futures_util::TryStreamExt;

use crate::{
    JobSpec, Role, SessionId, Status, UserId,
    lease::{Finished, NewSession, Pick},
    store::AccountUpdate,
    testkit::{Fixture, account, spec, wait_until},
};

/// The second claim of a job is another one than the first.
pub async fn p3_every_claim_has_a_fresh_token(fixture: &Fixture) {
    fixture.job(UserId::new(), spec("a")).await;
    let hand = fixture.hand().await;
    let mut tokens = BTreeSet::new();
    for _ in 0..3 {
        let lease = hand.claim(1).await[0].lease;
        assert!(tokens.insert(lease.token), "{lease:?} was used before");
        fixture.store.release(&[lease]).await.expect("released");
    }
}

/// No job is handed out twice, and none is left over.
pub async fn p3_of_many_claimers_each_job_goes_to_one(fixture: &Fixture) {
    const JOBS: usize = 200;
    fixture.batch(UserId::new(), (0..JOBS).map(|n| spec(&n.to_string())).collect()).await;
    let claimers = (0..8).map(|_| async {
        let hand = fixture.hand().await;
        let mut mine = Vec::new();
        loop {
            let leased = hand.claim(7).await;
            if leased.is_empty() {
                return mine;
            }
            mine.extend(leased.into_iter().map(|leased| leased.lease.job));
        }
    });
    let claimed: Vec<_> = futures_util::future::join_all(claimers).await.concat();
    assert_eq!(claimed.len(), JOBS);
    assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>().len(), JOBS);
}

/// 10 first; within a priority, first come first served.
pub async fn priority_orders_the_jobs_of_an_owner(fixture: &Fixture) {
    let owner = UserId::new();
    let with = |name: &str, priority| JobSpec { priority, ..spec(name) };
    fixture.batch(owner, vec![with("a", 0), with("b", 5), with("c", 5)]).await;
    fixture.job(owner, with("d", 10)).await;
    let order: Vec<_> = fixture
        .hand()
        .await
        .claim(10)
        .await
        .into_iter()
        .map(|leased| leased.run.spec.name)
        .collect();
    assert_eq!(order, ["d", "b", "c", "a"]);
}

/// Owners take turns, however much one of them has submitted before, and whatever its priority.
pub async fn p11_a_large_batch_does_not_keep_others_waiting(fixture: &Fixture) {
    let (large, small) = (UserId::new(), UserId::new());
    let urgent = |n: usize| JobSpec { priority: 10, ..spec(&format!("large {n}")) };
    fixture.batch(large, (0..1_000).map(urgent).collect()).await;
    let hand = fixture.hand().await;
    for _ in 0..5 {
        hand.claim(20).await;
    }
    fixture.batch(small, (0..10).map(|n| spec(&format!("small {n}"))).collect()).await;
    let next = hand.claim(20).await;
    let of_small = next.iter().filter(|leased| leased.run.owner == small).count();
    assert!((9..=10).contains(&of_small), "{of_small} of the next 20 are the newcomer's");
}

/// The limit of running jobs holds over all queues; nothing is refused, it waits.
pub async fn an_owner_at_the_limit_waits_and_others_go_on(fixture: &Fixture) {
    let mut limited = account("limited@example.com", Role::Operator);
    limited.user.max_running_jobs = Some(2);
    let (owner, other) = (limited.user.id, UserId::new());
    fixture.store.create_account(limited).await.expect("created");
    let elsewhere = JobSpec { queue: "elsewhere".to_owned(), ..spec("b") };
    fixture.batch(owner, vec![spec("a"), elsewhere.clone(), spec("c"), elsewhere]).await;
    fixture.batch(other, vec![spec("d"), spec("e"), spec("f")]).await;
    let hand = fixture.hand().await;
    let first = hand.claim(10).await;
    let mine: Vec<_> = first.iter().filter(|leased| leased.run.owner == owner).collect();
    assert_eq!((mine.len(), first.len()), (2, 5));
    assert_eq!(hand.claim(10).await.len(), 0);
    hand.finish(mine[0].lease, None).await;
    assert_eq!(hand.claim(10).await.len(), 1);
}

/// However many queues the owner waits in, there are enough jobs of others for the whole claim.
pub async fn the_turns_of_an_owner_at_the_limit_go_to_others(fixture: &Fixture) {
    let mut limited = account("limited@example.com", Role::Operator);
    limited.user.max_running_jobs = Some(1);
    let owner = limited.user.id;
    fixture.store.create_account(limited).await.expect("created");
    let in_queue = |queue: &str| JobSpec { queue: queue.to_owned(), ..spec(queue) };
    fixture.batch(owner, ["a", "b", "c"].map(in_queue).into()).await;
    fixture.batch(UserId::new(), vec![spec("d"), spec("e")]).await;
    let claimed = fixture.hand().await.claim(3).await;
    let mine = claimed.iter().filter(|leased| leased.run.owner == owner).count();
    assert_eq!((mine, claimed.len()), (1, 3));
}

/// However they are claimed, and what is repeated or comes due meanwhile too; others go on, and
/// what runs does.
pub async fn jobs_of_a_disabled_account_wait_until_it_is_enabled(fixture: &Fixture) {
    let (disabled, other) = (account("a@example.com", Role::Operator), UserId::new());
    let owner = disabled.user.id;
    fixture.store.create_account(disabled).await.expect("created");
    let set_active = async |is_active| {
        let update = AccountUpdate { is_active: Some(is_active), ..AccountUpdate::default() };
        fixture.store.update_account(owner, update).await.expect("updated");
    };
    let running = fixture.job(owner, JobSpec { max_attempts: 2, ..spec("running") }).await;
    let hand = fixture.hand().await;
    let lease = hand.start_one().await.lease;
    let urgent = |name: &str| JobSpec { priority: 10, ..spec(name) };
    let elsewhere = JobSpec { queue: "elsewhere".to_owned(), ..spec("elsewhere") };
    let due = JobSpec { scheduled_at: Some(Utc::now()), ..spec("due") };
    let mut waiting = vec![running];
    for spec in [urgent("urgent"), elsewhere, due] {
        waiting.push(fixture.job(owner, spec).await);
    }

    set_active(false).await;
    hand.finish(lease, Some(crate::job::Reason::ExitCode)).await;
    let theirs = [fixture.job(other, spec("b")).await, fixture.job(other, spec("c")).await];
    let ids = |leased: Vec<crate::lease::Leased>| -> BTreeSet<_> {
        leased.into_iter().map(|leased| leased.lease.job).collect()
    };
    assert_eq!(ids(hand.claim(1).await), [theirs[0]].into(), "nobody waits behind them");
    let proposed: Vec<_> = waiting.iter().copied().chain([theirs[1]]).collect();
    assert_eq!(ids(hand.propose(&proposed).await), [theirs[1]].into());
    assert!(hand.claim(10).await.is_empty() && hand.propose(&waiting).await.is_empty());
    for job in &waiting {
        assert_eq!(fixture.look(*job).await.status, Status::Waiting);
    }

    set_active(true).await;
    assert_eq!(ids(hand.propose(&waiting[..1]).await), [running].into());
    assert_eq!(ids(hand.claim(10).await), waiting[1..].iter().copied().collect());
}

/// Not before, but soon after.
pub async fn scheduled_jobs_wait_for_their_time(fixture: &Fixture) {
    let at = |time| JobSpec { scheduled_at: Some(time), ..spec("scheduled") };
    let owner = UserId::new();
    let due = Utc::now() + Duration::from_millis(300);
    let soon = fixture.job(owner, at(due)).await;
    let late = fixture.job(owner, at(Utc::now() + Duration::from_secs(3600))).await;
    let hand = fixture.hand().await;
    let claimed = wait_until("the scheduled job", || async {
        hand.claim(10).await.pop().map(|leased| leased.lease.job)
    })
    .await;
    assert_eq!(claimed, soon);
    assert!(Utc::now() >= due);
    assert_eq!(fixture.look(late).await.status, Status::Waiting);
    assert_eq!(fixture.store.cancel_job(late).await.expect("canceled").ended, 1);
}

/// A worker that names queues gets nothing of others; the claim says which.
pub async fn workers_get_jobs_of_the_queues_they_serve(fixture: &Fixture) {
    let owner = UserId::new();
    fixture.job(owner, spec("a")).await;
    fixture.job(owner, JobSpec { queue: "gpu".to_owned(), ..spec("b") }).await;
    let hand = fixture.hand().await;
    let claim = async |queues: &[&str]| {
        let queues = queues.iter().map(|queue| (*queue).to_owned()).collect();
        let leased = fixture.store.claim(hand.session, Pick::Fair { queues, want: 10 }).await;
        leased.expect("a claim").into_iter().map(|leased| leased.run.spec.name).collect::<Vec<_>>()
    };
    assert_eq!(claim(&["other"]).await, [""; 0]);
    assert_eq!(claim(&["other", "gpu"]).await, ["b"]);
    assert_eq!(claim(&[]).await, ["a"]);
}

/// What cannot be claimed is left out; no session, no claim.
pub async fn proposed_jobs_are_claimed_if_they_can_be(fixture: &Fixture) {
    let owner = UserId::new();
    let (one, other) = (fixture.job(owner, spec("a")).await, fixture.job(owner, spec("b")).await);
    let hand = fixture.hand().await;
    let ids = vec![crate::JobId::new(), other, other];
    let leased = fixture.store.claim(hand.session, Pick::Ids(ids)).await.expect("a claim");
    assert_eq!(leased.iter().map(|leased| leased.lease.job).collect::<Vec<_>>(), [other]);
    let again = fixture.store.claim(hand.session, Pick::Ids(vec![other])).await.expect("a claim");
    assert_eq!(again.len(), 0);
    let stranger = fixture.store.claim(SessionId::new(), Pick::Ids(vec![one])).await;
    assert!(matches!(stranger, Err(crate::Error::NotFound(_))), "{stranger:?}");
}

/// A claim charges an attempt, and giving it back takes the charge away.
pub async fn p4_a_claim_charges_an_attempt_until_it_is_given_back(fixture: &Fixture) {
    let batch = fixture.batch(UserId::new(), vec![spec("a")]).await;
    let job = fixture.members(batch).await[0].id;
    let session = NewSession {
        id: SessionId::new(),
        host: "other".to_owned(),
        pid: 2,
        slots: 1,
        queues: vec!["default".to_owned()],
        ttl: Duration::from_secs(600),
        containment: crate::executor::Containment::default(),
    };
    fixture.store.open_session(session.clone()).await.expect("a session");
    let hand = fixture.hand().await;
    let first = hand.claim(1).await.pop().expect("a job");
    assert_eq!(first.run.attempt, 1);
    assert_eq!(fixture.look(job).await.status, Status::Running);
    fixture.recount(batch).await;
    fixture.store.release(&[first.lease]).await.expect("released");
    let returned = fixture.look(job).await;
    assert_eq!((returned.status, returned.attempt), (Status::Waiting, 0));
    assert_eq!(fixture.store.attempts(job).await.expect("a list"), []);
    fixture.recount(batch).await;
    assert_eq!(hand.finish(first.lease, None).await, Finished::Stale);
    let pick = Pick::Fair { queues: Vec::new(), want: 1 };
    let second = fixture.store.claim(session.id, pick).await.expect("a claim").remove(0);
    assert_eq!(second.run.attempt, 1);
    fixture.store.release(&[first.lease]).await.expect("nothing to do");
    let running = fixture.look(job).await;
    assert_eq!((running.status, running.attempt), (Status::Running, 1));
    assert!(running.started_at.is_some());
    let attempts = fixture.store.attempts(job).await.expect("a list");
    assert_eq!((attempts.len(), attempts[0].status), (1, Status::Running));
    let workers = fixture.store.workers().await.expect("a list");
    let worker = workers.iter().find(|worker| worker.id == session.id).expect("it is alive");
    assert_eq!((worker.running, worker.slots, worker.pid), (1, 1, 2));
    assert_eq!(worker.queues, session.queues);
    fixture.recount(batch).await;
}

/// What a queue is filled from: everything that may be claimed, or what may be of a batch.
pub async fn what_is_claimable_is_told_page_by_page(fixture: &Fixture) {
    let owner = UserId::new();
    let with = |name: &str, priority| JobSpec { priority, ..spec(name) };
    let many = (0..1_500).map(|n| with(&n.to_string(), 5)).collect();
    let large = fixture.batch(owner, many).await;
    let small = fixture.batch(owner, vec![with("a", 0), with("b", 10)]).await;
    let later = JobSpec { scheduled_at: Some(Utc::now() + Duration::from_secs(3600)), ..spec("c") };
    fixture.job(owner, later).await;
    let hand = fixture.hand().await;
    assert_eq!(hand.claim(1).await[0].run.spec.name, "b");

    let pages = |of| fixture.store.claimable(of).try_concat();
    let all = pages(None).await.expect("all");
    let of_large = pages(Some(large)).await.expect("those of the large batch");
    let of_small = pages(Some(small)).await.expect("those of the small batch");

    assert_eq!((all.len(), of_large.len(), of_small.len()), (1_501, 1_500, 1));
    let members: Vec<_> = all.iter().filter(|c| c.priority == 5).map(|c| c.job).collect();
    assert_eq!(members, of_large.iter().map(|c| c.job).collect::<Vec<_>>());
    assert!(members.is_sorted(), "in the order of their submission");
    let last = &of_small[0];
    assert_eq!((last.owner, last.queue.as_str(), last.priority), (owner, "default", 0));
}
