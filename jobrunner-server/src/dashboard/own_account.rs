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
};

#[derive(Deserialize)]
pub(super) struct Asked {
    /// What was done a moment ago.
    #[serde(default)]
    done: String,
}

/// The caller's own account.
#[handler]
pub(super) fn show(session: Session, Query(asked): Query<Asked>) -> Response {
    let done = (asked.done == "password")
        .then_some("Your password is changed, and all other sessions have ended.");
    shown(&session, done, None)
}

fn shown(session: &Session, done: Option<&str>, error: Option<&Error>) -> Response {
    let mut context = Context::new();
    context.insert("done", &done);
    context.insert("error", &error.map(ToString::to_string));
    let mut page = page::page(session, "own_account.html", "Your account", context);
    if error.is_some() {
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
        return shown(session, None, Some(&error));
    }
    let update = OwnUpdate {
        password: Some(SecretString::from(fields.password)),
        current_password: Some(SecretString::from(fields.current_password)),
    };
    match service.update_me(&session.caller, update).await {
        Ok(_) => see("/account?done=password"),
        Err(error @ (Error::Invalid(_) | Error::Forbidden(_) | Error::Conflict(_))) => {
            shown(session, None, Some(&error))
        }
        Err(error) => page::problem(session, error.into()),
    }
}
