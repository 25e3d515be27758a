use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use chrono::{SubsecRound, Utc};
use serde_json::{Map, Value, json};

use super::Service;
use crate::{
    AuditEventId, Batch, Job, ProjectName, Result, User,
    audit::{AuditAction, AuditEvent, AuditFilter, TargetType},
    authz::{Action, Principal},
    known_issue::KnownIssue,
    lease::{QueueUpdate, Worker},
    notification::{Channel, Subscription},
    page::{Page, PageRequest},
    user::{PersonalToken, UserUpdate},
};

/// How much is kept of an address that somebody could not sign in with, in characters.
const ADDRESS_LENGTH: usize = 254;

/// What is done to something, with what is to change in it.
pub(super) struct Deed {
    action: AuditAction,
    target: Option<(TargetType, String, Option<String>)>,
    details: Map<String, Value>,
}

impl Deed {
    pub(super) fn alone(action: AuditAction) -> Self {
        Self { action, target: None, details: Map::new() }
    }

    pub(super) fn on_job(action: AuditAction, job: &Job) -> Self {
        let name = job.spec.name.clone();
        Self::on(action, TargetType::Job, &job.id, Some(name))
            .with("owner_id", job.owner_id.to_string())
    }

    pub(super) fn on_batch(action: AuditAction, batch: &Batch) -> Self {
        Self::on(action, TargetType::Batch, &batch.id, Some(batch.name.clone()))
            .with("owner_id", batch.owner_id.to_string())
    }

    pub(super) fn on_user(action: AuditAction, user: &User) -> Self {
        Self::on(action, TargetType::User, &user.id, Some(user.email.clone()))
    }

    pub(super) fn on_token(action: AuditAction, token: &PersonalToken) -> Self {
        let scopes: Vec<&str> = token.scopes.as_slice().iter().map(|it| it.as_str()).collect();
        Self::on(action, TargetType::Token, &token.id, Some(token.name.clone()))
            .with("owner_id", token.owner_id.to_string())
            .with("scopes", scopes)
            .with("project", token.project.as_ref().map(ToString::to_string))
            .with("expires_at", token.expires_at.map(|end| end.to_rfc3339()))
    }

    /// Of where messages go only the kind and the host: the rest lets somebody write there.
    pub(super) fn on_subscription(action: AuditAction, subscription: &Subscription) -> Self {
        let what = &subscription.what;
        let to = match &what.channel {
            Channel::Email { to } => Some(to.clone()),
            Channel::Webhook { .. } | Channel::Slack { .. } => None,
        };
        let on: Vec<&str> = what.on.iter().map(|kind| kind.as_str()).collect();
        Self::on(action, TargetType::Notification, &subscription.id, Some(what.name.clone()))
            .with("owner_id", subscription.owner_id.to_string())
            .with("project", what.project.as_ref().map(ToString::to_string))
            .with("series", what.series.clone())
            .with("batch_name", what.batch_name.clone())
            .with("on", on)
            .with("channel", what.channel.kind().as_str())
            .with("host", what.channel.host())
            .with("to", to)
            .with("is_enabled", what.is_enabled)
    }

    pub(super) fn on_known_issue(action: AuditAction, issue: &KnownIssue) -> Self {
        let mut deed =
            Self::on(action, TargetType::KnownIssue, &issue.id, Some(issue.title.clone()))
                .with("project", issue.project.as_ref().map(ToString::to_string));
        deed.details.extend(told(issue));
        deed
    }

    /// What a known issue is to become, and of what changes what it was before.
    pub(super) fn changing_known_issue(before: &KnownIssue, after: &KnownIssue) -> Self {
        let mut deed = Self::on_known_issue(AuditAction::UpdateKnownIssue, after);
        for ((field, old), (_, new)) in told(before).into_iter().zip(told(after)) {
            if old != new {
                deed = deed.changing(&field, old, new);
            }
        }
        deed
    }

    pub(super) fn on_project(action: AuditAction, name: &ProjectName) -> Self {
        Self::on(action, TargetType::Project, name, None)
    }

    pub(super) fn on_worker(action: AuditAction, worker: &Worker) -> Self {
        let name = format!("{} (process {})", worker.host, worker.pid);
        Self::on(action, TargetType::Worker, &worker.id, Some(name))
    }

    pub(super) fn on_queue(name: &str, update: QueueUpdate) -> Self {
        let mut deed = Self::on(AuditAction::UpdateQueue, TargetType::Queue, &name, None);
        if let Some(paused) = update.paused {
            deed = deed.with("paused", paused);
        }
        if let Some(weight) = update.weight {
            deed = deed.with("weight", weight);
        }
        deed
    }

