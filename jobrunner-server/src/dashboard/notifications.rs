//! Who is told of what becomes of batches, and how that went.

mod form;

use std::collections::BTreeMap;

use jobrunner_core::{
    DeliveryId, Error, Principal, ProjectRole, Result, Role, Service, SubscriptionId,
    notification::{Channel, Delivery, DeliveryStatus, EventKind, Subscription, Window},
    page::PageRequest,
};
use poem::{
    Response, handler,
    http::StatusCode,
    web::{Data, Path, Query},
};
use serde::{Deserialize, Serialize};
use tera::Context;
use uuid::Uuid;

use self::form::Fields;
use super::{
    page,
    session::{Form, Session, see},
    show::Moment,
};

/// How many notifications or deliveries are on a page.
const SHOWN: u32 = 200;

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    project: String,
    series: String,
    batch_name: String,
    on: Vec<&'static str>,
    channel: &'static str,
    /// What people know it by.
    place: String,
    /// What may be shown of where messages go, as the form has it.
    address: String,
    every_minutes: Option<u32>,
    at: Option<String>,
    zone: Option<String>,
    is_enabled: bool,
    /// Whether the caller may change it.
    may_change: bool,
    created: Moment,
}

impl Shown {
    fn to(caller: &Principal, it: Subscription) -> Self {
        let what = it.what;
        let may_change = match &what.project {
            _ if caller.role == Role::Admin => true,
            _ if caller.role == Role::Viewer => false,
            Some(project) => caller.projects.role_in(project) == Some(ProjectRole::Maintainer),
            None => it.owner_id == caller.id,
        };
        let (place, address) = match &what.channel {
            Channel::Webhook { url, .. } => (what.channel.host(), url.clone()),
            Channel::Slack { .. } => (what.channel.host(), String::new()),
            Channel::Email { to } => (Some(to.join(", ")), to.join(", ")),
        };
        let (every_minutes, at, zone) = match what.window {
            None => (None, None, None),
            Some(Window::Every { every_minutes }) => (Some(every_minutes), None, None),
            Some(Window::Daily { at, zone }) => (None, Some(at.into()), Some(zone.into())),
        };
        Self {
            id: it.id.to_string(),
            channel: what.channel.kind().as_str(),
            name: what.name,
            project: what.project.map(String::from).unwrap_or_default(),
            series: what.series.unwrap_or_default(),
            batch_name: what.batch_name.unwrap_or_default(),
            on: what.on.into_iter().map(EventKind::as_str).collect(),
            place: place.unwrap_or_default(),
            address,
            every_minutes,
            at,
            zone,
            is_enabled: what.is_enabled,
            may_change,
            created: it.created_at.into(),
        }
    }
}

#[derive(Serialize)]
struct ShownDelivery {
    id: String,
    kind: String,
    at: Moment,
    batch: Option<String>,
    name: Option<String>,
    /// How many events a message of a window tells.
    events: Option<u64>,
    status: &'static str,
    due: Option<Moment>,
    /// Whether it can be asked for again.
    may_redeliver: bool,
    attempts: Vec<ShownAttempt>,
}

#[derive(Serialize)]
struct ShownAttempt {
    at: Moment,
    duration_ms: u64,
    said: String,
}

impl From<Delivery> for ShownDelivery {
    fn from(it: Delivery) -> Self {
        let attempts = it.attempts.into_iter().map(|attempt| ShownAttempt {
            at: attempt.at.into(),
            duration_ms: attempt.duration_ms,
            said: attempt.error.unwrap_or_else(|| match attempt.status {
                Some(status) => format!("taken: {status}"),
                None => "taken".to_owned(),
            }),
        });
        Self {
            id: it.id.to_string(),
            at: it.created_at.into(),
            batch: it.batch_id.map(|id| id.to_string()),
            name: it.batch_name,
            events: it.gathered.map(|gathered| gathered.total),
            status: it.status.as_str(),
            due: (it.status == DeliveryStatus::Waiting).then(|| it.due_at.into()),
            may_redeliver: it.status != DeliveryStatus::Gathered,
            attempts: attempts.collect(),
            kind: it.kind,
        }
    }
}

/// All of them, and the form for another.
#[handler]
pub(super) async fn list(Data(service): Data<&Service>, session: Session) -> Response {
    show_all(service, &session, None).await
}

async fn show_all(service: &Service, session: &Session, error: Option<&Error>) -> Response {
    let caller = &session.caller;
    let found = match service.notifications(caller, PageRequest::first(SHOWN)).await {
        Ok(found) => found,
        Err(error) => return page::problem(session, error.into()),
    };
    let shown = found.items.into_iter().map(|it| Shown::to(caller, it));
    let mut context = Context::new();
    context.insert("shown", &shown.collect::<Vec<_>>());
    context.insert("are_more", &found.next_cursor.is_some());
    // The form is that of one that there is; here it is of none.
    context.insert("of", &BTreeMap::from([("id", ""), ("channel", "")]));
    if let Err(error) = add_choices(service, caller, &mut context).await {
        return page::problem(session, error.into());
    }
    answered(session, "notifications.html", "Notifications", context, error)
}

