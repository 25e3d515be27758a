use jobrunner_core::{
    Error, Principal, Project, ProjectName, ProjectRole, Role, Service,
    page::PageRequest,
    project::{Member, ProjectUpdate},
};
use poem::{
    Response, handler,
    http::StatusCode,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use tera::Context;

use super::{
    page,
    session::{Form, Session, see},
    show::Moment,
};

/// How many projects, or members of one, are on a page.
const SHOWN: u32 = 1000;

/// The project that a page shows things of, as its URL has it; nothing is all.
pub(super) fn wanted(text: &str) -> jobrunner_core::Result<Option<ProjectName>> {
    Ok((!text.is_empty()).then(|| text.parse()).transpose()?)
}

fn named(name: &str) -> jobrunner_core::Result<ProjectName> {
    name.parse().map_err(|_| Error::NotFound("project"))
}

#[derive(Serialize)]
struct ShownProject {
    name: String,
    description: Option<String>,
    is_archived: bool,
    /// What the caller is in it.
    role: Option<&'static str>,
    created: Moment,
}

impl ShownProject {
    fn to(caller: &Principal, project: Project) -> Self {
        Self {
            role: caller.projects.role_in(&project.name).map(ProjectRole::as_str),
            name: project.name.into(),
            description: project.description,
            is_archived: project.is_archived,
            created: project.created_at.into(),
        }
    }
}

#[derive(Serialize)]
struct ShownMember {
    id: String,
    email: String,
    role: &'static str,
    added: Moment,
    is_self: bool,
}

impl ShownMember {
    fn to(caller: &Principal, member: Member) -> Self {
        Self {
            is_self: member.user_id == caller.id,
            id: member.user_id.to_string(),
            email: member.email,
            role: member.role.as_str(),
            added: member.added_at.into(),
        }
    }
}

/// The projects.
#[handler]
pub(super) async fn list(Data(service): Data<&Service>, session: Session) -> Response {
    show_all(service, &session, None).await
}

async fn show_all(service: &Service, session: &Session, error: Option<&Error>) -> Response {
    let found = match service.projects(&session.caller, None, SHOWN).await {
        Ok(found) => found,
        Err(error) => return page::problem(session, error.into()),
    };
    let shown = found.items.into_iter().map(|it| ShownProject::to(&session.caller, it));
    let mut context = Context::new();
    context.insert("shown", &shown.collect::<Vec<_>>());
    context.insert("are_more", &found.next_cursor.is_some());
    answered(session, "projects.html", "Projects", context, error)
}

/// One project with its members.
#[handler]
pub(super) async fn show(
    Data(service): Data<&Service>,
    session: Session,
    Path(name): Path<String>,
) -> Response {
    show_one(service, &session, &name, None).await
}

async fn show_one(
    service: &Service,
    session: &Session,
    name: &str,
    error: Option<&Error>,
) -> Response {
    let caller = &session.caller;
    let found = async {
        let name = named(name)?;
        let members = service.project_members(caller, &name, PageRequest::first(SHOWN)).await?;
        Ok::<_, Error>((service.project(caller, &name).await?, members))
    };
    let (project, members) = match found.await {
        Ok(found) => found,
        Err(error) => return page::problem(session, error.into()),
    };
    let project = ShownProject::to(caller, project);
    let maintains = project.role == Some(ProjectRole::Maintainer.as_str());
    let may_manage = caller.role == Role::Admin || (maintains && caller.role == Role::Operator);
    let title = project.name.clone();
    let shown = members.items.into_iter().map(|member| ShownMember::to(caller, member));
    let mut context = Context::new();
    context.insert("members", &shown.collect::<Vec<_>>());
    context.insert("are_more", &members.next_cursor.is_some());
    context.insert("may_manage", &may_manage);
    context.insert("roles", &ProjectRole::ALL.map(ProjectRole::as_str));
    context.insert("of", &project);
    answered(session, "project.html", &title, context, error)
}

fn answered(
    session: &Session,
    template: &str,
    title: &str,
    mut context: Context,
    error: Option<&Error>,
) -> Response {
    context.insert("error", &error.map(ToString::to_string));
    let mut page = page::page(session, template, title, context);
    if error.is_some() {
        page.set_status(StatusCode::UNPROCESSABLE_ENTITY);
    }
    page
}

#[derive(Deserialize)]
pub(super) struct New {
    name: String,
    #[serde(default)]
    description: String,
}

/// Makes a project.
#[handler]
pub(super) async fn create(Data(service): Data<&Service>, form: Form<New>) -> Response {
    let New { name, description } = form.fields;
    let description = Some(description).filter(|text| !text.trim().is_empty());
    match service.create_project(&form.session.caller, name.trim(), description).await {
        Ok(project) => see(&format!("/projects/{}", project.name)),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            show_all(service, &form.session, Some(&error)).await
        }
        Err(error) => page::problem(&form.session, error.into()),
    }
}

#[derive(Deserialize)]
pub(super) struct Change {
    is_archived: bool,
}

/// Archives a project, or takes it out again.
#[handler]
pub(super) async fn update(
    Data(service): Data<&Service>,
    Path(name): Path<String>,
    form: Form<Change>,
) -> Response {
    let is_archived = Some(form.fields.is_archived);
    let update = ProjectUpdate { is_archived, ..ProjectUpdate::default() };
    let changed = async {
        service.update_project(&form.session.caller, &named(&name)?, update).await.map(drop)
    };
    answer(service, &form.session, &name, changed.await).await
}

#[derive(Deserialize)]
pub(super) struct NewMember {
    /// An address, or an id.
    user: String,
    role: String,
}

/// Makes somebody a member, or gives a member another role.
#[handler]
pub(super) async fn set_member(
    Data(service): Data<&Service>,
    Path(name): Path<String>,
    form: Form<NewMember>,
) -> Response {
    let NewMember { user, role } = &form.fields;
    let set = async {
        let role = role.parse().map_err(|_| Error::invalid("role", ProjectRole::ONE_OF))?;
        let caller = &form.session.caller;
        service.set_project_member(caller, &named(&name)?, user.trim(), role).await.map(drop)
    };
    let set = set.await.map_err(|error| match error {
        Error::NotFound("user") => Error::invalid("email", "is that of no account"),
        other => other,
    });
    answer(service, &form.session, &name, set).await
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

/// Ends a membership.
#[handler]
pub(super) async fn remove_member(
    Data(service): Data<&Service>,
    Path((name, user)): Path<(String, String)>,
    form: Form<Nothing>,
) -> Response {
    let caller = &form.session.caller;
    let removed = async { service.remove_project_member(caller, &named(&name)?, &user).await };
    answer(service, &form.session, &name, removed.await).await
}

async fn answer(
    service: &Service,
    session: &Session,
    name: &str,
    changed: jobrunner_core::Result<()>,
) -> Response {
    match changed {
        Ok(()) => see(&format!("/projects/{name}")),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            show_one(service, session, name, Some(&error)).await
        }
        Err(error) => page::problem(session, error.into()),
    }
}
