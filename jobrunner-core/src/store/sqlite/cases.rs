use serde::Serialize;
use sqlx::SqliteConnection;

use super::{sql, store_error};
use crate::{
    JobId, Result,
    report::Case,
    store::engine::{
        results::CaseTest,
        values::{case_code, render},
    },
};

/// How many rows a statement writes: the JSON of more would take much memory.
const AT_ONCE: usize = 5_000;

/// A row as the statement reads it.
#[derive(Serialize)]
struct Row<'c>(
    &'c str,
    i64,
    usize,
    Option<u64>,
    i16,
    bool,
    &'c str,
    &'c str,
    Option<&'c str>,
    Option<&'c str>,
);

impl<'c> Row<'c> {
    fn of(job: &'c str, attempt: i64, place: usize, case: &'c Case) -> Self {
        Self(
            job,
            attempt,
            place,
            case.duration_ms,
            case_code(case.status),
            case.flaky,
            &case.class,
            &case.name,
            case.file.as_deref(),
            case.message.as_deref(),
        )
    }
}

/// Stores the cases of any number of attempts, by a statement for each [`AT_ONCE`] of one's.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    cases: Vec<(JobId, i64, &[Case])>,
) -> Result<()> {
    for (job, attempt, cases) in cases {
        let job = job.as_uuid().simple().to_string();
        for (chunk, cases) in cases.chunks(AT_ONCE).enumerate() {
            let places = chunk * AT_ONCE..;
            let rows = places.zip(cases).map(|(place, case)| Row::of(&job, attempt, place, case));
            let insert = sqlx::query(sql!("case/insert")).bind(render(&rows.collect::<Vec<_>>())?);
            insert.execute(&mut *connection).await.map_err(store_error)?;
        }
    }
    Ok(())
}

/// Makes cases known as tests.
pub(super) async fn name(connection: &mut SqliteConnection, cases: Vec<CaseTest>) -> Result<()> {
    for cases in cases.chunks(AT_ONCE) {
        let name = sqlx::query(sql!("case/name")).bind(render(cases)?);
        name.execute(&mut *connection).await.map_err(store_error)?;
    }
    Ok(())
}
