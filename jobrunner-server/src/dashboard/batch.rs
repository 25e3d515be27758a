use futures_util::TryFutureExt;
use jobrunner_core::{
    Batch, BatchId, Job, Principal, ProjectName, Service, Status,
    batch::{BatchFilter, NameFilter, RerunOnly},
    insight::{Cause, Moment, NamedJob},
    job::{JobFilter, Reason},
    page::{Page, PageRequest},
};
use poem::{
    IntoResponse, Response, Result, handler,
    web::{Data, Path, Query},
};
use serde::{Deserialize, Serialize};
use tera::Context;
use uuid::Uuid;

use super::{
    home::any_part,
    known_issues::Mute,
    links::{self, Paging},
    members::failed_first,
    page,
    session::{Form, Session, see},
    show::{ShownBatch, ShownJob, Standing},
    sorting, verdict,
};
use crate::{
    api::{problem::Failure, results::Xml},
    junit::document,
};

/// How many members are on a page.
const MEMBERS: u32 = 100;

/// How many runs of the same name are compared.
const RUNS: u32 = 30;

/// So many failures are shown one by one, more by their causes.
const GROUPED: u64 = 5;

/// How many members are shown where a batch is unfolded among others.
const FIRST_MEMBERS: u32 = 20;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    status: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    queue: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    sort: String,
    cursor: Option<String>,
    #[serde(flatten)]
    classes: verdict::Wanted,
}

impl Wanted {
    fn filter(&self, batch: BatchId) -> Result<JobFilter, Failure> {
        Ok(JobFilter {
            batch: Some(batch),
            status: status(&self.status)?,
            queue: (!self.queue.trim().is_empty()).then(|| self.queue.trim().to_owned()),
            name: (!self.name.trim().is_empty()).then(|| any_part(self.name.trim())),
            reason: reason(&self.reason)?,
            order: sorting::order(&self.sort)?.unwrap_or_default(),
            ..JobFilter::default()
        })
    }
}

/// A status as a filter of a page has it; nothing is any.
pub(super) fn status(text: &str) -> Result<Option<Status>, Failure> {
    let parsed = (!text.is_empty()).then(|| text.parse::<Status>()).transpose();
    parsed.map_err(|error| jobrunner_core::Violation::new("status", error.to_string()).into())
}

/// A reason as a filter of a page has it; nothing is any.
pub(super) fn reason(text: &str) -> Result<Option<Reason>, Failure> {
    let parsed = (!text.is_empty()).then(|| text.parse::<Reason>()).transpose();
    parsed.map_err(|error| jobrunner_core::Violation::new("reason", error.to_string()).into())
}

/// A run in the strip of runs of the same name.
#[derive(Serialize)]
struct Run {
    id: String,
    standing: Standing,
    words: String,
    when: super::show::Moment,
    is_this: bool,
}

/// A batch with its members.
#[handler]
pub(super) async fn show(
    Data(service): Data<&Service>,
    session: Session,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
) -> Response {
    match contents(service, &session.caller, id.into(), &wanted).await {
        Ok((title, context)) => page::page(&session, "batch.html", &title, context),
        Err(failure) => page::problem(&session, failure),
    }
}

