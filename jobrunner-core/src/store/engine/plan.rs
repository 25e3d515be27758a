//! From what is asked for to the list that answers it.
//!
//! A store has a statement for each of these lists, which says only which ids are on a page.

use crate::{
    Status, UserId,
    audit::AuditFilter,
    batch::{BatchFilter, NameFilter},
    job::{JobFilter, Order, Reason},
    user::Scope,
};

/// Whose rows a list reads, by which index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Everybody's.
    All,
    /// One owner's.
    Owner,
    /// One batch's members.
    Batch,
    /// Those of projects, and perhaps one owner's beside them.
    Shared,
}

/// A list of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobList {
    /// Jobs of any status, newest first.
    Newest,
    /// Those that run, newest first.
    Running,
    /// Those that wait, newest first.
    Waiting,
    /// Those that ended with one status and perhaps for one reason, newest first.
    Ended,
    /// Members of a batch in another order, of any or one status.
    Members(Order),
}

/// How a page of jobs is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jobs {
    /// The list to read.
    pub list: JobList,
    /// Whose.
    pub of: Of,
    /// The status that the filter comes down to.
    pub status: Option<Status>,
    /// Whose jobs may be shown.
    pub scope: Scope,
}

/// The list that has the jobs within the scope that a filter shows; `None` if there can be none.
#[must_use]
pub fn jobs(scope: Scope, filter: &JobFilter) -> Option<Jobs> {
    let scope = shown(scope.within(filter.owner, filter.project.as_ref()))?;
    let status = narrowed(filter.status, filter.reason)?;
    let list = match (filter.batch, filter.order, status) {
        (Some(_), order, _) if order != Order::Newest => JobList::Members(order),
        (.., None) => JobList::Newest,
        (.., Some(Status::Running)) => JobList::Running,
        (.., Some(Status::Waiting)) => JobList::Waiting,
        (.., Some(_)) => JobList::Ended,
    };
    let of = if filter.batch.is_some() { Of::Batch } else { of(&scope) };
    Some(Jobs { list, of, status, scope })
}

/// The status of the jobs that are shown: the one that is asked for, or that of all that end for
/// the reason. `None` if nothing with this status ends for this reason.
fn narrowed(status: Option<Status>, reason: Option<Reason>) -> Option<Option<Status>> {
    let of_reason = reason.map(|reason| match reason {
        Reason::Canceled => Status::Canceled,
        _ => Status::Failed,
    });
    match (status, of_reason) {
        (Some(status), Some(of_reason)) if status != of_reason => None,
        (status, of_reason) => Some(status.or(of_reason)),
    }
}

/// How a page of batches is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batches {
    /// Whether all of them have exactly the name that is asked for.
    pub is_of_name: bool,
    /// Whose.
    pub of: Of,
    /// Whose batches may be shown.
    pub scope: Scope,
}

/// The list that has the batches within the scope that a filter shows; `None` if there can be none.
#[must_use]
pub fn batches(scope: Scope, filter: &BatchFilter) -> Option<Batches> {
    let scope = shown(scope.within(filter.owner, filter.project.as_ref()))?;
    let is_of_name = matches!(filter.name, Some(NameFilter::Exactly(_)));
    Some(Batches { is_of_name, of: of(&scope), scope })
}

/// A list of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventList {
    /// All of them.
    All,
    /// Those of one kind.
    OfAction,
    /// Those that one account asked for.
    OfActor,
    /// What was done to one thing.
    OfTarget,
}

/// The list that a filter's events are read from: the one that leaves the fewest.
#[must_use]
pub const fn events(filter: &AuditFilter) -> EventList {
    match filter {
        AuditFilter { target: Some(_), .. } => EventList::OfTarget,
        AuditFilter { actor: Some(_), .. } => EventList::OfActor,
        AuditFilter { action: Some(_), .. } => EventList::OfAction,
        AuditFilter { .. } => EventList::All,
    }
}

/// A scope within which there may be something.
#[must_use]
pub fn shown(scope: Scope) -> Option<Scope> {
    (scope != Scope::Nothing).then_some(scope)
}

/// Whose jobs are counted for somebody who asks for those of one owner, or for theirs: `None`
/// within is everybody's. There are counts of owners alone, which are told to them and to those who
/// may see everything.
#[must_use]
pub fn counted(scope: Scope, wanted: Option<UserId>) -> Option<Option<UserId>> {
    match (scope.within(wanted, None), wanted) {
        (Scope::All, _) => Some(None),
        (Scope::Owner(owner), _) | (Scope::Either(owner, _), None) => Some(Some(owner)),
        _ => None,
    }
}

const fn of(scope: &Scope) -> Of {
    match scope {
        Scope::Owner(_) | Scope::Both(..) => Of::Owner,
        Scope::Projects(_) | Scope::Either(..) => Of::Shared,
        Scope::Nothing | Scope::All => Of::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BatchId;

    fn list(filter: JobFilter) -> Option<(JobList, Of, Option<Status>)> {
        jobs(Scope::All, &filter).map(|plan| (plan.list, plan.of, plan.status))
    }

    #[test]
    fn a_reason_implies_a_status_and_contradicts_the_others() {
        let of = |status, reason| list(JobFilter { status, reason, ..JobFilter::default() });
        let failed = Some((JobList::Ended, Of::All, Some(Status::Failed)));
        assert_eq!(of(None, Some(Reason::Timeout)), failed);
        assert_eq!(of(Some(Status::Failed), Some(Reason::Timeout)), failed);
        assert_eq!(of(Some(Status::Passed), Some(Reason::Timeout)), None);
        assert_eq!(of(Some(Status::Failed), Some(Reason::Canceled)), None);
    }

    #[test]
    fn only_members_have_another_order() {
        let order = Order::Name;
        let members = JobFilter { order, batch: Some(BatchId::new()), ..JobFilter::default() };
        assert_eq!(list(members), Some((JobList::Members(order), Of::Batch, None)));
        let others = JobFilter { order, ..JobFilter::default() };
        assert_eq!(list(others), Some((JobList::Newest, Of::All, None)));
    }

    #[test]
    fn counts_are_told_to_their_owner_and_to_who_sees_everything() {
        let (mine, theirs) = (UserId::new(), UserId::new());
        let web = || ["web".parse().expect("a name")];
        for scope in [Scope::Owner(mine), Scope::of(mine, web())] {
            assert_eq!(counted(scope.clone(), None), Some(Some(mine)));
            assert_eq!(counted(scope.clone(), Some(mine)), Some(Some(mine)));
            assert_eq!(counted(scope, Some(theirs)), None);
        }
        assert_eq!(counted(Scope::Projects(web().into()), None), None);
        assert_eq!(counted(Scope::All, None), Some(None));
        assert_eq!(counted(Scope::All, Some(theirs)), Some(Some(theirs)));
    }

    #[test]
    fn p12_another_owners_jobs_are_in_no_list() {
        let (mine, theirs) = (UserId::new(), UserId::new());
        let filter = JobFilter { owner: Some(theirs), ..JobFilter::default() };
        assert_eq!(jobs(Scope::Owner(mine), &filter), None);
        assert_eq!(jobs(Scope::Nothing, &JobFilter::default()), None);
        let theirs = jobs(Scope::All, &filter).map(|plan| (plan.of, plan.scope));
        assert_eq!(theirs, Some((Of::Owner, Scope::Owner(filter.owner.expect("an owner")))));
    }
}
