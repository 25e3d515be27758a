//! Which statement reads which list. Lists are planned for each execution, and what is not asked
//! for is left out of the plan, so one statement serves every owner and batch.

use super::{both::read::members, sql};
use crate::store::engine::plan::{Batches, JobList, Jobs};

pub(super) const fn jobs(plan: &Jobs) -> &'static str {
    match plan.list {
        JobList::Newest => sql!("list/newest", "job/columns"),
        JobList::Running => sql!("list/running", "job/columns"),
        JobList::Waiting => sql!("list/waiting", "job/columns"),
        JobList::Ended => sql!("list/ended", "job/columns"),
        JobList::Members(order) => members(order),
    }
}

pub(super) const fn batches(plan: &Batches) -> &'static str {
    match plan.is_of_name {
        true => sql!(both "batch/list_of_name", "batch/columns"),
        false => sql!("batch/list", "batch/columns"),
    }
}