async fn contents(
    service: &Service,
    caller: &Principal,
    id: BatchId,
    wanted: &Wanted,
) -> Result<(String, Context), Failure> {
    let batch = service.batch(caller, id).await?;
    let shows_all = wanted.status.is_empty() && wanted.reason.is_empty() && wanted.cursor.is_none();
    let failures =
        async { if shows_all { failures(service, caller, &batch).await } else { Ok(Vec::new()) } };
    let filter = BatchFilter {
        name: Some(NameFilter::Exactly(batch.name.clone())),
        ..BatchFilter::default()
    };
    let (members, failures, runs) = tokio::try_join!(
        members(service, caller, id, wanted),
        failures,
        service.batches(caller, filter, PageRequest::first(RUNS)).map_err(Failure::from),
    )?;
    // The run before this one: with that it is compared most often.
    let older = runs.items.iter().find(|run| run.created_at < batch.created_at);
    let before = older.filter(|run| run.series_id.is_some()).map(|run| run.id.to_string());
    let runs: Vec<Run> = runs
        .items
        .iter()
        .rev()
        .map(|run| Run {
            id: run.id.to_string(),
            standing: run.status.into(),
            words: format!("{} passed, {} failed", run.counts.passed, run.counts.failed),
            when: run.created_at.into(),
            is_this: run.id == id,
        })
        .collect();
    let mut context = Context::new();
    context.insert("batch", &ShownBatch::from(&batch));
    if batch.series_id.is_some() {
        verdict::add(service, caller, id, &wanted.classes, &mut context).await?;
        context.insert("before", &before);
    }
    context.insert("holds", &service.batch_holds(&batch).await?);
    context.insert("payload", &pretty(&batch.payload));
    let is_grouped = failures.iter().map(|cause| cause.count).sum::<u64>() > GROUPED;
    context.insert("failures", &failures);
    context.insert("is_grouped", &is_grouped);
    context.insert("members", &members.items.iter().map(ShownJob::from).collect::<Vec<_>>());
    context.insert("runs", &runs);
    context.insert("status", &wanted.status);
    context.insert("name", &wanted.name);
    context.insert("queue", &wanted.queue);
    context.insert("reason", &wanted.reason);
    context.insert("reasons", &Reason::ALL.map(Reason::as_str));
    let filters = [
        ("status", wanted.status.as_str()),
        ("name", &wanted.name),
        ("queue", &wanted.queue),
        ("reason", &wanted.reason),
    ];
    let sorted = [&filters[..], &[("sort", wanted.sort.as_str())]].concat();
    let paging = Paging::new(&sorted, wanted.cursor.as_ref(), members.next_cursor.as_ref())?;
    context.insert("paging", &paging);
    context.insert("sort", &wanted.sort);
    context.insert("sorts", &sorting::headings(sorting::order(&wanted.sort)?, &filters)?);
    context.insert("statuses", &Status::ALL.map(Status::as_str));
    Ok((batch.name, context))
}

/// A page of the members: failed ones first, unless another order or status is asked for.
async fn members(
    service: &Service,
    caller: &Principal,
    batch: BatchId,
    wanted: &Wanted,
) -> Result<Page<Job>, Failure> {
    let (filter, cursor) = (wanted.filter(batch)?, wanted.cursor.as_deref());
    if wanted.sort.is_empty() && filter.status.is_none() {
        return failed_first(service, caller, &filter, MEMBERS, cursor).await;
    }
    let page = PageRequest::parse(Some(MEMBERS), cursor)?;
    Ok(service.members(caller, filter, page).await?)
}

/// Data of the caller's own, as text; nothing if there is none.
pub(super) fn pretty(payload: &serde_json::Map<String, serde_json::Value>) -> Option<String> {
    (!payload.is_empty()).then(|| format!("{:#}", serde_json::Value::Object(payload.clone())))
}

/// Failures that are alike.
#[derive(Serialize)]
struct Failures {
    /// Why, as in `exit_code 3`.
    cause: String,
    line: Option<String>,
    count: u64,
    jobs: Vec<NamedJob>,
    /// The query that shows all that failed for this reason.
    all: String,
    /// The query of the form that makes it a known issue; none of what is no run.
    mute: Option<String>,
}

