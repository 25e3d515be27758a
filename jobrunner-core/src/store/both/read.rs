//! What is looked at: jobs, attempts, batches and counts.

use std::collections::HashMap;

use sqlx::query::QueryAs;
use uuid::Uuid;

use super::{Arguments, Database, Pool, bind, lists, sql, store_error};
use crate::{
    BatchId, Error, JobId, Result, Status, UserId,
    batch::{Batch, BatchFilter, Counts, NameFilter},
    job::{Attempt, Job, JobFilter, Order, Reason},
    page::{Page, PageRequest},
    store::engine::{
        plan::{self, JobList},
        rows::{AttemptRow, BatchRow, CountsRow, JobRow},
        values::{code, status},
    },
    user::Scope,
};

pub(super) async fn job(pool: &Pool, id: JobId, scope: Scope) -> Result<Option<Job>> {
    let Some(scope) = plan::shown(scope) else { return Ok(None) };
    let row: Option<JobRow> = sqlx::query_as(sql!("job/get", "job/columns"))
        .bind(id.as_uuid())
        .bind(scope.owner().map(UserId::as_uuid))
        .bind(bind::names(scope.projects())?)
        .bind(scope.or_owner().map(UserId::as_uuid))
        .fetch_optional(pool)
        .await
        .map_err(store_error)?;
    row.map(JobRow::into_job).transpose()
}

pub(super) async fn job_status(pool: &Pool, job: JobId) -> Result<Status> {
    let found: Option<i64> = sqlx::query_scalar(sql!(both "job/status"))
        .bind(job.as_uuid())
        .fetch_optional(pool)
        .await
        .map_err(store_error)?;
    found.ok_or(Error::NotFound("job")).and_then(status)
}

pub(super) async fn jobs(
    pool: &Pool,
    scope: Scope,
    filter: &JobFilter,
    page: PageRequest,
) -> Result<Page<Job>> {
    let Some(plan) = plan::jobs(scope, filter) else { return Ok(Page::empty()) };
    let first = match plan.list {
        JobList::Members(Order::Newest | Order::Oldest) => Some(Uuid::nil()),
        JobList::Members(_) => None,
        _ => Some(Uuid::max()),
    };
    let mut query: QueryAs<'_, Database, JobRow, Arguments> = sqlx::query_as(lists::jobs(&plan))
        .bind(page.after.or(first))
        .bind(i64::from(page.limit) + 1)
        .bind(&filter.queue)
        .bind(filter.name.as_deref().map(bind::pattern))
        .bind(plan.scope.owner().map(UserId::as_uuid))
        .bind(filter.batch.map(BatchId::as_uuid))
        .bind(bind::names(plan.scope.projects())?)
        .bind(plan.scope.or_owner().map(UserId::as_uuid));
    if lists::takes_status(&plan) {
        query = query.bind(plan.status.map(code)).bind(filter.reason.map(Reason::as_str));
    }
    if let JobList::Members(order @ (Order::Shortest | Order::Longest)) = plan.list {
        query = query.bind(if order == Order::Shortest { 1_i64 } else { -1 });
    }
    let rows = query.fetch_all(pool).await.map_err(store_error)?;
    Page::from_surplus(rows, page.limit, JobRow::id).try_map(JobRow::into_job)
}

/// The statement that reads members of a batch in another order.
pub(in crate::store) const fn members(order: Order) -> &'static str {
    match order {
        Order::Newest | Order::Oldest => {
            sql!("list/members", both "list/oldest", "job/columns")
        }
        Order::Name => sql!("list/members", both "list/by_name", "job/columns"),
        Order::NameDown => sql!("list/members", both "list/by_name_down", "job/columns"),
        Order::Shortest | Order::Longest => {
            sql!("list/members", both "list/by_duration", "job/columns")
        }
    }
}

pub(super) async fn attempts(pool: &Pool, job: JobId) -> Result<Vec<Attempt>> {
    let rows: Vec<AttemptRow> = sqlx::query_as(sql!("attempt/list"))
        .bind(job.as_uuid())
        .fetch_all(pool)
        .await
        .map_err(store_error)?;
    rows.into_iter().map(AttemptRow::into_attempt).collect()
}

pub(super) async fn batch(pool: &Pool, id: BatchId, scope: Scope) -> Result<Option<Batch>> {
    let Some(scope) = plan::shown(scope) else { return Ok(None) };
    let row: Option<BatchRow> = sqlx::query_as(sql!("batch/get", "batch/columns"))
        .bind(id.as_uuid())
        .bind(scope.owner().map(UserId::as_uuid))
        .bind(bind::names(scope.projects())?)
        .bind(scope.or_owner().map(UserId::as_uuid))
        .fetch_optional(pool)
        .await
        .map_err(store_error)?;
    row.map(BatchRow::into_batch).transpose()
}

pub(super) async fn batch_names(
    pool: &Pool,
    ids: &[BatchId],
    scope: Scope,
) -> Result<HashMap<BatchId, String>> {
    let Some(scope) = plan::shown(scope).filter(|_| !ids.is_empty()) else {
        return Ok(HashMap::new());
    };
    let rows: Vec<(Uuid, String)> = sqlx::query_as(sql!("batch/names"))
        .bind(bind::ids(ids.iter().map(|id| id.as_uuid()).collect())?)
        .bind(scope.owner().map(UserId::as_uuid))
        .bind(bind::names(scope.projects())?)
        .bind(scope.or_owner().map(UserId::as_uuid))
        .fetch_all(pool)
        .await
        .map_err(store_error)?;
    Ok(rows.into_iter().map(|(id, name)| (id.into(), name)).collect())
}

pub(super) async fn batches(
    pool: &Pool,
    scope: Scope,
    filter: &BatchFilter,
    page: PageRequest,
) -> Result<Page<Batch>> {
    let Some(plan) = plan::batches(scope, filter) else { return Ok(Page::empty()) };
    let name = filter.name.as_ref().map(|name| match name {
        NameFilter::Exactly(name) => name.clone(),
        NameFilter::Matching(name) => bind::pattern(name),
    });
    let rows: Vec<BatchRow> = sqlx::query_as(lists::batches(&plan))
        .bind(page.after.unwrap_or(Uuid::max()))
        .bind(i64::from(page.limit) + 1)
        .bind(name)
        .bind(filter.status.map(code))
        .bind(plan.scope.owner().map(UserId::as_uuid))
        .bind(bind::names(plan.scope.projects())?)
        .bind(plan.scope.or_owner().map(UserId::as_uuid))
        .fetch_all(pool)
        .await
        .map_err(store_error)?;
    Page::from_surplus(rows, page.limit, BatchRow::id).try_map(BatchRow::into_batch)
}

pub(super) async fn counts(pool: &Pool, scope: Scope, wanted: Option<UserId>) -> Result<Counts> {
    let Some(whose) = plan::counted(scope, wanted) else { return Ok(Counts::default()) };
    let row: CountsRow = sqlx::query_as(sql!(both "count/columns", both "count/of_owner"))
        .bind(whose.map(UserId::as_uuid))
        .fetch_one(pool)
        .await
        .map_err(store_error)?;
    row.into_counts()
}
