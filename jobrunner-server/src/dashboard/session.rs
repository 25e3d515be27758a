use std::time::Duration;

use jobrunner_core::{
    Principal, Service,
    authz::{AccessToken, Credential},
};
use poem::{
    FromRequest, Request, RequestBody, Response, Result,
    http::{StatusCode, header},
    web::cookie::{Cookie, SameSite},
};
use secrecy::SecretString;
use uuid::Uuid;

use super::page;
use crate::{api::problem::Failure, origin, parameters};

/// The token of the session. Scripts cannot read it, other sites cannot send it.
const COOKIE: [&str; 2] = ["jobrunner_session", "__Host-jobrunner_session"];

/// What the forms of this browser are made from. It outlasts the tokens, which are renewed while
/// pages with forms are open.
const FORMS: [&str; 2] = ["jobrunner_forms", "__Host-jobrunner_forms"];

/// How long a browser keeps that.
const FORMS_LAST: Duration = Duration::from_secs(30 * 24 * 3600);

/// The name of a cookie. Over TLS it is one that no other host, and nobody without TLS, can set
/// (RFC 6265bis, 4.1.3.2).
fn name(request: &Request, cookie: [&'static str; 2]) -> &'static str {
    cookie[usize::from(origin::is_encrypted(request))]
}

/// Who sent a request for a page: somebody with a session.
pub(super) struct Session {
    pub(super) caller: Principal,
    /// Proves that a form came from a page of this session.
    pub(super) csrf: String,
}

impl<'a> FromRequest<'a> for Session {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> Result<Self> {
        let refused = || poem::Error::from_response(page::to_sign_in(request));
        let token = token(request).ok_or_else(refused)?;
        let service: &Service = request.data().expect("the routes carry the service");
        let token = SecretString::from(token);
        let credential = Credential::Session(token.clone());
        let caller = match service.authenticate(&credential).await {
            Ok(caller) => caller,
            Err(jobrunner_core::Error::Unauthenticated(_)) => return Err(refused()),
            Err(error) => return Err(Failure::from(error).into()),
        };
        renew(request, service, &caller, &token)?;
        let csrf = csrf(request, service, &caller);
        Ok(Self { caller, csrf })
    }
}

/// The session's token, if the request has one.
fn token(request: &Request) -> Option<String> {
    Some(request.cookie().get(name(request, COOKIE))?.value_str().to_owned())
}

/// Sends a fresh token with the answer to a page, so that a session lasts as long as it is used. Of
/// what fetches parts of a page by itself nothing is renewed: a page left open ends.
fn renew(
    request: &Request,
    service: &Service,
    caller: &Principal,
    token: &SecretString,
) -> Result<()> {
    let navigates = request.header("sec-fetch-mode") == Some("navigate");
    if navigates && request.method() == poem::http::Method::GET {
        let token = service.renew_session(caller, token).map_err(Failure::from)?;
        request.cookie().add(cookie(request, name(request, COOKIE), token.token, token.lifetime));
    }
    Ok(())
}

/// Begins a session, in place of any that was there before.
pub(super) fn begin(request: &Request, token: AccessToken) {
    let forms = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    request.cookie().add(cookie(request, name(request, FORMS), forms, FORMS_LAST));
    request.cookie().add(cookie(request, name(request, COOKIE), token.token, token.lifetime));
}

/// Ends the session in this browser.
pub(super) fn end(request: &Request) {
    for cookie in [COOKIE, FORMS] {
        let mut gone = Cookie::named(name(request, cookie));
        gone.set_path("/");
        gone.set_secure(origin::is_encrypted(request));
        gone.make_removal();
        request.cookie().add(gone);
    }
}

fn cookie(request: &Request, name: &str, value: String, lifetime: Duration) -> Cookie {
    let mut cookie = Cookie::new_with_str(name, value);
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_path("/");
    cookie.set_max_age(lifetime.max(Duration::from_secs(60)));
    cookie.set_secure(origin::is_encrypted(request));
    cookie
}

/// What the forms of an account in this browser carry: another site cannot tell it, since it cannot
/// read the cookie. Without the cookie it is nothing, which no form can prove.
fn csrf(request: &Request, service: &Service, caller: &Principal) -> String {
    let forms = request.cookie().get(name(request, FORMS));
    forms.map(|forms| service.form_value(caller, forms.value_str())).unwrap_or_default()
}

/// A form that changes something, with the session it was filled in by.
pub(super) struct Form<T> {
    pub(super) session: Session,
    pub(super) fields: T,
}

#[derive(serde::Deserialize)]
struct Protected {
    #[serde(default)]
    csrf: String,
}

/// A form has a few hundred bytes.
const FORM_LIMIT: usize = 64 * 1024;

impl<'a, T: serde::de::DeserializeOwned + Send> FromRequest<'a> for Form<T> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> Result<Self> {
        let session = Session::from_request(request, body).await?;
        let bytes = read(request, body).await?;
        let protected: Protected = parameters::form(&bytes)?;
        let service: &Service = request.data().expect("the routes carry the service");
        let forms = request.cookie().get(name(request, FORMS));
        let is_ours = forms.is_some_and(|forms| {
            service.is_form_value(&session.caller, forms.value_str(), &protected.csrf)
        });
        if !is_ours {
            return Err(refuse("this form is out of date: reload the page and try again"));
        }
        let fields = parameters::form(&bytes)?;
        Ok(Self { session, fields })
    }
}

/// The body of a form that a page of this server has sent.
pub(super) async fn read(request: &Request, body: &mut RequestBody) -> Result<Vec<u8>> {
    check_origin(request)?;
    let body = body.take()?;
    let bytes = body.into_bytes_limit(FORM_LIMIT).await?;
    Ok(bytes.to_vec())
}

/// Refuses what a page of another origin has sent, by what browsers say about it.
fn check_origin(request: &Request) -> Result<()> {
    let foreign = || refuse("this form was sent by another site");
    if request.header("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"))
    {
        return Err(foreign());
    }
    let Some(origin) = request.header(header::ORIGIN) else { return Ok(()) };
    let host = request.header(header::HOST).unwrap_or_default();
    match origin.split_once("://") {
        Some(("http" | "https", authority)) if authority == host => Ok(()),
        _ => Err(foreign()),
    }
}

fn refuse(detail: &str) -> poem::Error {
    Failure::new(StatusCode::FORBIDDEN, detail).into()
}

/// Sends the browser to another page after a form was carried out.
pub(super) fn see(path: &str) -> Response {
    Response::builder().status(StatusCode::SEE_OTHER).header(header::LOCATION, path).finish()
}

/// Only what lies on this server: a path with one slash at its beginning and nothing that a browser
/// takes for one.
pub(super) fn local(next: &str) -> &str {
    let is_local = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.chars().any(char::is_control);
    if is_local { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_gone_on_to() {
        for path in ["/", "/batches/1?status=failed#L3", "/jobs"] {
            assert_eq!(local(path), path);
        }
        for foreign in
            ["//evil", "/\\evil", "https://evil", "javascript:alert(1)", "", "evil", "/\t/x"]
        {
            assert_eq!(local(foreign), "/", "{foreign}");
        }
    }
}
