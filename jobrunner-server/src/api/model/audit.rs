use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use poem_openapi::{Enum, Object};
use serde_json::Value;
use uuid::Uuid;

/// What was asked for.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "snake_case")]
pub(crate) enum AuditAction {
    SignIn,
    /// No more than one a second is kept.
    SignInFailed,
    SignOut,
    CreateUser,
    UpdateUser,
    CancelJob,
    /// Every one that had not ended, of one owner or of everybody.
    CancelJobs,
    DeleteJob,
    CancelBatch,
    RerunBatch,
    DeleteBatch,
    UpdateQueue,
    DrainWorker,
}

impl From<AuditAction> for jobrunner_core::audit::AuditAction {
    fn from(action: AuditAction) -> Self {
        match action {
            AuditAction::SignIn => Self::SignIn,
            AuditAction::SignInFailed => Self::SignInFailed,
            AuditAction::SignOut => Self::SignOut,
            AuditAction::CreateUser => Self::CreateUser,
            AuditAction::UpdateUser => Self::UpdateUser,
            AuditAction::CancelJob => Self::CancelJob,
            AuditAction::CancelJobs => Self::CancelJobs,
            AuditAction::DeleteJob => Self::DeleteJob,
            AuditAction::CancelBatch => Self::CancelBatch,
            AuditAction::RerunBatch => Self::RerunBatch,
            AuditAction::DeleteBatch => Self::DeleteBatch,
            AuditAction::UpdateQueue => Self::UpdateQueue,
            AuditAction::DrainWorker => Self::DrainWorker,
        }
    }
}

/// What an action was done to.
#[derive(Clone, Copy, Debug, Enum)]
#[oai(rename_all = "lowercase")]
pub(crate) enum TargetType {
    User,
    Job,
    Batch,
    Queue,
    Worker,
}

/// Somebody asked for a change, and was allowed to.
#[derive(Clone, Debug, Object)]
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
    details: BTreeMap<String, Value>,
}
