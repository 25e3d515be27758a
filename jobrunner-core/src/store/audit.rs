use serde_json::Map;
use sqlx::FromRow;
use uuid::Uuid;

use super::rows;
use crate::{
    Error, Result,
    audit::{AuditEvent, AuditFilter},
};

/// Which of the statements reads what is asked for by an index.
pub(super) enum By {
    Nothing,
    Actor,
    Action,
    Target,
}

impl By {
    /// The filter that leaves the fewest events comes first.
    pub(super) fn of(filter: &AuditFilter) -> Self {
        match filter {
            AuditFilter { target: Some(_), .. } => Self::Target,
            AuditFilter { actor: Some(_), .. } => Self::Actor,
            AuditFilter { action: Some(_), .. } => Self::Action,
            AuditFilter { .. } => Self::Nothing,
        }
    }
}

/// A row of `audit_event`.
#[derive(FromRow)]
pub(super) struct EventRow {
    id: Uuid,
    created_at: i64,
    actor_id: Option<Uuid>,
    actor_email: Option<String>,
    action: String,
    target_type: Option<String>,
    target_id: Option<String>,
    target_name: Option<String>,
    details: String,
}

impl EventRow {
    pub(super) fn into_event(self) -> Result<AuditEvent> {
        let target_type = self.target_type.map(|word| word.parse());
        Ok(AuditEvent {
            id: self.id.into(),
            created_at: rows::time(self.created_at)?,
            actor_id: self.actor_id.map(Into::into),
            actor_email: self.actor_email,
            action: self.action.parse().map_err(|e| Error::internal("an action", e))?,
            target_type: target_type.transpose().map_err(|e| Error::internal("a target", e))?,
            target_id: self.target_id,
            target_name: self.target_name,
            details: rows::parse::<Map<_, _>>(&self.details)?,
        })
    }
}
