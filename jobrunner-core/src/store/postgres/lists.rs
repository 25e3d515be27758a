//! Which statement reads which list. Lists are planned for each execution, and what is not asked
//! for is left out of the plan, so one statement serves every owner and batch. Those of several
//! projects have statements of their own, which read an index for each.

use super::{both::read::members, sql};
use crate::store::engine::plan::{Batches, JobList, Jobs, Of};

pub(super) const fn jobs(plan: &Jobs) -> &'static str {
    match (plan.list, plan.of) {
        (JobList::Newest, Of::Shared) => sql!("list/newest_shared", "job/columns"),
        (JobList::Waiting, Of::Shared) => sql!("list/waiting_shared", "job/columns"),
        (JobList::Ended, Of::Shared) => sql!("list/ended_shared", "job/columns"),
        (JobList::Newest, _) => sql!("list/newest", "job/columns"),
        (JobList::Running, _) => sql!("list/running", "job/columns"),
        (JobList::Waiting, _) => sql!("list/waiting", "job/columns"),
        (JobList::Ended, _) => sql!("list/ended", "job/columns"),
        (JobList::Members(order), _) => members(order),
    }
}

/// Whether the statement asks for a status and a reason.
pub(super) const fn takes_status(plan: &Jobs) -> bool {
    matches!(plan.list, JobList::Ended | JobList::Members(_))
}

pub(super) const fn batches(plan: &Batches) -> &'static str {
    match (plan.is_of_name, plan.of) {
        (true, _) => sql!("batch/list_of_name", "batch/columns"),
        (false, Of::Shared) => sql!("batch/list_shared", "batch/columns"),
        (false, _) => sql!("batch/list", "batch/columns"),
    }
}
