use std::collections::HashMap;

use sqlx::{Sqlite, SqlitePool, query::QueryAs, sqlite::SqliteArguments};
use uuid::Uuid;

use super::{
    owner::Owner,
    rows::{AttemptRow, BatchRow, CountsRow, JobRow, code, id_list, status},
    sql, store_error,
};
use crate::{
    BatchId, Error, JobId, Result, Status, UserId,
    authz::Scope,
    batch::{Batch, BatchFilter, Counts, NameFilter},
    job::{Attempt, Job, JobFilter, Order, Reason},
    page::{Page, PageRequest},
};

pub(super) async fn job(readers: &SqlitePool, id: JobId, scope: Scope) -> Result<Option<Job>> {
    let owner = Owner::new(scope, None);
    if matches!(owner, Owner::Nobody) {
        return Ok(None);
    }
    let row: Option<JobRow> = sqlx::query_as(sql!("job/get"))
        .bind(id.as_uuid())
        .bind(owner.id())
        .fetch_optional(readers)
        .await
        .map_err(store_error)?;
    row.map(JobRow::into_job).transpose()
}

pub(super) async fn job_status(readers: &SqlitePool, job: JobId) -> Result<Status> {
    let found: Option<i64> = sqlx::query_scalar(sql!("job/status"))
        .bind(job.as_uuid())
        .fetch_optional(readers)
        .await
        .map_err(store_error)?;
    found.ok_or(Error::NotFound("job")).and_then(status)
}

pub(super) async fn jobs(
    readers: &SqlitePool,
    filter: &JobFilter,
    page: PageRequest,
) -> Result<Page<Job>> {
    let owner = Owner::new(filter.scope, filter.owner);
    let nothing = Page { items: Vec::new(), next_cursor: None };
    let Ok(status) = filter.narrowed() else { return Ok(nothing) };
    let sql = match (&owner, status, filter.batch) {
        (Owner::Nobody, ..) => return Ok(nothing),
        (.., Some(_)) if filter.order != Order::Newest => {
            return members(readers, filter, page).await;
        }
        (_, Some(Status::Running), _) => sql!("job/list_running"),
        (_, _, Some(_)) => sql!("job/list_of_batch"),
        (Owner::One(_), ..) => sql!("job/list_of_owner"),
        (Owner::Anybody, ..) => sql!("job/list_of_all"),
    };
    let query: QueryAs<'_, Sqlite, JobRow, SqliteArguments> = sqlx::query_as(sql);
    let mut query = query
        .bind(owner.id())
        .bind(filter.batch.map(BatchId::as_uuid))
        .bind(status.map(code))
        .bind(&filter.queue)
        .bind(filter.name.as_deref().map(pattern))
        .bind(page.after.unwrap_or(Uuid::max()))
        .bind(i64::from(page.limit) + 1);
    if status != Some(Status::Running) {
        query = query.bind(filter.reason.map(Reason::as_str));
    }
    let rows = query.fetch_all(readers).await.map_err(store_error)?;
    of_rows(rows, page)
}

/// Members of a batch in another order than the usual one.
async fn members(readers: &SqlitePool, filter: &JobFilter, page: PageRequest) -> Result<Page<Job>> {
    let nothing = Page { items: Vec::new(), next_cursor: None };
    let Ok(status) = filter.narrowed() else { return Ok(nothing) };
    let (sql, direction) = match filter.order {
        Order::Newest | Order::Oldest => (sql!("job/list_oldest"), None),
        Order::Name => (sql!("job/list_by_name"), None),
        Order::NameDown => (sql!("job/list_by_name_down"), None),
        Order::Shortest => (sql!("job/list_by_duration"), Some(1_i64)),
        Order::Longest => (sql!("job/list_by_duration"), Some(-1)),
    };
    // Without a condition that may be none, the index leads to where the page begins.
    let from_first = matches!(filter.order, Order::Newest | Order::Oldest).then_some(Uuid::nil());
    let mut query = sqlx::query_as(sql)
        .bind(Owner::new(filter.scope, filter.owner).id())
        .bind(filter.batch.map(BatchId::as_uuid))
        .bind(status.map(code))
        .bind(&filter.queue)
        .bind(filter.name.as_deref().map(pattern))
        .bind(page.after.or(from_first))
        .bind(i64::from(page.limit) + 1)
        .bind(filter.reason.map(Reason::as_str));
    if let Some(direction) = direction {
        query = query.bind(direction);
    }
    let rows: Vec<JobRow> = query.fetch_all(readers).await.map_err(store_error)?;
    of_rows(rows, page)
}

