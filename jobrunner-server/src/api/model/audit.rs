use chrono::{DateTime, Utc};
use jobrunner_core::audit;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{AuditAction, TargetType};

/// Somebody asked for a change, and was allowed to.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AuditEvent {
    id: Uuid,
    created_at: DateTime<Utc>,
    /// Null for the service itself, and for somebody who could not prove who they are.
    actor_id: Option<Uuid>,
    /// The address of the account then, or the one that a failed sign-in was for.
    actor_email: Option<String>,
    action: AuditAction,
    target_type: Option<TargetType>,
    /// An id; a queue's is its name.
    target_id: Option<String>,
    /// What people called it then.
    target_name: Option<String>,
    /// What was to change, and whose it was. Never a secret.
    details: Map<String, Value>,
}

impl From<audit::AuditEvent> for AuditEvent {
    fn from(event: audit::AuditEvent) -> Self {
        let audit::AuditEvent {
            id,
            created_at,
            actor_id,
            actor_email,
            action,
            target_type,
            target_id,
            target_name,
            details,
        } = event;
        Self {
            id: id.as_uuid(),
            created_at,
            actor_id: actor_id.map(|id| id.as_uuid()),
            actor_email,
            action: action.into(),
            target_type: target_type.map(Into::into),
            target_id,
            target_name,
            details,
        }
    }
}