    /// Of a new password only that there is one.
    pub(super) fn updating(mut self, update: &UserUpdate) -> Self {
        if update.password.is_some() {
            self = self.with("password", "changed");
        }
        if let Some(role) = update.role {
            self = self.with("role", role.as_str());
        }
        if let Some(is_active) = update.is_active {
            self = self.with("is_active", is_active);
        }
        if let Some(limit) = update.max_running_jobs {
            self = self.with("max_running_jobs", limit);
        }
        self
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// What a field was before and what it is to be.
    pub(super) fn changing(
        self,
        name: &str,
        before: impl Into<Value>,
        after: impl Into<Value>,
    ) -> Self {
        self.with(&format!("{name}_before"), before).with(name, after)
    }

    fn on(action: AuditAction, kind: TargetType, id: &impl ToString, name: Option<String>) -> Self {
        Self { action, target: Some((kind, id.to_string(), name)), details: Map::new() }
    }

    fn event(self, actor: Option<&Principal>) -> AuditEvent {
        let (target_type, target_id, target_name) = match self.target {
            Some((kind, id, name)) => (Some(kind), Some(id), name),
            None => (None, None, None),
        };
        AuditEvent {
            id: AuditEventId::new(),
            // What is shown now is what will be read back.
            created_at: Utc::now().trunc_subsecs(3),
            actor_id: actor.map(|actor| actor.id),
            actor_email: actor.map(|actor| actor.email.clone()),
            action: self.action,
            target_type,
            target_id,
            target_name,
            details: self.details,
        }
    }
}

/// What can be changed of a known issue, by its fields.
fn told(issue: &KnownIssue) -> [(String, Value); 9] {
    [
        ("title", json!(issue.title)),
        ("owner_id", json!(issue.owner_id)),
        ("series", json!(issue.series)),
        ("test", json!(issue.test)),
        ("variant", json!(issue.variant)),
        ("pattern", json!(issue.pattern)),
        ("effect", json!(issue.effect)),
        ("ticket", json!(issue.ticket)),
        ("expires_at", json!(issue.expires_at)),
    ]
    .map(|(field, value)| (field.to_owned(), value))
}

impl Service {
    /// What was asked for by whom, newest first.
    ///
    /// # Errors
    /// [`Forbidden`](crate::Error::Forbidden) unless the caller is an admin.
    pub async fn audit_events(
        &self,
        caller: &Principal,
        filter: &AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEvent>> {
        self.parts.authz.check(caller, Action::Administer)?;
        self.parts.store.audit_events(filter, page).await
    }

    /// Stores what a caller is about to do. Where this fails, it must not be done.
    pub(super) async fn record(&self, caller: &Principal, deed: Deed) -> Result<()> {
        self.parts.store.record(deed.event(Some(caller))).await
    }

    /// Stores what the service did by itself.
    pub(super) async fn record_own(&self, deed: Deed) -> Result<()> {
        self.parts.store.record(deed.event(None)).await
    }

    /// Stores that somebody could not prove who they are, if that does not happen all the time.
    /// Guessing passwords must not fill the disk.
    pub(super) async fn record_refused(&self, email: &str) {
        let shown: String =
            email.trim().chars().filter(|c| !c.is_control()).take(ADDRESS_LENGTH).collect();
        tracing::warn!(email = %shown, "a sign-in was refused");
        if !self.refusals.take() {
            return;
        }
        let mut event = Deed::alone(AuditAction::SignInFailed).event(None);
        event.actor_email = Some(shown);
        if let Err(error) = self.parts.store.record(event).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "it could not be recorded");
        }
    }
}

/// How many refusals are stored: sixty at once, and one a second in the long run.
#[derive(Debug)]
pub(super) struct Refusals(Mutex<(f64, Instant)>);

impl Refusals {
    const AT_ONCE: f64 = 60.0;

    fn take(&self) -> bool {
        self.take_at(Instant::now())
    }

    fn take_at(&self, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = *state;
        let left = (left + now.saturating_duration_since(since).as_secs_f64()).min(Self::AT_ONCE);
        let is_granted = left >= 1.0;
        *state = (if is_granted { left - 1.0 } else { left }, now);
        is_granted
    }
}

impl Default for Refusals {
    fn default() -> Self {
        Self(Mutex::new((Self::AT_ONCE, Instant::now())))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn of_many_refusals_sixty_and_one_a_second_are_stored() {
        let refusals = Refusals::default();
        let start = Instant::now();
        let stored = |at: Instant| (0..1000).filter(|_| refusals.take_at(at)).count();
        assert_eq!(stored(start), 60);
        assert_eq!(stored(start + Duration::from_millis(3_500)), 3);
        assert_eq!(stored(start + Duration::from_secs(3600)), 60);
    }
}