/// What the form lets somebody choose of.
async fn add_choices(service: &Service, caller: &Principal, context: &mut Context) -> Result<()> {
    let projects: Vec<String> = match caller.role {
        Role::Admin => {
            let found = service.projects(caller, None, 1000).await?.items;
            found.into_iter().map(|project| project.name.into()).collect()
        }
        _ => {
            let maintained = caller.projects.iter().filter(|it| it.role == ProjectRole::Maintainer);
            maintained.map(|it| it.project.to_string()).collect()
        }
    };
    context.insert("choices", &projects);
    context.insert("kinds", &EventKind::ALL.map(EventKind::as_str));
    Ok(())
}

#[derive(Deserialize)]
pub(super) struct Asked {
    /// What was done a moment ago.
    #[serde(default)]
    done: String,
}

/// One with what was delivered.
#[handler]
pub(super) async fn show(
    Data(service): Data<&Service>,
    session: Session,
    Path(id): Path<Uuid>,
    Query(asked): Query<Asked>,
) -> Response {
    let done = match asked.done.as_str() {
        "test" => "The test is on its way; reload the page to see how it went.",
        "again" => "The message is on its way again.",
        "changed" => "The notification is changed.",
        _ => "",
    };
    let mut context = Context::new();
    context.insert("done", done);
    show_one(service, &session, id.into(), context, None).await
}

async fn show_one(
    service: &Service,
    session: &Session,
    id: SubscriptionId,
    mut context: Context,
    error: Option<&Error>,
) -> Response {
    let caller = &session.caller;
    let found = async {
        let found = service.notification(caller, id).await?;
        let deliveries = service.deliveries(caller, id, PageRequest::first(SHOWN)).await?;
        add_choices(service, caller, &mut context).await?;
        Ok::<_, Error>((found, deliveries))
    };
    let (found, deliveries) = match found.await {
        Ok(found) => found,
        Err(error) => return page::problem(session, error.into()),
    };
    let shown: Vec<ShownDelivery> = deliveries.items.into_iter().map(Into::into).collect();
    let title = found.what.name.clone();
    context.insert("deliveries", &shown);
    context.insert("are_more", &deliveries.next_cursor.is_some());
    context.insert("of", &Shown::to(caller, found));
    answered(session, "notification.html", &title, context, error)
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
    if error.is_some() && page.status() == StatusCode::OK {
        page.set_status(StatusCode::UNPROCESSABLE_ENTITY);
    }
    page
}

/// Makes one, and shows the secret that was made for a webhook this one time.
#[handler]
pub(super) async fn create(Data(service): Data<&Service>, form: Form<Fields>) -> Response {
    let session = &form.session;
    let made = async {
        let (new, secret) = form.fields.subscription()?;
        Ok((service.create_notification(&session.caller, new).await?, secret))
    };
    match made.await {
        Ok((made, None)) => see(&format!("/notifications/{}", made.id)),
        Ok((made, Some(secret))) => {
            let mut context = Context::new();
            context.insert("secret", &secret);
            show_one(service, session, made.id, context, None).await
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            show_all(service, session, Some(&error)).await
        }
        Err(error) => page::problem(session, error.into()),
    }
}

/// Changes one; where messages go only if another place is given.
#[handler]
pub(super) async fn update(
    Data(service): Data<&Service>,
    Path(id): Path<Uuid>,
    form: Form<Fields>,
) -> Response {
    let (session, id) = (&form.session, SubscriptionId::from(id));
    let changed = async {
        let caller = &session.caller;
        let known = service.notification(caller, id).await?.what.channel;
        let (update, secret) = form.fields.update(&known)?;
        Ok((service.update_notification(caller, id, update).await?, secret))
    };
    match changed.await {
        Ok((_, Some(secret))) => {
            let mut context = Context::new();
            context.insert("secret", &secret);
            show_one(service, session, id, context, None).await
        }
        changed => done(service, session, id, changed.map(drop), "changed").await,
    }
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

/// Has a test delivered.
#[handler]
pub(super) async fn test(
    Data(service): Data<&Service>,
    Path(id): Path<Uuid>,
    form: Form<Nothing>,
) -> Response {
    let (Nothing {}, id) = (form.fields, SubscriptionId::from(id));
    let tested = service.test_notification(&form.session.caller, id).await;
    done(service, &form.session, id, tested.map(drop), "test").await
}

/// Has a message delivered again.
#[handler]
pub(super) async fn redeliver(
    Data(service): Data<&Service>,
    Path((id, delivery)): Path<(Uuid, Uuid)>,
    form: Form<Nothing>,
) -> Response {
    let (Nothing {}, id) = (form.fields, SubscriptionId::from(id));
    let again = service.redeliver(&form.session.caller, DeliveryId::from(delivery)).await;
    done(service, &form.session, id, again.map(drop), "again").await
}

/// Ends one.
#[handler]
pub(super) async fn delete(
    Data(service): Data<&Service>,
    Path(id): Path<Uuid>,
    form: Form<Nothing>,
) -> Response {
    let Nothing {} = form.fields;
    match service.delete_notification(&form.session.caller, id.into()).await {
        Ok(()) => see("/notifications"),
        Err(error) => page::problem(&form.session, error.into()),
    }
}

async fn done(
    service: &Service,
    session: &Session,
    id: SubscriptionId,
    done: Result<()>,
    what: &str,
) -> Response {
    match done {
        Ok(()) => see(&format!("/notifications/{id}?done={what}")),
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) => {
            show_one(service, session, id, Context::new(), Some(&error)).await
        }
        Err(error) => page::problem(session, error.into()),
    }
}
