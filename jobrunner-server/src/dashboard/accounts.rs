use jobrunner_core::{
    Error, Role, Service, User,
    page::PageRequest,
    user::{NewUser, UserUpdate},
};
use poem::{
    Response, handler,
    http::StatusCode,
    web::{Data, Path},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tera::Context;
use uuid::Uuid;

use super::{
    page,
    session::{Form, Session, see},
    show::Moment,
};

/// How many accounts are on the page.
pub(super) const USERS: u32 = 1000;

#[derive(Serialize)]
struct ShownUser {
    id: String,
    email: String,
    role: &'static str,
    is_active: bool,
    is_service: bool,
    max_running_jobs: Option<u32>,
    created: Moment,
    is_self: bool,
}

/// The accounts.
#[handler]
pub(super) async fn list(Data(service): Data<&Service>, session: Session) -> Response {
    show(service, &session, None).await
}

async fn show(service: &Service, session: &Session, error: Option<&Error>) -> Response {
    let users = match service.users(&session.caller, PageRequest::first(USERS)).await {
        Ok(users) => users.items,
        Err(error) => return page::problem(session, error.into()),
    };
    let shown = |user: &User| ShownUser {
        id: user.id.to_string(),
        email: user.email.clone(),
        role: user.role.as_str(),
        is_active: user.is_active,
        is_service: user.is_service,
        max_running_jobs: user.max_running_jobs,
        created: user.created_at.into(),
        is_self: user.id == session.caller.id,
    };
    let mut context = Context::new();
    context.insert("users", &users.iter().map(shown).collect::<Vec<_>>());
    context.insert("roles", &["admin", "operator", "viewer"]);
    context.insert("error", &error.map(ToString::to_string));
    let mut page = page::page(session, "users.html", "Users", context);
    if error.is_some() {
        page.set_status(StatusCode::UNPROCESSABLE_ENTITY);
    }
    page
}

#[derive(Deserialize)]
pub(super) struct New {
    email: String,
    #[serde(default)]
    password: String,
    role: String,
    /// Of a box that is checked.
    is_service: Option<String>,
    #[serde(default)]
    max_running_jobs: String,
}

/// Makes an account.
#[handler]
pub(super) async fn create(Data(service): Data<&Service>, form: Form<New>) -> Response {
    let made = async {
        let new = NewUser {
            email: form.fields.email,
            password: Some(form.fields.password)
                .filter(|password| !password.is_empty())
                .map(SecretString::from),
            role: role(&form.fields.role)?,
            is_service: form.fields.is_service.is_some(),
            max_running_jobs: limit(&form.fields.max_running_jobs)?,
        };
        service.create_user(&form.session.caller, new).await
    };
    answer(service, &form.session, made.await).await
}

#[derive(Deserialize)]
pub(super) struct Change {
    role: Option<String>,
    is_active: Option<bool>,
    max_running_jobs: Option<String>,
}

/// Changes an account.
#[handler]
pub(super) async fn update(
    Data(service): Data<&Service>,
    Path(id): Path<Uuid>,
    form: Form<Change>,
) -> Response {
    let changed = async {
        let update = UserUpdate {
            password: None,
            role: form.fields.role.as_deref().map(role).transpose()?,
            is_active: form.fields.is_active,
            max_running_jobs: form.fields.max_running_jobs.as_deref().map(limit).transpose()?,
        };
        service.update_user(&form.session.caller, id.into(), update).await
    };
    answer(service, &form.session, changed.await).await
}

async fn answer(
    service: &Service,
    session: &Session,
    changed: jobrunner_core::Result<User>,
) -> Response {
    match changed {
        Ok(_) => see("/users"),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            show(service, session, Some(&error)).await
        }
        Err(error) => page::problem(session, error.into()),
    }
}

fn role(text: &str) -> jobrunner_core::Result<Role> {
    text.parse().map_err(|_| Error::invalid("role", "must be admin, operator or viewer"))
}

fn limit(text: &str) -> jobrunner_core::Result<Option<u32>> {
    let wrong = || Error::invalid("max_running_jobs", "must be a number, or nothing for no limit");
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| wrong()),
    }
}
