use chrono::{DateTime, Utc};
use jobrunner_core::{KnownIssueId, ProjectName, UserId, known_issue::Effect, series::Variant};
use serde::{Deserialize, Serialize};

use super::{Client, routes};
use crate::exit::Failure;

/// A known issue as the API tells it.
#[derive(Serialize, Deserialize)]
pub(crate) struct KnownIssue {
    pub(crate) id: KnownIssueId,
    pub(crate) title: String,
    pub(crate) project: Option<String>,
    pub(crate) series: Option<String>,
    pub(crate) test: String,
    pub(crate) variant: Variant,
    pub(crate) pattern: Option<String>,
    /// A later server may have effects that are not known here.
    pub(crate) effect: String,
    pub(crate) ticket: Option<String>,
    pub(crate) owner_id: UserId,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// A known issue that is wanted.
#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct NewKnownIssue {
    pub(crate) title: String,
    pub(crate) project: Option<ProjectName>,
    pub(crate) series: Option<String>,
    pub(crate) test: String,
    pub(crate) variant: Variant,
    pub(crate) pattern: Option<String>,
    pub(crate) effect: Effect,
    pub(crate) ticket: Option<String>,
    pub(crate) owner_id: Option<UserId>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// What is to change in a known issue; an inner `None` is any.
#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct KnownIssueChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) series: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) test: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) variant: Option<Variant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pattern: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) effect: Option<Effect>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

impl Client {
    pub(crate) async fn create_known_issue(
        &self,
        new: &NewKnownIssue,
    ) -> Result<KnownIssue, Failure> {
        self.post(&routes::CREATE_KNOWN_ISSUE, &[], Some(new)).await
    }

    pub(crate) async fn update_known_issue(
        &self,
        id: KnownIssueId,
        change: &KnownIssueChange,
    ) -> Result<KnownIssue, Failure> {
        self.change(&routes::UPDATE_KNOWN_ISSUE, &[&id.to_string()], change).await
    }

    pub(crate) async fn delete_known_issue(&self, id: KnownIssueId) -> Result<(), Failure> {
        self.delete(&routes::DELETE_KNOWN_ISSUE, &[&id.to_string()]).await
    }
}
