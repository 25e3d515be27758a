//! What is sent and read that core has no type for.

use jobrunner_core::{NewJob, batch::RerunOnly};
use serde::{Deserialize, Serialize};

/// A sign-in by password.
#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct PasswordGrant {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// An exchange of a refresh token.
#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct RefreshGrant {
    pub(crate) grant_type: String,
    pub(crate) refresh_token: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct NewUser {
    pub(crate) email: String,
    pub(crate) role: jobrunner_core::Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_service: bool,
    pub(crate) max_running_jobs: Option<u32>,
}

/// What is to change; what is `None` stays.
#[derive(Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct UserChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<jobrunner_core::Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_active: Option<bool>,
    /// `Some(None)` is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_running_jobs: Option<Option<u32>>,
}

/// A personal access token that is wanted.
#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct NewToken {
    pub(crate) name: String,
    pub(crate) scopes: Vec<jobrunner_core::user::TokenScope>,
    pub(crate) project: Option<jobrunner_core::ProjectName>,
    pub(crate) expires_at: Option<chrono::DateTime<chrono::Utc>>,
    pub(crate) owner_id: Option<jobrunner_core::UserId>,
}

/// One that was made.
#[derive(Serialize, Deserialize)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    pub(crate) token: jobrunner_core::user::PersonalToken,
    pub(crate) secret: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct NewProject {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// What is to change in a project; what is `None` stays.
#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct ProjectChange {
    /// `Some(None)` is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_archived: Option<bool>,
}

impl From<jobrunner_core::project::ProjectUpdate> for ProjectChange {
    fn from(update: jobrunner_core::project::ProjectUpdate) -> Self {
        let jobrunner_core::project::ProjectUpdate { description, is_archived } = update;
        Self { description, is_archived }
    }
}

/// What a member of a project is to be.
#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct NewMember {
    pub(crate) role: jobrunner_core::ProjectRole,
}

/// What is to change in one's own account.
#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct OwnChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) current_password: Option<String>,
}

/// A batch to be submitted, jobs included.
#[derive(Serialize)]
pub(crate) struct NewBatchWithJobs<'a> {
    #[serde(flatten)]
    pub(crate) batch: &'a jobrunner_core::NewBatch,
    pub(crate) jobs: &'a [NewJob],
}

/// The same, as it is read by who gets it.
#[cfg(test)]
#[derive(Serialize, Deserialize)]
#[serde(try_from = "serde_json::Map<String, serde_json::Value>")]
pub(crate) struct NewBatch {
    #[serde(flatten)]
    batch: jobrunner_core::NewBatch,
    jobs: Vec<NewJob>,
}

#[cfg(test)]
impl TryFrom<serde_json::Map<String, serde_json::Value>> for NewBatch {
    type Error = serde_json::Error;

    fn try_from(
        mut fields: serde_json::Map<String, serde_json::Value>,
    ) -> Result<Self, serde_json::Error> {
        let jobs = fields.remove("jobs").unwrap_or_default();
        Ok(Self {
            batch: serde_json::from_value(fields.into())?,
            jobs: serde_json::from_value(jobs)?,
        })
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct Rerun {
    pub(crate) only: RerunOnly,
}

/// Whose jobs are to be canceled: `me`, `all` or an id.
#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct CancelJobs {
    pub(crate) owner: String,
}

/// What a cancel did.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Canceled {
    pub(crate) ended: u64,
    pub(crate) stopping: u64,
}

/// What is to change in a queue; what is `None` stays.
#[derive(Default, Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct QueueChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) paused: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<f64>,
}

/// The end of what an attempt wrote, as text.
#[derive(Deserialize)]
#[cfg_attr(test, derive(Serialize))]
pub(crate) struct Logs {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A list that is one page.
#[derive(Deserialize)]
#[cfg_attr(test, derive(Serialize))]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
}
