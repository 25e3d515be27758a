//! Which statement reads which list. A statement is planned once whatever it is asked for, so each
//! owner's, each batch's and everybody's list is one of its own, made of the same parts.

use super::{both::read::members, sql};
use crate::store::engine::plan::{Batches, JobList, Jobs, Of};

pub(super) const fn jobs(plan: &Jobs) -> &'static str {
    match (plan.list, plan.of) {
        (JobList::Newest, Of::All) => sql!("list/of_all", "list/newest", "job/columns"),
        (JobList::Newest, Of::Owner) => sql!("list/of_owner", "list/newest", "job/columns"),
        (JobList::Newest, Of::Batch) => sql!("list/of_batch", "list/newest", "job/columns"),
        (JobList::Running, Of::All) => sql!("list/of_all", "list/running", "job/columns"),
        (JobList::Running, Of::Owner) => sql!("list/of_owner", "list/running", "job/columns"),
        (JobList::Running, Of::Batch) => sql!("list/of_batch", "list/running", "job/columns"),
        (JobList::Waiting, Of::All) => sql!("list/of_all", "list/waiting", "job/columns"),
        (JobList::Waiting, Of::Owner) => sql!("list/of_owner", "list/waiting", "job/columns"),
        (JobList::Waiting, Of::Batch) => sql!("list/of_batch", "list/waiting", "job/columns"),
        (JobList::Ended, Of::All) => sql!("list/of_all", "list/ended", "job/columns"),
        (JobList::Ended, Of::Owner) => sql!("list/of_owner", "list/ended", "job/columns"),
        (JobList::Ended, Of::Batch) => sql!("list/of_batch", "list/ended", "job/columns"),
        (JobList::Running, Of::Shared) => sql!("list/of_shared", "list/running", "job/columns"),
        (JobList::Newest | JobList::Waiting | JobList::Ended, Of::Shared) => {
            sql!("list/shared", "job/columns")
        }
        (JobList::Members(order), _) => members(order),
    }
}

/// Whether the statement asks for a status and a reason.
pub(super) const fn takes_status(plan: &Jobs) -> bool {
    matches!(plan.list, JobList::Ended | JobList::Members(_)) || matches!(plan.of, Of::Shared)
}

pub(super) const fn batches(plan: &Batches) -> &'static str {
    match (plan.is_of_name, plan.of) {
        (true, _) => sql!("batch/list_of_name", "batch/columns"),
        (false, Of::Owner) => sql!("batch/list_of_owner", "batch/columns"),
        (false, Of::Shared) => sql!("batch/list_shared", "batch/columns"),
        (false, _) => sql!("batch/list_of_all", "batch/columns"),
    }
}
