//! Accounts, their tokens, and what was asked for with them.

use sqlx_macros::FromRow;
use uuid::Uuid;

use super::super::values::{damaged, number, parse, project, time};
use crate::{Result, User, UserId, audit::AuditEvent, store::Account, user::PersonalToken};

/// An account.
#[derive(Debug, FromRow)]
pub struct AccountRow {
    pub id: Uuid,
    pub email: String,
    pub password_hash: String,
    pub role: String,
    pub is_active: bool,
    pub is_service: bool,
    pub max_running_jobs: Option<i64>,
    pub token_version: i64,
    pub created_at: i64,
}

impl AccountRow {
    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_account(self) -> Result<Account> {
        Ok(Account {
            user: User {
                id: UserId::from(self.id),
                email: self.email,
                role: self.role.parse().map_err(|e| damaged("a role", e))?,
                is_active: self.is_active,
                is_service: self.is_service,
                max_running_jobs: self.max_running_jobs.map(number).transpose()?,
                created_at: time(self.created_at)?,
            },
            password_hash: self.password_hash,
            token_version: self.token_version,
        })
    }
}

/// A personal access token.
#[derive(Debug, FromRow)]
pub struct TokenRow {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub name: String,
    pub scopes: String,
    pub project: Option<String>,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub last_used_at: Option<i64>,
}

impl TokenRow {
    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_token(self) -> Result<PersonalToken> {
        Ok(PersonalToken {
            id: self.id.into(),
            owner_id: self.owner_id.into(),
            name: self.name,
            scopes: parse(&self.scopes)?,
            project: self.project.as_deref().map(project).transpose()?,
            created_at: time(self.created_at)?,
            expires_at: self.expires_at.map(time).transpose()?,
            last_used_at: self.last_used_at.map(time).transpose()?,
        })
    }
}

/// An event of the audit.
#[derive(Debug, FromRow)]
pub struct EventRow {
    pub id: Uuid,
    pub created_at: i64,
    pub actor_id: Option<Uuid>,
    pub actor_email: Option<String>,
    pub action: String,
    pub target_type: Option<String>,
    pub target_id: Option<String>,
    pub target_name: Option<String>,
    pub details: String,
}

impl EventRow {
    /// What a page goes on after.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_event(self) -> Result<AuditEvent> {
        let target_type = self.target_type.map(|word| word.parse());
        Ok(AuditEvent {
            id: self.id.into(),
            created_at: time(self.created_at)?,
            actor_id: self.actor_id.map(Into::into),
            actor_email: self.actor_email,
            action: self.action.parse().map_err(|e| damaged("an action", e))?,
            target_type: target_type.transpose().map_err(|e| damaged("a target", e))?,
            target_id: self.target_id,
            target_name: self.target_name,
            details: parse(&self.details)?,
        })
    }
}
