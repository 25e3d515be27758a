//! A test and its past.

use jobrunner_core::{
    Principal, Service,
    batch::NameFilter,
    history::{CountedCause, OnHost, RESULTS_LOOKED_AT, SeriesTest, Test, TestFilter, TestResult},
    page::PageRequest,
    series::TestId,
};
use poem::{
    Response, handler,
    web::{Data, Path, Query},
};
use serde::{Deserialize, Serialize};
use tera::Context;
use uuid::Uuid;

use super::{
    links::Paging,
    page,
    past::{self, ShownFlakiness, ShownName, ShownRevision},
    session::Session,
    shell,
    show::{Moment, Standing, Why, duration},
    tail::last_lines,
};
use crate::api::problem::Failure;

/// How many results are in the table.
const SHOWN: u32 = 50;

/// How many other variants are named.
const VARIANTS: u32 = 50;

/// How many of the last lines of the last failure are shown.
const LINES: usize = 20;

/// How wide a result is in the strip.
const STEP: usize = 4;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    cursor: Option<String>,
}

#[derive(Serialize)]
struct ShownResult {
    standing: Standing,
    batch: String,
    job: String,
    is_rerun: bool,
    revision: Option<ShownRevision>,
    why: Option<Why>,
    host: Option<String>,
    took: String,
    created: Moment,
}

impl From<&TestResult> for ShownResult {
    fn from(result: &TestResult) -> Self {
        Self {
            standing: past::outcome(result.outcome),
            batch: result.batch_id.to_string(),
            job: result.job_id.to_string(),
            is_rerun: result.is_rerun,
            revision: ShownRevision::of(result.revision.as_ref()),
            why: result.cause.as_ref().map(past::why),
            host: result.host.clone(),
            took: took(result),
            created: result.created_at.into(),
        }
    }
}

fn took(result: &TestResult) -> String {
    duration(i64::try_from(result.duration_ms).unwrap_or(i64::MAX))
}

#[derive(Serialize)]
struct ShownCause {
    why: Why,
    runs: u32,
    job: String,
}

impl From<&CountedCause> for ShownCause {
    fn from(cause: &CountedCause) -> Self {
        Self { why: past::why(&cause.cause), runs: cause.runs, job: cause.job_id.to_string() }
    }
}

#[derive(Serialize)]
struct ShownVariant {
    name: ShownName,
    last: Standing,
}

impl From<&SeriesTest> for ShownVariant {
    fn from(test: &SeriesTest) -> Self {
        Self { name: (&test.named).into(), last: past::outcome(test.outcome) }
    }
}

/// A test with what became of it.
#[handler]
pub(super) async fn show(
    Data(service): Data<&Service>,
    session: Session,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
) -> Response {
    match contents(service, &session.caller, id.into(), &wanted).await {
        Ok((title, context)) => page::page(&session, "test.html", &title, context),
        Err(failure) => page::problem(&session, failure),
    }
}

async fn contents(
    service: &Service,
    caller: &Principal,
    id: TestId,
    wanted: &Wanted,
) -> Result<(String, Context), Failure> {
    let test = service.test(caller, id).await?;
    let newest = PageRequest::first(RESULTS_LOOKED_AT);
    let of_strip = service.test_results(caller, id, newest).await?.items;
    let page = PageRequest::parse(Some(SHOWN), wanted.cursor.as_deref())?;
    let results = service.test_results(caller, id, page).await?;
    let strip = of_strip.iter().rev().map(|result| {
        let at = result.created_at.format("%Y-%m-%d %H:%M");
        let standing = past::outcome(result.outcome);
        let revision = result.revision.as_ref().and_then(|it| it.sha.as_deref()).unwrap_or("");
        let title = format!("{at} UTC {revision}: {}, {}", standing.word, took(result));
        (result.duration_ms as f64, standing.word, title)
    });
    let mut context = Context::new();
    context.insert("strip", &past::bars(strip, STEP));
    context.insert("strip_width", &(of_strip.len().max(1) * STEP));
    context.insert("strip_count", &of_strip.len());
    let longest = of_strip.iter().max_by_key(|result| result.duration_ms).map(took);
    context.insert("longest", &longest);
    context.insert("results", &results.items.iter().map(ShownResult::from).collect::<Vec<_>>());
    let paging = Paging::new(&[], wanted.cursor.as_ref(), results.next_cursor.as_ref())?;
    context.insert("paging", &paging);
    about(service, caller, &test, &mut context).await?;
    let others = TestFilter {
        name: Some(NameFilter::Exactly(test.named.test.clone())),
        ..TestFilter::default()
    };
    let others =
        service.tests(caller, test.series_id, &others, PageRequest::first(VARIANTS)).await?;
    let others = others
        .items
        .iter()
        .filter(|it| it.named.test_id != test.named.test_id && it.named.case == test.named.case);
    context.insert("variants", &others.map(ShownVariant::from).collect::<Vec<_>>());
    Ok((test.named.test, context))
}

async fn about(
    service: &Service,
    caller: &Principal,
    test: &Test,
    context: &mut Context,
) -> Result<(), Failure> {
    context.insert("name", &ShownName::from(&test.named));
    context.insert("series_id", &test.series_id.to_string());
    context.insert("series_name", &test.series);
    context.insert("last", &test.outcome.map(past::outcome));
    context.insert("flakiness", &ShownFlakiness::from(&test.flakiness));
    context.insert("causes", &test.causes.iter().map(ShownCause::from).collect::<Vec<_>>());
    let hosts: &Vec<OnHost> = &test.hosts;
    context.insert("hosts", hosts);
    if let Some(good) = &test.last_good {
        context.insert("good_batch", &good.batch_id.to_string());
        context.insert("good", &ShownRevision::of(good.revision.as_ref()));
    }
    let Some(failure) = &test.last_failure else { return Ok(()) };
    context.insert("failure", &ShownResult::from(failure));
    context.insert("lines", &last_lines(service, caller, failure.job_id, LINES).await?);
    match service.job(caller, failure.job_id).await {
        Ok(job) => {
            let command = shell::line(&job.spec.command);
            let place = shell::quote(&job.spec.working_dir.to_string());
            context.insert("again", &format!("cd {place} && {command}"));
        }
        // It is deleted; what became of it is kept.
        Err(jobrunner_core::Error::NotFound(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
