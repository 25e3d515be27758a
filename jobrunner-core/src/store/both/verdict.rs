//! What runs say beside those before them.

use uuid::Uuid;

use super::{Connection, Pool, known_issue, run::RunRow, sql, store_error, told};
use crate::{
    BatchId, Result,
    page::{Page, PageRequest},
    store::engine::{
        values::{parse, render},
        verdict::{ClassifiedRow, Judged},
    },
    verdict::{Class, ClassCounts, ClassifiedTest, ShortVerdict, Verdict},
};

/// The verdict of a batch as it stands; `None` if it is no run.
pub(super) async fn verdict(pool: &Pool, batch: BatchId) -> Result<Option<Verdict>> {
    let mut connection = pool.acquire().await.map_err(store_error)?;
    let Some(run) = RunRow::of(&mut connection, batch).await? else { return Ok(None) };
    let counts: ClassCounts = match &run.verdict {
        Some(stored) => parse(stored)?,
        None => judge(&mut connection, batch, &run).await?.counts,
    };
    let gate = run.gate()?;
    let is_final = run.verdict.is_some();
    let short = ShortVerdict::new(gate, is_final.then_some(counts));
    Ok(Some(Verdict {
        batch_id: batch,
        series: run.series.clone(),
        series_id: run.series_id.into(),
        baseline: run.baseline(),
        is_final,
        status: short.status,
        gate,
        summary: if is_final { counts.summary() } else { counts.summary_so_far() },
        counts,
    }))
}

/// The tests of a class in a run, in the order of their names; those that passed, by their numbers.
pub(super) async fn tests(
    pool: &Pool,
    batch: BatchId,
    class: Class,
    page: PageRequest,
) -> Result<Page<ClassifiedTest>> {
    let mut connection = pool.acquire().await.map_err(store_error)?;
    let Some(run) = RunRow::of(&mut connection, batch).await? else { return Ok(Page::empty()) };
    let live = match &run.verdict {
        Some(_) => None,
        None => Some(judge(&mut connection, batch, &run).await?),
    };
    let rows = match (class, live) {
        (Class::Passed, live) => {
            let told = live.iter().flat_map(|live| &live.notable);
            let told = told.filter(|it| it.class != Class::Missing && it.class != Class::Slower);
            let told = told.map(|notable| notable.test_no).collect();
            told::passed(&mut connection, &run, told, page).await?
        }
        (class, Some(live)) => told::live(&mut connection, &run, &live, (class, page)).await?,
        (class, None) => told::stored(&mut connection, &run, class, page).await?,
    };
    let page = Page::from_surplus(rows, page.limit, |row| ClassifiedRow::cursor(row.place));
    page.try_map(|row| row.into_test(run.series_no))
}

/// Stores the verdict of a batch that has ended, if it is a run, once.
pub(in crate::store) async fn finish(connection: &mut Connection, batch: Uuid) -> Result<()> {
    let batch = BatchId::from(batch);
    let run = RunRow::of(connection, batch).await?;
    let Some(run) = run.filter(|run| run.verdict.is_none()) else { return Ok(()) };
    let judged = judge(connection, batch, &run).await?;
    told::insert(connection, run.no, &judged).await?;
    sqlx::query(sql!(both "run/judge"))
        .bind(run.no)
        .bind(render(&judged.counts)?)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// Classifies the tests of a run as they are now.
async fn judge(connection: &mut Connection, batch: BatchId, run: &RunRow) -> Result<Judged> {
    let window = run.before(&mut *connection).await?;
    let mut noted = told::noted(connection, run, &window).await?;
    let known = known_issue::of_batch(connection, batch, run).await?;
    if known.expect_failures() {
        told::note_plain(connection, run, &mut noted).await?;
    }
    // What repeats some tests of a run lacks the others.
    let missing = match run.repeats {
        None => told::missing(connection, run, &window, batch).await?,
        Some(_) => Vec::new(),
    };
    Judged::of(run.no, noted, missing, &known)
}