impl Failures {
    fn of(batch: &Batch, cause: Cause) -> Result<Self, Failure> {
        let reason = cause.reason.map_or("failed", Reason::as_str);
        let filter = cause.reason.map_or("", Reason::as_str);
        let all = links::query(&[("status", Status::Failed.as_str()), ("reason", filter)], &[])?;
        let shown = match (cause.exit_code, &cause.signal) {
            (Some(code), _) => format!("{reason} {code}"),
            (None, Some(signal)) => format!("{reason} {signal}"),
            (None, None) => reason.to_owned(),
        };
        let Cause { error_line: line, count, jobs, .. } = cause;
        let mute = Mute {
            title: line.as_deref().unwrap_or(&shown),
            project: batch.project.as_ref().map(ProjectName::as_str),
            series: batch.series.as_deref(),
            // Without a line there is nothing else that tells the failure from others.
            test: jobs.first().filter(|_| line.is_none()).map(|job| job.name.as_str()),
            line: line.as_deref(),
            variant: None,
        };
        let mute = batch.series.is_some().then(|| mute.query()).transpose()?;
        Ok(Self { cause: shown, line, count, jobs, all, mute })
    }
}

/// What failed, those together that failed alike, the most frequent first.
async fn failures(
    service: &Service,
    caller: &Principal,
    batch: &Batch,
) -> Result<Vec<Failures>, Failure> {
    if batch.counts.failed == 0 {
        return Ok(Vec::new());
    }
    let causes = service.causes(caller, batch.id).await?;
    causes.into_iter().map(|cause| Failures::of(batch, cause)).collect()
}

/// How a batch went, as columns: seconds since 1970, running, passed, failed.
#[handler]
pub(super) async fn timeline(
    Data(service): Data<&Service>,
    session: Session,
    Path(id): Path<Uuid>,
) -> Result<poem::web::Json<[Vec<f64>; 4]>> {
    let moments = service.timeline(&session.caller, id.into()).await.map_err(Failure::from)?;
    let column = |value: fn(&Moment) -> f64| moments.iter().map(value).collect();
    Ok(poem::web::Json([
        column(|moment| moment.at.timestamp_millis() as f64 / 1000.0),
        column(|moment| moment.running as f64),
        column(|moment| moment.passed as f64),
        column(|moment| moment.failed as f64),
    ]))
}

/// The first members of a batch that is unfolded among others.
#[handler]
pub(super) async fn unfold(
    Data(service): Data<&Service>,
    session: Session,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let filter = JobFilter { batch: Some(id.into()), ..JobFilter::default() };
    let members = failed_first(service, &session.caller, &filter, FIRST_MEMBERS, None).await?;
    let mut context = Context::new();
    context.insert("id", &id.to_string());
    context.insert("members", &members.items.iter().map(ShownJob::from).collect::<Vec<_>>());
    context.insert("more", &members.next_cursor.is_some());
    Ok(page::render("members.html", &context))
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

/// Cancels what has not ended.
#[handler]
pub(super) async fn cancel(
    Data(service): Data<&Service>,
    Path(id): Path<Uuid>,
    form: Form<Nothing>,
) -> Response {
    let Nothing {} = form.fields;
    match service.cancel_batch(&form.session.caller, id.into()).await {
        Ok(batch) => see(&format!("/batches/{}", batch.id)),
        Err(error) => page::problem(&form.session, error.into()),
    }
}

#[derive(Deserialize)]
pub(super) struct Rerun {
    only: RerunOnly,
}

/// Submits members again as a batch of their own, and goes there.
#[handler]
pub(super) async fn rerun(
    Data(service): Data<&Service>,
    Path(id): Path<Uuid>,
    form: Form<Rerun>,
) -> Response {
    match service.rerun_batch(&form.session.caller, id.into(), form.fields.only).await {
        Ok(batch) => see(&format!("/batches/{}", batch.id)),
        Err(error) => page::problem(&form.session, error.into()),
    }
}

/// The results as JUnit XML.
#[handler]
pub(super) async fn junit(
    Data(service): Data<&Service>,
    session: Session,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let document = document(service, &session.caller, id.into()).await;
    Ok(Xml::new(id, document.map_err(Failure::from)?).into_response())
}
