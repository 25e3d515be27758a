//! What runs say beside one other alone.

use super::{
    Connection, Pool, notable,
    run::{RunRow, Window},
    sql, store_error, told,
};
use crate::{
    BatchId, Result,
    known_issue::Rules,
    page::{Page, PageRequest},
    store::engine::verdict::{ClassifiedRow, Judged},
    verdict::{Class, ClassCounts, ClassifiedTest},
};

/// How many tests of a batch are of each class beside another; `None` if one of them is no run.
pub(super) async fn counts(
    pool: &Pool,
    batch: BatchId,
    other: BatchId,
) -> Result<Option<ClassCounts>> {
    let mut connection = pool.acquire().await.map_err(store_error)?;
    let judged = judge(&mut connection, batch, other).await?;
    Ok(judged.map(|(_, judged)| judged.counts))
}

/// The tests of a class in the order of their names; those that passed, by their numbers.
pub(super) async fn tests(
    pool: &Pool,
    batch: BatchId,
    other: BatchId,
    class: Class,
    page: PageRequest,
) -> Result<Page<ClassifiedTest>> {
    let mut connection = pool.acquire().await.map_err(store_error)?;
    let Some((run, judged)) = judge(&mut connection, batch, other).await? else {
        return Ok(Page::empty());
    };
    let rows = match class {
        Class::Passed => passed(&mut connection, &run, &judged, page).await?,
        class => told::live(&mut connection, &run, &judged, (class, page)).await?,
    };
    let page = Page::from_surplus(rows, page.limit, |row| ClassifiedRow::cursor(row.place));
    page.try_map(|row| row.into_test(run.series_no))
}

async fn judge(
    connection: &mut Connection,
    batch: BatchId,
    other: BatchId,
) -> Result<Option<(RunRow, Judged)>> {
    let Some(run) = RunRow::of(connection, batch).await? else { return Ok(None) };
    let Some(beside) = RunRow::of(connection, other).await? else { return Ok(None) };
    let window = Window::only(connection, beside.no).await?;
    let noted = told::noted(connection, &run, &window).await?;
    let missing = told::missing(connection, &run, &window, batch).await?;
    // What is known of failures is about gates; here it is what really differs.
    let judged = Judged::of(run.no, noted, missing, &Rules::default())?;
    Ok(Some((run, judged)))
}

/// Those that passed and nothing else is to be said of, whatever is stored of them as a run.
async fn passed(
    connection: &mut Connection,
    run: &RunRow,
    judged: &Judged,
    page: PageRequest,
) -> Result<Vec<ClassifiedRow>> {
    let told = judged.notable.iter().filter(|it| Class::OF_TESTS.contains(&it.class));
    let told: Vec<i64> = told.map(|notable| notable.test_no).collect();
    sqlx::query_as(sql!("compare/passed", both "verdict/details"))
        .bind(run.no)
        .bind(ClassifiedRow::place(page.after, i64::MIN))
        .bind(i64::from(page.limit) + 1)
        .bind(run.day())
        .bind(run.series_no)
        .bind(notable::numbers(&told)?)
        .fetch_all(connection)
        .await
        .map_err(store_error)
}
