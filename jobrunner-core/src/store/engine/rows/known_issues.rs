//! Known issues.

use sqlx_macros::FromRow;
use uuid::Uuid;

use super::super::{
    values::{damaged, project, time},
    verdict::variant,
};
use crate::{Result, known_issue::KnownIssue};

/// A known issue.
#[derive(Debug, FromRow)]
pub struct KnownIssueRow {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub project: Option<String>,
    pub title: String,
    pub series: Option<String>,
    pub test: String,
    pub variant: Option<String>,
    pub pattern: Option<String>,
    pub effect: String,
    pub ticket: Option<String>,
    pub created_at: i64,
    pub expires_at: i64,
}

impl KnownIssueRow {
    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_issue(self) -> Result<KnownIssue> {
        Ok(KnownIssue {
            id: self.id.into(),
            owner_id: self.owner_id.into(),
            project: self.project.as_deref().map(project).transpose()?,
            created_at: time(self.created_at)?,
            expires_at: time(self.expires_at)?,
            title: self.title,
            series: self.series,
            test: self.test,
            variant: variant(self.variant.as_deref())?,
            pattern: self.pattern,
            effect: self.effect.parse().map_err(|e| damaged("an effect", e))?,
            ticket: self.ticket,
        })
    }
}
