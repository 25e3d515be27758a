use jobrunner_core::{Error, Service, user::OwnUpdate};
use poem::{
    Response, handler,
    http::StatusCode,
    web::{Data, Query},
};
use secrecy::SecretString;
use serde::Deserialize;
use tera::Context;

use super::{
    page,
    session::{Form, Session, see},
    tokens,
};

#[derive(Deserialize)]
pub(super) struct Asked {
    /// What was done a moment ago.
    #[serde(default)]
    done: String,
}

/// The caller's own account.
#[handler]
pub(super) async fn show(
    Data(service): Data<&Service>,
    session: Session,
    Query(asked): Query<Asked>,
) -> Response {
    let done = match asked.done.as_str() {
        "password" => "Your password is changed, and all other sessions have ended.",
        "token" => "The token has ended.",
        _ => "",
    };
    let mut context = Context::new();
    context.insert("done", done);
    shown(service, &session, context).await
}

pub(super) async fn shown(service: &Service, session: &Session, mut context: Context) -> Response {
    if let Err(error) = tokens::add(service, session, None, &mut context).await {
        return page::problem(session, error.into());
    }
    context.insert("path", "/account/tokens");
    page::page(session, "own_account.html", "Your account", context)
}

/// The page with what is wrong, or a problem.
pub(super) async fn refused(service: &Service, session: &Session, error: Error) -> Response {
    let (Error::Invalid(_) | Error::Forbidden(_) | Error::Conflict(_) | Error::TooMany { .. }) =
        error
    else {
        return page::problem(session, error.into());
    };
    let mut context = Context::new();
    context.insert("error", &error.to_string());
    let mut page = shown(service, session, context).await;
    if page.status() == StatusCode::OK {
        page.set_status(StatusCode::UNPROCESSABLE_ENTITY);
    }
    page
}

#[derive(Deserialize)]
pub(super) struct Passwords {
    current_password: String,
    password: String,
    again: String,
}

/// Sets a password.
#[handler]
pub(super) async fn change_password(
    Data(service): Data<&Service>,
    form: Form<Passwords>,
) -> Response {
    let (session, fields) = (&form.session, form.fields);
    if fields.password != fields.again {
        let error = Error::invalid("password", "is not the same twice");
        return refused(service, session, error).await;
    }
    let update = OwnUpdate {
        password: Some(SecretString::from(fields.password)),
        current_password: Some(SecretString::from(fields.current_password)),
    };
    match service.update_me(&session.caller, update).await {
        Ok(_) => see("/account?done=password"),
        Err(error) => refused(service, session, error).await,
    }
}
