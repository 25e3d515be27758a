//! How tests that are more than passed are handed to statements: as JSON.

use serde::Serialize;
use sqlx::SqliteConnection;

use super::{sql, store_error};
use crate::{
    Result,
    store::engine::{
        values::render,
        verdict::{ClassifiedRow, Notable, code},
    },
};

/// Numbers for a statement that takes many.
pub(super) fn numbers(numbers: &[i64]) -> Result<String> {
    render(numbers)
}

fn list(rows: &[(i64, &Notable)]) -> Result<String> {
    #[derive(Serialize)]
    struct Row {
        class: i16,
        place: i64,
        test_no: i64,
        job_id: Option<String>,
        since_run: Option<i64>,
        runs: i32,
        good_run: Option<i64>,
        cause_no: i64,
        issue_id: Option<String>,
    }
    let row = |(place, row): &(i64, &Notable)| Row {
        class: code(row.class),
        place: *place,
        test_no: row.test_no,
        job_id: row.job_id.map(|id| id.simple().to_string()),
        since_run: row.since_run,
        runs: row.runs,
        good_run: row.good_run,
        cause_no: row.cause_no,
        issue_id: row.issue_id.map(|id| id.simple().to_string()),
    };
    render(&rows.iter().map(row).collect::<Vec<_>>())
}

/// What is told of those that are not stored yet.
pub(super) async fn details(
    connection: &mut SqliteConnection,
    series: i64,
    rows: &[(i64, &Notable)],
) -> Result<Vec<ClassifiedRow>> {
    sqlx::query_as(sql!("verdict/live", both "verdict/details"))
        .bind(list(rows)?)
        .bind(None::<i64>)
        .bind(None::<i64>)
        .bind(None::<i64>)
        .bind(series)
        .fetch_all(connection)
        .await
        .map_err(store_error)
}

/// Stores those of a run.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    run: i64,
    rows: &[(i64, &Notable)],
) -> Result<()> {
    sqlx::query(sql!("verdict/insert"))
        .bind(run)
        .bind(list(rows)?)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}
