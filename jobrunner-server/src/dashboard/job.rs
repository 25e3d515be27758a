use std::collections::HashMap;

use futures_util::StreamExt;
use jobrunner_core::{BatchId, Job, JobId, Principal, ProjectName, Service, Status, log::Stream};
use poem::{
    Request, Response, handler,
    web::{Data, Path, Query},
};
use serde::Deserialize;
use tera::Context;
use uuid::Uuid;

use super::{
    batch::pretty,
    cases,
    known_issues::Mute,
    output::{Html, output},
    page,
    session::{Form, Session, see},
    shell,
    show::{Moment, ShownAttempt, ShownJob, took},
};
use crate::api::problem::Failure;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    /// `stdout` or `stderr`; both, if it is left out.
    #[serde(default)]
    stream: String,
    /// One of its attempts; the last, if it is left out.
    attempt: Option<u32>,
    #[serde(flatten)]
    tests: cases::Wanted,
}

/// A job with its result and its output.
#[handler]
pub(super) async fn show(
    Data(service): Data<&Service>,
    request: &Request,
    session: Session,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
) -> Response {
    // A page that brings itself up to date has its output already.
    let is_refresh = request.header("x-refresh").is_some();
    match contents(service, &session.caller, id.into(), &wanted, is_refresh).await {
        Ok((title, context, output)) => {
            page::page_around(&session, "job.html", &title, context, output)
        }
        Err(failure) => page::problem(&session, failure),
    }
}

async fn contents(
    service: &Service,
    caller: &Principal,
    id: JobId,
    wanted: &Wanted,
    is_refresh: bool,
) -> Result<(String, Context, Html), Failure> {
    let job = service.job(caller, id).await?;
    let attempts = service.attempts(caller, id).await?;
    let batches = service.batch_names(caller, std::slice::from_ref(&job)).await?;
    let stream = match wanted.stream.as_str() {
        "stdout" => Some(Stream::Stdout),
        "stderr" => Some(Stream::Stderr),
        _ => None,
    };
    // What still comes is told by a stream of its own, from its beginning on.
    let is_live = !job.status.is_terminal() && wanted.attempt.is_none();
    let output = if is_live || is_refresh {
        futures_util::stream::empty().boxed()
    } else {
        output(service, caller, id, wanted.attempt, stream).await?
    };
    let streams = match stream {
        Some(stream) => vec![stream.as_str()],
        None => vec!["stdout", "stderr"],
    };
    let mut context = about(&job, &batches);
    context.insert("mute", &mute(&job)?);
    context.insert("holds", &service.holds(caller, &job).await?);
    context.insert("attempts", &attempts.iter().map(ShownAttempt::from).collect::<Vec<_>>());
    context.insert("chosen", &wanted.attempt.unwrap_or(job.attempt));
    let tests = &wanted.tests;
    context.insert("tests", &tests.tests(service, caller, &job, &attempts, wanted.attempt).await?);
    context.insert("streams", &streams);
    let of_attempt = wanted.attempt.map(|attempt| format!("&attempt={attempt}"));
    context.insert("of_attempt", &of_attempt.unwrap_or_default());
    context.insert("is_live", &is_live);
    context.insert("stream", stream.map_or("both", Stream::as_str));
    Ok((job.spec.name, context, output))
}

/// The query of the form that makes the failure of a test a known issue.
fn mute(job: &Job) -> Result<Option<String>, Failure> {
    let spec = &job.spec;
    let test = spec.test.as_deref().unwrap_or(&spec.name);
    let mute = Mute {
        title: test,
        project: spec.project.as_ref().map(ProjectName::as_str),
        test: Some(test),
        variant: Some(&spec.variant),
        ..Mute::default()
    };
    let is_failure = job.status == Status::Failed && job.batch_id.is_some();
    is_failure.then(|| mute.query()).transpose()
}

fn about(job: &Job, batches: &HashMap<BatchId, String>) -> Context {
    let spec = &job.spec;
    let mut context = Context::new();
    context.insert("job", &ShownJob::among(job, batches));
    context.insert("command", &shell::line(&spec.command));
    context.insert("working_dir", &spec.working_dir);
    let env: Vec<(&String, &String)> = spec.env.iter().collect();
    context.insert("env", &env);
    context.insert("payload", &pretty(&spec.payload));
    context.insert("inputs", &spec.inputs);
    context.insert("project_of", &spec.project);
    context.insert("priority", &spec.priority);
    context.insert("timeout", &super::show::duration(spec.timeout_seconds as i64 * 1000));
    context.insert("max_attempts", &spec.max_attempts);
    context.insert("result", &job.result);
    context.insert("took", &took(job));
    context.insert("started", &job.started_at.map(Moment::from));
    context.insert("finished", &job.finished_at.map(Moment::from));
    context.insert("scheduled", &spec.scheduled_at.map(Moment::from));
    context.insert("has_ended", &job.status.is_terminal());
    context
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

/// Cancels a job.
#[handler]
pub(super) async fn cancel(
    Data(service): Data<&Service>,
    Path(id): Path<Uuid>,
    form: Form<Nothing>,
) -> Response {
    let Nothing {} = form.fields;
    match service.cancel_job(&form.session.caller, id.into()).await {
        Ok(job) => see(&format!("/jobs/{}", job.id)),
        Err(error) => page::problem(&form.session, error.into()),
    }
}

/// Submits a job again, and goes to the new one.
#[handler]
pub(super) async fn rerun(
    Data(service): Data<&Service>,
    Path(id): Path<Uuid>,
    form: Form<Nothing>,
) -> Response {
    let Nothing {} = form.fields;
    match service.rerun_job(&form.session.caller, id.into()).await {
        Ok(job) => see(&format!("/jobs/{}", job.id)),
        Err(error) => page::problem(&form.session, error.into()),
    }
}
