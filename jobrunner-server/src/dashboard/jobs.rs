use jobrunner_core::{
    Principal, Service, Status,
    job::{JobFilter, Reason},
    page::PageRequest,
};
use poem::{
    Request, Response, handler,
    web::{Data, Query},
};
use serde::Deserialize;
use tera::Context;

use super::{
    batch::{reason, status},
    home::{any_part, origin},
    links::Paging,
    page, projects,
    session::Session,
    show::ShownJob,
};
use crate::api::problem::Failure;

/// How many jobs are on a page.
const JOBS: u32 = 100;

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
    whose: String,
    /// The project whose jobs are shown; all if it is empty.
    #[serde(default)]
    project: String,
    cursor: Option<String>,
}

/// Jobs, whatever batch they are in.
#[handler]
pub(super) async fn list(
    Data(service): Data<&Service>,
    request: &Request,
    session: Session,
    Query(wanted): Query<Wanted>,
) -> Response {
    match contents(service, &session.caller, &wanted).await {
        Ok(mut context) => {
            context.insert("origin", &origin(request));
            page::page(&session, "jobs.html", "Jobs", context)
        }
        Err(failure) => page::problem(&session, failure),
    }
}

async fn contents(
    service: &Service,
    caller: &Principal,
    wanted: &Wanted,
) -> Result<Context, Failure> {
    let filter = JobFilter {
        status: status(&wanted.status)?,
        queue: (!wanted.queue.trim().is_empty()).then(|| wanted.queue.trim().to_owned()),
        name: (!wanted.name.trim().is_empty()).then(|| any_part(wanted.name.trim())),
        reason: reason(&wanted.reason)?,
        owner: (wanted.whose == "mine").then_some(caller.id),
        project: projects::wanted(&wanted.project)?,
        ..JobFilter::default()
    };
    let page = PageRequest::parse(Some(JOBS), wanted.cursor.as_deref()).map_err(Failure::from)?;
    let jobs = service.jobs(caller, filter, page).await?;
    let batches = service.batch_names(caller, &jobs.items).await?;
    let members: Vec<_> = jobs.items.iter().map(|job| ShownJob::among(job, &batches)).collect();
    let mut context = Context::new();
    context.insert("members", &members);
    context.insert("with_batch", &true);
    let filters = [
        ("status", wanted.status.as_str()),
        ("name", &wanted.name),
        ("queue", &wanted.queue),
        ("reason", &wanted.reason),
        ("whose", &wanted.whose),
        ("project", &wanted.project),
    ];
    let paging = Paging::new(&filters, wanted.cursor.as_ref(), jobs.next_cursor.as_ref())?;
    context.insert("paging", &paging);
    context.insert("status", &wanted.status);
    context.insert("name", &wanted.name);
    context.insert("queue", &wanted.queue);
    context.insert("reason", &wanted.reason);
    context.insert("reasons", &Reason::ALL.map(Reason::as_str));
    context.insert("whose", &wanted.whose);
    context.insert("project", &wanted.project);
    context.insert("statuses", &Status::ALL.map(Status::as_str));
    let is_filtered =
        [&wanted.status, &wanted.name, &wanted.queue, &wanted.reason].iter().any(|f| !f.is_empty());
    context.insert("is_filtered", &is_filtered);
    Ok(context)
}
