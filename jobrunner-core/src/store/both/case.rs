//! The cases of reports.

use super::{Pool, bind, sql, store_error};
use crate::{
    JobId, Result,
    page::{Page, PageRequest},
    report::{Case, CaseFilter},
    store::engine::{rows::CaseRow, values::case_code},
};

pub(super) async fn list(
    pool: &Pool,
    job: JobId,
    filter: &CaseFilter,
    page: PageRequest,
) -> Result<Page<Case>> {
    let rows: Vec<CaseRow> = sqlx::query_as(sql!("case/list"))
        .bind(page.after.map_or(-1, CaseRow::place_of))
        .bind(i64::from(page.limit) + 1)
        .bind(job.as_uuid())
        .bind(filter.attempt.map(i64::from))
        .bind(filter.status.map(case_code))
        .bind(filter.name.as_deref().map(bind::pattern))
        .fetch_all(pool)
        .await
        .map_err(store_error)?;
    Page::from_surplus(rows, page.limit, CaseRow::id).try_map(CaseRow::into_case)
}
