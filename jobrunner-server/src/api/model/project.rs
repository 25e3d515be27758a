//! Projects and who belongs to them.

use chrono::{DateTime, Utc};
use jobrunner_core::project;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ProjectRole, pattern};
use crate::api::http::body::given;

/// A project.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Project {
    name: String,
    description: Option<String>,
    /// What belongs to an archived project can be read and nothing else.
    is_archived: bool,
    created_at: DateTime<Utc>,
}

impl From<project::Project> for Project {
    fn from(project: project::Project) -> Self {
        let project::Project { name, description, is_archived, created_at } = project;
        Self { name: name.into(), description, is_archived, created_at }
    }
}

/// A project as it is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProject {
    /// What it is called, which never changes.
    #[schemars(length(min = 1, max = 63), regex(pattern = pattern::PROJECT))]
    pub(crate) name: String,
    /// What it is for; at most 4096 bytes of UTF-8.
    #[schemars(length(max = 4096), regex(pattern = pattern::TEXT))]
    pub(crate) description: Option<String>,
}

/// What is to change; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProjectUpdate {
    /// null removes it. At most 4096 bytes of UTF-8.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>", length(max = 4096), regex(pattern = pattern::TEXT))]
    description: Option<Option<String>>,
    /// Put it away, or take it out again. For admins.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "bool")]
    is_archived: Option<bool>,
}

impl From<ProjectUpdate> for project::ProjectUpdate {
    fn from(update: ProjectUpdate) -> Self {
        let ProjectUpdate { description, is_archived } = update;
        Self { description, is_archived }
    }
}

/// A member of a project.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Member {
    user_id: Uuid,
    email: String,
    role: ProjectRole,
    added_at: DateTime<Utc>,
}

impl From<project::Member> for Member {
    fn from(member: project::Member) -> Self {
        let project::Member { user_id, email, role, added_at } = member;
        Self { user_id: user_id.as_uuid(), email, role: role.into(), added_at }
    }
}

/// What a member of a project is to be.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMember {
    #[schemars(with = "ProjectRole")]
    pub(crate) role: project::ProjectRole,
}