fn of_rows(rows: Vec<JobRow>, page: PageRequest) -> Result<Page<Job>> {
    let page = Page::from_surplus(rows, page.limit, JobRow::id);
    let items: Result<Vec<Job>> = page.items.into_iter().map(JobRow::into_job).collect();
    Ok(Page { items: items?, next_cursor: page.next_cursor })
}

pub(super) async fn attempts(readers: &SqlitePool, job: JobId) -> Result<Vec<Attempt>> {
    let rows: Vec<AttemptRow> = sqlx::query_as(sql!("attempt/list"))
        .bind(job.as_uuid())
        .fetch_all(readers)
        .await
        .map_err(store_error)?;
    rows.into_iter().map(AttemptRow::into_attempt).collect()
}

pub(super) async fn batch(
    readers: &SqlitePool,
    id: BatchId,
    scope: Scope,
) -> Result<Option<Batch>> {
    let owner = Owner::new(scope, None);
    if matches!(owner, Owner::Nobody) {
        return Ok(None);
    }
    let row: Option<BatchRow> = sqlx::query_as(sql!("batch/get"))
        .bind(id.as_uuid())
        .bind(owner.id())
        .fetch_optional(readers)
        .await
        .map_err(store_error)?;
    row.map(BatchRow::into_batch).transpose()
}

pub(super) async fn batch_names(
    readers: &SqlitePool,
    ids: &[BatchId],
    scope: Scope,
) -> Result<HashMap<BatchId, String>> {
    let owner = Owner::new(scope, None);
    if matches!(owner, Owner::Nobody) || ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Uuid, String)> = sqlx::query_as(sql!("batch/names"))
        .bind(id_list(ids.iter().map(|id| id.as_uuid()))?)
        .bind(owner.id())
        .fetch_all(readers)
        .await
        .map_err(store_error)?;
    Ok(rows.into_iter().map(|(id, name)| (id.into(), name)).collect())
}

pub(super) async fn batches(
    readers: &SqlitePool,
    filter: &BatchFilter,
    page: PageRequest,
) -> Result<Page<Batch>> {
    let owner = Owner::new(filter.scope, filter.owner);
    let sql = match (&owner, &filter.name) {
        (Owner::Nobody, _) => {
            return Ok(Page { items: Vec::new(), next_cursor: None });
        }
        (_, Some(NameFilter::Exactly(_))) => sql!("batch/list_of_name"),
        (Owner::One(_), _) => sql!("batch/list_of_owner"),
        (Owner::Anybody, _) => sql!("batch/list_of_all"),
    };
    let name = filter.name.as_ref().map(|name| match name {
        NameFilter::Exactly(name) => name.clone(),
        NameFilter::Matching(name) => pattern(name),
    });
    let rows: Vec<BatchRow> = sqlx::query_as(sql)
        .bind(owner.id())
        .bind(filter.status.map(code))
        .bind(name)
        .bind(page.after.unwrap_or(Uuid::max()))
        .bind(i64::from(page.limit) + 1)
        .fetch_all(readers)
        .await
        .map_err(store_error)?;
    let page = Page::from_surplus(rows, page.limit, BatchRow::id);
    let items: Result<Vec<Batch>> = page.items.into_iter().map(BatchRow::into_batch).collect();
    Ok(Page { items: items?, next_cursor: page.next_cursor })
}

pub(super) async fn counts(
    readers: &SqlitePool,
    scope: Scope,
    wanted: Option<UserId>,
) -> Result<Counts> {
    let owner = Owner::new(scope, wanted);
    if matches!(owner, Owner::Nobody) {
        return Ok(Counts::default());
    }
    let row: CountsRow = sqlx::query_as(sql!("count/sum"))
        .bind(owner.id())
        .fetch_one(readers)
        .await
        .map_err(store_error)?;
    row.into_counts()
}

/// A name to look for as a GLOB pattern, in which only `*` has a meaning.
fn pattern(name: &str) -> String {
    name.replace('[', "[[]").replace('?', "[?]")
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn only_the_asterisk_of_a_name_is_special() {
        assert_eq!(pattern("a*[b]?"), "a*[[]b][?]");
    }
}
