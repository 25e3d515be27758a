use sqlx::PgConnection;
use uuid::Uuid;

use super::{sql, store_error};
use crate::{
    JobId, Result,
    report::Case,
    store::engine::{
        results::CaseTest,
        values::{case_code, stored},
    },
};

/// How many rows a statement writes: the arrays of more would take much memory here and there.
const AT_ONCE: usize = 10_000;

/// Stores the cases of any number of attempts, by a statement for each [`AT_ONCE`] of them.
pub(super) async fn insert(
    connection: &mut PgConnection,
    cases: Vec<(JobId, i64, &[Case])>,
) -> Result<()> {
    let mut columns = Columns::default();
    for (job, attempt, cases) in cases {
        for (place, case) in (0..).zip(cases) {
            columns.push(job.as_uuid(), attempt, place, case);
            if columns.jobs.len() >= AT_ONCE {
                std::mem::take(&mut columns).write(connection).await?;
            }
        }
    }
    if columns.jobs.is_empty() { Ok(()) } else { columns.write(connection).await }
}

/// Cases as the arrays that the statement takes.
#[derive(Default)]
struct Columns<'c> {
    jobs: Vec<Uuid>,
    attempts: Vec<i64>,
    places: Vec<i64>,
    durations: Vec<Option<i64>>,
    statuses: Vec<i16>,
    flaky: Vec<bool>,
    classes: Vec<&'c str>,
    names: Vec<&'c str>,
    files: Vec<Option<&'c str>>,
    messages: Vec<Option<&'c str>>,
}

impl<'c> Columns<'c> {
    fn push(&mut self, job: Uuid, attempt: i64, place: i64, case: &'c Case) {
        self.jobs.push(job);
        self.attempts.push(attempt);
        self.places.push(place);
        self.durations.push(case.duration_ms.map(stored));
        self.statuses.push(case_code(case.status));
        self.flaky.push(case.flaky);
        self.classes.push(&case.class);
        self.names.push(&case.name);
        self.files.push(case.file.as_deref());
        self.messages.push(case.message.as_deref());
    }

    async fn write(self, connection: &mut PgConnection) -> Result<()> {
        sqlx::query(sql!("case/insert"))
            .bind(self.jobs)
            .bind(self.attempts)
            .bind(self.places)
            .bind(self.durations)
            .bind(self.statuses)
            .bind(self.flaky)
            .bind(self.classes)
            .bind(self.names)
            .bind(self.files)
            .bind(self.messages)
            .execute(connection)
            .await
            .map(|_| ())
            .map_err(store_error)
    }
}

/// Makes cases known as tests.
pub(super) async fn name(connection: &mut PgConnection, mut cases: Vec<CaseTest>) -> Result<()> {
    // The same order in every transaction: none waits for another in a ring.
    cases.sort_unstable_by_key(|case| (case.run, case.test));
    for cases in cases.chunks(AT_ONCE) {
        sqlx::query(sql!("case/name"))
            .bind(cases.iter().map(|case| case.run).collect::<Vec<_>>())
            .bind(cases.iter().map(|case| case.test).collect::<Vec<_>>())
            .bind(cases.iter().map(|case| case.parent).collect::<Vec<_>>())
            .bind(cases.iter().map(|case| case.case.as_str()).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    Ok(())
}
