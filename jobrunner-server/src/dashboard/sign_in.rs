use jobrunner_core::{Error, Service};
use poem::{
    IntoResponse, Request, Response, Result, handler,
    http::{StatusCode, header},
    web::{Data, Query},
};
use secrecy::SecretString;
use serde::Deserialize;

use super::{page, session};
use crate::{api::problem::Failure, origin, parameters};

#[derive(Deserialize)]
pub(super) struct Door {
    #[serde(default)]
    next: String,
}

/// The page to sign in on, before it leads to what was asked for.
#[handler]
pub(super) fn show(Query(door): Query<Door>) -> Response {
    page::sign_in(&door.next, "", StatusCode::OK)
}

#[derive(Deserialize)]
struct SignIn {
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// Signs in and goes on to what was asked for.
#[handler]
pub(super) async fn sign_in(
    Data(service): Data<&Service>,
    request: &Request,
    mut body: poem::Body,
) -> Result<Response> {
    let mut body = poem::RequestBody::new(std::mem::take(&mut body));
    let bytes = session::read(request, &mut body).await?;
    let form: SignIn = parameters::form(&bytes)?;
    let password = SecretString::from(form.password);
    match service.begin_session(&form.email, password, origin::address(request)).await {
        Ok(token) => {
            session::begin(request, token);
            Ok(session::see(session::local(&form.next)))
        }
        Err(Error::Unauthenticated(why)) => {
            Ok(page::sign_in(&form.next, why, StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(error @ Error::TooMany { .. }) => {
            let said = error.to_string();
            let failure = Failure::from(error).into_response();
            let page = page::sign_in(&form.next, &said, failure.status());
            let after = failure.headers().get(header::RETRY_AFTER).cloned();
            Ok(match after {
                Some(after) => page.with_header(header::RETRY_AFTER, after).into_response(),
                None => page,
            })
        }
        Err(error) => Err(Failure::from(error).into()),
    }
}

#[derive(Deserialize)]
pub(super) struct SignOut {}

/// Ends the session: what its cookies held is of no use any more.
#[handler]
pub(super) async fn sign_out(
    Data(service): Data<&Service>,
    request: &Request,
    form: session::Form<SignOut>,
) -> Response {
    let SignOut {} = form.fields;
    if let Err(error) = service.sign_out(&form.session.caller).await {
        return page::problem(&form.session, error.into());
    }
    session::end(request);
    session::see("/")
}
