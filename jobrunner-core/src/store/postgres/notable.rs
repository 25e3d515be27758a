//! How tests that are more than passed are handed to statements: as columns.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{sql, store_error};
use crate::{
    Result,
    store::engine::verdict::{ClassifiedRow, Notable, code},
};

/// Numbers for a statement that takes many.
#[expect(clippy::unnecessary_wraps, reason = "SQLite has to write them as JSON")]
pub(super) fn numbers(numbers: &[i64]) -> Result<Vec<i64>> {
    Ok(numbers.to_vec())
}

#[derive(Default)]
struct Columns {
    places: Vec<i64>,
    tests: Vec<i64>,
    jobs: Vec<Option<Uuid>>,
    since: Vec<Option<i64>>,
    runs: Vec<i32>,
    good: Vec<Option<i64>>,
    causes: Vec<i64>,
    issues: Vec<Option<Uuid>>,
}

impl Columns {
    fn of(rows: &[(i64, &Notable)]) -> Self {
        let mut columns = Self::default();
        for (place, row) in rows {
            columns.places.push(*place);
            columns.tests.push(row.test_no);
            columns.jobs.push(row.job_id);
            columns.since.push(row.since_run);
            columns.runs.push(row.runs);
            columns.good.push(row.good_run);
            columns.causes.push(row.cause_no);
            columns.issues.push(row.issue_id);
        }
        columns
    }
}

/// What is told of those that are not stored yet.
pub(super) async fn details(
    connection: &mut PgConnection,
    series: i64,
    rows: &[(i64, &Notable)],
) -> Result<Vec<ClassifiedRow>> {
    let columns = Columns::of(rows);
    sqlx::query_as(sql!("verdict/live", both "verdict/details"))
        .bind(columns.places)
        .bind(columns.tests)
        .bind(columns.jobs)
        .bind(columns.since)
        .bind(series)
        .bind(columns.runs)
        .bind(columns.good)
        .bind(columns.causes)
        .bind(columns.issues)
        .fetch_all(connection)
        .await
        .map_err(store_error)
}

/// Stores those of a run.
pub(super) async fn insert(
    connection: &mut PgConnection,
    run: i64,
    rows: &[(i64, &Notable)],
) -> Result<()> {
    let columns = Columns::of(rows);
    let classes: Vec<i16> = rows.iter().map(|(_, row)| code(row.class)).collect();
    sqlx::query(sql!("verdict/insert"))
        .bind(run)
        .bind(classes)
        .bind(columns.places)
        .bind(columns.tests)
        .bind(columns.jobs)
        .bind(columns.since)
        .bind(columns.runs)
        .bind(columns.good)
        .bind(columns.causes)
        .bind(columns.issues)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}
