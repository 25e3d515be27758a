use jobrunner_core::{
    BatchId, Principal, Role, Service, UserId, batch::BatchFilter, page::PageRequest,
};
use poem::{
    Request, Response, Result, handler,
    web::{Data, Path, Query},
};
use serde::Deserialize;
use tera::Context;

use super::{
    links::Paging,
    page, projects,
    session::Session,
    show::{ShownBatch, Standings},
};
use crate::api::problem::Failure;

/// How many batches are on a page.
const BATCHES: u32 = 200;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    status: String,
    #[serde(default)]
    name: String,
    /// `mine`, for admins, who see everybody's otherwise.
    #[serde(default)]
    whose: String,
    /// The project whose batches are shown; all if it is empty.
    #[serde(default)]
    project: String,
    cursor: Option<String>,
}

/// The batches and how all jobs stand.
#[handler]
pub(super) async fn home(
    Data(service): Data<&Service>,
    request: &Request,
    session: Session,
    Query(wanted): Query<Wanted>,
) -> Result<Response> {
    let context = contents(service, &session.caller, &wanted, request).await;
    match context {
        Ok(context) => Ok(page::page(&session, "home.html", "Batches", context)),
        Err(failure) => Ok(page::problem(&session, failure)),
    }
}

async fn contents(
    service: &Service,
    caller: &Principal,
    wanted: &Wanted,
    request: &Request,
) -> Result<Context, Failure> {
    let owner: Option<UserId> = (wanted.whose == "mine").then_some(caller.id);
    let status = super::batch::status(&wanted.status)?;
    let name = (!wanted.name.trim().is_empty()).then(|| any_part(wanted.name.trim()));
    let filter = BatchFilter {
        status,
        owner,
        project: projects::wanted(&wanted.project)?,
        name: name.map(Into::into),
    };
    let page =
        PageRequest::parse(Some(BATCHES), wanted.cursor.as_deref()).map_err(Failure::from)?;
    let batches = service.batches(caller, filter, page).await?;
    let counts = service.counts(caller, owner.filter(|_| caller.role == Role::Admin)).await?;
    let mut context = Context::new();
    context.insert("standings", &Standings::from(counts));
    context.insert("batches", &batches.items.iter().map(ShownBatch::from).collect::<Vec<_>>());
    let filters = [
        ("status", wanted.status.as_str()),
        ("name", &wanted.name),
        ("whose", &wanted.whose),
        ("project", &wanted.project),
    ];
    let paging = Paging::new(&filters, wanted.cursor.as_ref(), batches.next_cursor.as_ref())?;
    context.insert("paging", &paging);
    context.insert("status", &wanted.status);
    context.insert("name", &wanted.name);
    context.insert("whose", &wanted.whose);
    context.insert("project", &wanted.project);
    context.insert("statuses", &jobrunner_core::Status::ALL.map(jobrunner_core::Status::as_str));
    context.insert("is_filtered", &(!wanted.status.is_empty() || !wanted.name.is_empty()));
    context.insert("origin", &origin(request));
    Ok(context)
}

/// A name that has this text somewhere, unless it says with `*` where.
pub(super) fn any_part(text: &str) -> String {
    if text.contains('*') { text.to_owned() } else { format!("*{text}*") }
}

/// The card of one batch, as it stands now.
#[handler]
pub(super) async fn card(
    Data(service): Data<&Service>,
    session: Session,
    Path(id): Path<uuid::Uuid>,
) -> Result<Response> {
    let batch = service.batch(&session.caller, BatchId::from(id)).await.map_err(Failure::from)?;
    let mut context = Context::new();
    context.insert("batch", &ShownBatch::from(&batch));
    Ok(page::render("card.html", &context))
}

/// Under what name the caller reached this server. Only for show: the template escapes it.
pub(super) fn origin(request: &Request) -> String {
    let host = request.header("host").unwrap_or("localhost");
    format!("{}://{host}", request.scheme())
}
