use std::str::FromStr;

use super::AuthzFixture;
use crate::{
    BatchId, Error, JobId, Principal, Result, Role, Service, UserId,
    authz::Action,
    batch::{BatchFilter, RerunOnly},
    job::JobFilter,
    log::Stream,
    page::PageRequest,
    service::{IdPart, LogPlace},
    testkit::spec,
};

/// A job of its own and a batch of one job of somebody.
struct Things {
    owner: UserId,
    job: JobId,
    batch: BatchId,
    member: JobId,
}

/// Somebody of each role, and what each of them has.
async fn everybody(fixture: &AuthzFixture) -> Vec<(Principal, Things)> {
    let store = fixture.things();
    let mut everybody = Vec::new();
    for role in Role::ALL.into_iter().chain(Role::ALL) {
        let caller = fixture.enter(role).await;
        let owner = caller.id;
        let job = store.job(owner, spec("a job")).await;
        let batch = store.batch(owner, vec![spec("a member")]).await;
        let member = store.members(batch).await[0].id;
        everybody.push((caller, Things { owner, job, batch, member }));
    }
    everybody
}

/// A single read finds what the scope contains, and of everything else not even that it exists.
pub async fn p12_single_reads_keep_to_the_scope(fixture: &AuthzFixture) {
    let everybody = everybody(fixture).await;
    let service = fixture.service();
    for (caller, _) in &everybody {
        let scope = fixture.authz.scope(caller);
        for (_, things) in &everybody {
            let found = scope.contains(things.owner, None);
            for job in [things.job, things.member] {
                check(found, service.job(caller, job).await);
                check(found, service.attempts(caller, job).await);
                check(found, service.logs(caller, job, None).await);
                check(found, service.log_reader(caller, job, None, Stream::Stdout).await);
                check(found, service.follow(caller, job, LogPlace::default()).await);
            }
            check(found, service.batch(caller, things.batch).await);
            check(found, service.causes(caller, things.batch).await);
            check(found, service.timeline(caller, things.batch).await);
        }
    }
}

fn check<T>(is_in_scope: bool, answer: Result<T>) {
    match answer {
        Ok(_) => assert!(is_in_scope, "something is found that is out of scope"),
        Err(Error::NotFound(_)) => assert!(!is_in_scope, "something is not found"),
        Err(other) => panic!("{other}"),
    }
}

/// Whatever is asked for: a list shows what a single read would find, and counts count it.
pub async fn p12_lists_keep_to_the_scope_as_single_reads_do(fixture: &AuthzFixture) {
    let everybody = everybody(fixture).await;
    let service = fixture.service();
    let page = || PageRequest::first(100);
    for (caller, _) in &everybody {
        let scope = fixture.authz.scope(caller);
        let of = |things: &&Things| scope.contains(things.owner, None);
        let seen: Vec<&Things> = everybody.iter().map(|(_, things)| things).filter(of).collect();
        let mut expected: Vec<JobId> = seen.iter().flat_map(|it| [it.job, it.member]).collect();
        expected.sort();
        let jobs = service.jobs(caller, JobFilter::default(), page()).await.expect("a list");
        assert_eq!(ids(jobs.items.iter().map(|job| job.id)), expected);
        let counts = service.counts(caller, None).await.expect("counts");
        assert_eq!(counts.total, expected.len() as u64);
        let names = service.batch_names(caller, &jobs.items).await.expect("names");
        let batches = service.batches(caller, BatchFilter::default(), page()).await;
        let batches = ids(batches.expect("a list").items.iter().map(|batch| batch.id));
        assert_eq!(batches, ids(seen.iter().map(|things| things.batch)));
        assert_eq!(ids(names.into_keys()), batches);
        for (_, things) in &everybody {
            one_owner(&service, caller, things, of(&things)).await;
        }
    }
}

fn ids<Id: Ord>(found: impl Iterator<Item = Id>) -> Vec<Id> {
    let mut found: Vec<Id> = found.collect();
    found.sort();
    found
}

/// Lists that name whose things they ask for, or which.
async fn one_owner(service: &Service, caller: &Principal, things: &Things, is_in_scope: bool) {
    let expected = |many: usize| if is_in_scope { many } else { 0 };
    let page = || PageRequest::first(100);
    let filter = JobFilter { owner: Some(things.owner), ..JobFilter::default() };
    let jobs = service.jobs(caller, filter, page()).await.expect("a list");
    assert_eq!(jobs.items.len(), expected(2));
    let filter = JobFilter { batch: Some(things.batch), ..JobFilter::default() };
    let members = service.jobs(caller, filter.clone(), page()).await.expect("a list");
    assert_eq!(members.items.len(), expected(1));
    check(is_in_scope, service.members(caller, filter, page()).await);
    let filter = BatchFilter { owner: Some(things.owner), ..BatchFilter::default() };
    let batches = service.batches(caller, filter, page()).await.expect("a list");
    assert_eq!(batches.items.len(), expected(1));
    let counts = service.counts(caller, Some(things.owner)).await.expect("counts");
    assert_eq!(counts.total, expected(2) as u64);
    let part = IdPart::from_str(&things.job.to_string()).expect("an id");
    let jobs = service.jobs_by_id(caller, &part, JobFilter::default(), 10).await;
    assert_eq!(jobs.expect("a list").items.len(), expected(1));
    let part = IdPart::from_str(&things.batch.to_string()).expect("an id");
    let batches = service.batches_by_id(caller, &part, BatchFilter::default(), 10).await;
    assert_eq!(batches.expect("a list").items.len(), expected(1));
}

/// What is out of scope does not exist, so it is not found before it is not allowed; what is in
/// scope is changed by those who may control it.
pub async fn p12_nobody_changes_what_is_out_of_scope(fixture: &AuthzFixture) {
    let everybody = everybody(fixture).await;
    let (service, store) = (fixture.service(), fixture.things());
    for (caller, own) in &everybody {
        let scope = fixture.authz.scope(caller);
        let of_others = everybody.iter().map(|(_, things)| things);
        for things in of_others.filter(|things| !scope.contains(things.owner, None)) {
            check(false, service.cancel_job(caller, things.job).await);
            check(false, service.rerun_job(caller, things.job).await);
            check(false, service.delete_job(caller, things.job).await);
            check(false, service.cancel_batch(caller, things.batch).await);
            check(false, service.rerun_batch(caller, things.batch, RerunOnly::All).await);
            check(false, service.delete_batch(caller, things.batch).await);
            assert!(!store.look(things.job).await.status.is_terminal());
            assert!(!store.look(things.member).await.status.is_terminal());
        }
        if fixture.authz.check(caller, Action::Control).is_err() {
            let refused = service.cancel_job(caller, own.job).await;
            assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
            assert!(!store.look(own.job).await.status.is_terminal());
        }
    }
    for (caller, own) in &everybody {
        if fixture.authz.check(caller, Action::Control).is_ok() {
            assert!(
                service.cancel_job(caller, own.job).await.expect("canceled").status.is_terminal()
            );
        }
    }
}
