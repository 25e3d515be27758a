//! Personal access tokens, on the page of one's own account and on that of a service account.

use chrono::{TimeDelta, Utc};
use jobrunner_core::{
    Error, Result, Service, TokenId, UserId, Violation,
    page::PageRequest,
    user::{MadeToken, NewToken, PersonalToken, TokenScope},
};
use poem::{
    Response, handler,
    http::StatusCode,
    web::{Data, Path},
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tera::Context;
use uuid::Uuid;

use super::{
    own_account, page,
    session::{Form, Session, see},
    show::Moment,
};

/// More than an account may have.
const MOST: u32 = 1000;

#[derive(Serialize)]
struct ShownToken {
    id: String,
    name: String,
    scopes: String,
    created: Moment,
    expires: Option<Moment>,
    is_over: bool,
    used: Option<Moment>,
}

impl From<PersonalToken> for ShownToken {
    fn from(token: PersonalToken) -> Self {
        let scopes: Vec<&str> = token.scopes.as_slice().iter().map(|it| it.as_str()).collect();
        Self {
            id: token.id.to_string(),
            scopes: scopes.join(", "),
            created: token.created_at.into(),
            is_over: !token.is_good(Utc::now()),
            expires: token.expires_at.map(Into::into),
            used: token.last_used_at.map(Into::into),
            name: token.name,
        }
    }
}

/// Adds what the table of tokens shows, and the form for another.
pub(super) async fn add(
    service: &Service,
    session: &Session,
    owner: Option<UserId>,
    context: &mut Context,
) -> Result<()> {
    let tokens = service.tokens(&session.caller, owner, PageRequest::first(MOST)).await?.items;
    let tokens: Vec<ShownToken> = tokens.into_iter().map(Into::into).collect();
    context.insert("tokens", &tokens);
    context.insert("scopes", &TokenScope::ALL.map(TokenScope::as_str));
    Ok(())
}

#[derive(Deserialize)]
pub(super) struct New {
    name: String,
    /// For how many days it is good; nothing is until it is deleted.
    #[serde(default)]
    days: String,
    read: Option<String>,
    submit: Option<String>,
    control: Option<String>,
    admin: Option<String>,
}

impl TryFrom<New> for NewToken {
    type Error = Violation;

    fn try_from(form: New) -> Result<Self, Violation> {
        let chosen = TokenScope::ALL.into_iter().filter(|scope| match scope {
            TokenScope::Read => form.read.is_some(),
            TokenScope::Submit => form.submit.is_some(),
            TokenScope::Control => form.control.is_some(),
            TokenScope::Admin => form.admin.is_some(),
        });
        let scopes = chosen.collect::<Vec<_>>().try_into()?;
        let expires_at = match form.days.trim() {
            "" => None,
            days => {
                let days = days.parse::<u16>().ok().filter(|days| *days > 0);
                let days = days.ok_or_else(|| {
                    Violation::new("days", "must be a number from 1 to 65535, or nothing")
                })?;
                Some(Utc::now() + TimeDelta::days(days.into()))
            }
        };
        Ok(Self { name: form.name, scopes, project: None, expires_at })
    }
}

async fn made(
    service: &Service,
    session: &Session,
    owner: Option<UserId>,
    fields: New,
) -> Result<Context> {
    let new = NewToken::try_from(fields)?;
    let MadeToken { token, secret } = service.create_token(&session.caller, owner, new).await?;
    let mut context = Context::new();
    context.insert("made", &token.name);
    context.insert("secret", secret.expose_secret());
    Ok(context)
}

/// Makes a token of one's own, and shows its secret this one time.
#[handler]
pub(super) async fn create(Data(service): Data<&Service>, form: Form<New>) -> Response {
    match made(service, &form.session, None, form.fields).await {
        Ok(context) => own_account::shown(service, &form.session, context).await,
        Err(error) => own_account::refused(service, &form.session, error).await,
    }
}

#[derive(Deserialize)]
pub(super) struct Delete {}

/// Ends a token of one's own.
#[handler]
pub(super) async fn delete(
    Data(service): Data<&Service>,
    Path(id): Path<Uuid>,
    form: Form<Delete>,
) -> Response {
    let Delete {} = form.fields;
    match service.delete_token(&form.session.caller, TokenId::from(id)).await {
        Ok(()) => see("/account?done=token"),
        Err(error) => page::problem(&form.session, error.into()),
    }
}

/// The tokens of a service account.
#[handler]
pub(super) async fn of_service(
    Data(service): Data<&Service>,
    Path(id): Path<Uuid>,
    session: Session,
) -> Response {
    shown(service, &session, id.into(), Context::new()).await
}

async fn shown(
    service: &Service,
    session: &Session,
    owner: UserId,
    mut context: Context,
) -> Response {
    let email = async {
        add(service, session, Some(owner), &mut context).await?;
        service.user(&session.caller, owner).await.map(|user| user.email)
    };
    let email = match email.await {
        Ok(email) => email,
        Err(error) => return page::problem(session, error.into()),
    };
    context.insert("of", &email);
    context.insert("path", &format!("/users/{owner}/tokens"));
    page::page(session, "service_tokens.html", "Service account", context)
}

/// Makes a token for a service account.
#[handler]
pub(super) async fn create_for_service(
    Data(service): Data<&Service>,
    Path(id): Path<Uuid>,
    form: Form<New>,
) -> Response {
    let (session, owner) = (&form.session, UserId::from(id));
    match made(service, session, Some(owner), form.fields).await {
        Ok(context) => shown(service, session, owner, context).await,
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            let mut context = Context::new();
            context.insert("error", &error.to_string());
            let mut page = shown(service, session, owner, context).await;
            if page.status() == StatusCode::OK {
                page.set_status(StatusCode::UNPROCESSABLE_ENTITY);
            }
            page
        }
        Err(error) => page::problem(session, error.into()),
    }
}

/// Ends a token of a service account.
#[handler]
pub(super) async fn delete_of_service(
    Data(service): Data<&Service>,
    Path((owner, id)): Path<(Uuid, Uuid)>,
    form: Form<Delete>,
) -> Response {
    let Delete {} = form.fields;
    match service.delete_token(&form.session.caller, TokenId::from(id)).await {
        Ok(()) => see(&format!("/users/{owner}/tokens")),
        Err(error) => page::problem(&form.session, error.into()),
    }
}
