use jobrunner_core::{
    Principal, Service,
    audit::{AuditAction, AuditEvent, AuditFilter, TargetType},
    page::PageRequest,
};
use poem::{
    Response, handler,
    web::{Data, Query},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tera::Context;

use super::{accounts::USERS, links::Paging, page, session::Session, show::Moment};
use crate::api::problem::Failure;

/// How many events are on a page.
const EVENTS: u32 = 100;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    action: String,
    #[serde(default)]
    who: String,
    #[serde(default)]
    target: String,
    cursor: Option<String>,
}

#[derive(Serialize)]
struct ShownEvent {
    at: Moment,
    who: Option<String>,
    /// The word of the API, and how people say it.
    action: &'static str,
    said: String,
    target: Option<ShownTarget>,
    details: Vec<(String, String)>,
}

#[derive(Serialize)]
struct ShownTarget {
    kind: &'static str,
    id: String,
    name: String,
    /// Where it is, if it has a page.
    page: Option<String>,
}

impl From<&AuditEvent> for ShownEvent {
    fn from(event: &AuditEvent) -> Self {
        let target = event.target_type.zip(event.target_id.clone()).map(|(kind, id)| ShownTarget {
            kind: kind.as_str(),
            name: event.target_name.clone().unwrap_or_else(|| id.clone()),
            page: match kind {
                TargetType::Job if event.action != AuditAction::DeleteJob => {
                    Some(format!("/jobs/{id}"))
                }
                TargetType::Batch if event.action != AuditAction::DeleteBatch => {
                    Some(format!("/batches/{id}"))
                }
                TargetType::User => Some("/users".to_owned()),
                TargetType::Queue => Some("/queues".to_owned()),
                TargetType::Project if event.action != AuditAction::DeleteProject => {
                    Some(format!("/projects/{id}"))
                }
                TargetType::Notification if event.action != AuditAction::DeleteNotification => {
                    Some(format!("/notifications/{id}"))
                }
                TargetType::KnownIssue if event.action != AuditAction::DeleteKnownIssue => {
                    Some(format!("/known-issues/{id}"))
                }
                TargetType::Job
                | TargetType::Batch
                | TargetType::Worker
                | TargetType::Token
                | TargetType::Notification
                | TargetType::KnownIssue
                | TargetType::Project => None,
            },
            id,
        });
        // The page of a target tells whose it is, if it has one.
        let has_no_page = matches!(
            event.target_type,
            None | Some(TargetType::Token | TargetType::Notification | TargetType::KnownIssue)
        );
        let is_news = |name: &str| name != "owner_id" || has_no_page;
        let details = event.details.iter().filter(|(name, _)| is_news(name));
        Self {
            at: event.created_at.into(),
            who: event.actor_email.clone(),
            action: event.action.as_str(),
            said: said(event.action),
            target,
            details: details.map(|(name, value)| (said_as(name), shown(value))).collect(),
        }
    }
}

/// A word of the API as people say it.
fn said(action: AuditAction) -> String {
    said_as(action.as_str())
}

fn said_as(word: &str) -> String {
    word.replace('_', " ")
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Who asked for what.
#[handler]
pub(super) async fn list(
    Data(service): Data<&Service>,
    session: Session,
    Query(wanted): Query<Wanted>,
) -> Response {
    match contents(service, &session.caller, &wanted).await {
        Ok(context) => page::page(&session, "audit.html", "Audit", context),
        Err(failure) => page::problem(&session, failure),
    }
}

async fn contents(
    service: &Service,
    caller: &Principal,
    wanted: &Wanted,
) -> Result<Context, Failure> {
    let users = service.users(caller, PageRequest::first(USERS)).await?.items;
    let (who, target) = (wanted.who.trim().to_lowercase(), wanted.target.trim());
    let actor = users.iter().find(|user| user.email == who).map(|user| user.id);
    let filter = AuditFilter {
        actor,
        action: match wanted.action.as_str() {
            "" => None,
            word => Some(word.parse().map_err(|error: jobrunner_core::UnknownWord| {
                jobrunner_core::Violation::new("action", error.to_string())
            })?),
        },
        target: (!target.is_empty()).then(|| target.to_owned()),
    };
    let page = PageRequest::parse(Some(EVENTS), wanted.cursor.as_deref())?;
    let is_unknown = !who.is_empty() && actor.is_none();
    let (events, next) = if is_unknown {
        (Vec::new(), None)
    } else {
        let page = service.audit_events(caller, &filter, page).await?;
        (page.items, page.next_cursor)
    };
    let mut context = Context::new();
    context.insert("events", &events.iter().map(ShownEvent::from).collect::<Vec<_>>());
    let filters = [("who", wanted.who.as_str()), ("action", &wanted.action), ("target", target)];
    context.insert("paging", &Paging::new(&filters, wanted.cursor.as_ref(), next.as_ref())?);
    let words: Vec<_> =
        AuditAction::ALL.iter().map(|action| (action.as_str(), said(*action))).collect();
    context.insert("actions", &words);
    context.insert("action", &wanted.action);
    context.insert("emails", &users.iter().map(|user| &user.email).collect::<Vec<_>>());
    context.insert("who", &wanted.who);
    context.insert("is_unknown", &is_unknown);
    context.insert("target", target);
    Ok(context)
}
