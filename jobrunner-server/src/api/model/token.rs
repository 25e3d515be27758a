//! Personal access tokens.

use chrono::{DateTime, Utc};
use jobrunner_core::{ProjectName, Violation, user};
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{TokenScope, pattern};

/// A personal access token, without its secret.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PersonalToken {
    id: Uuid,
    owner_id: Uuid,
    name: String,
    /// What it is good for, as far as its owner may do it.
    scopes: Vec<TokenScope>,
    /// The one project that it is good for, and for nothing else; null is all that its owner may.
    project: Option<String>,
    created_at: DateTime<Utc>,
    /// When it stops working; null is when it is deleted.
    expires_at: Option<DateTime<Utc>>,
    /// To about a minute; null if it was never used.
    last_used_at: Option<DateTime<Utc>>,
}

impl From<user::PersonalToken> for PersonalToken {
    fn from(token: user::PersonalToken) -> Self {
        let user::PersonalToken {
            id,
            owner_id,
            name,
            scopes,
            project,
            created_at,
            expires_at,
            last_used_at,
        } = token;
        Self {
            id: id.as_uuid(),
            owner_id: owner_id.as_uuid(),
            name,
            scopes: scopes.as_slice().iter().map(|scope| (*scope).into()).collect(),
            project: project.map(Into::into),
            created_at,
            expires_at,
            last_used_at,
        }
    }
}

/// A personal access token that was made now.
#[derive(Serialize, JsonSchema)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    token: PersonalToken,
    /// What to send as `Authorization: Bearer …`. Keep it: it is not told again.
    secret: String,
}

impl From<user::MadeToken> for MadeToken {
    fn from(made: user::MadeToken) -> Self {
        let user::MadeToken { token, secret } = made;
        Self { token: token.into(), secret: secret.expose_secret().to_owned() }
    }
}

/// A personal access token as it is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// What people call it. 1 to 255 bytes of UTF-8.
    #[schemars(length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    name: String,
    /// What it is good for, as far as its owner may do it.
    #[schemars(with = "Vec<TokenScope>", length(min = 1))]
    scopes: Vec<user::TokenScope>,
    /// The one project that it is good for, and for nothing else; all that its owner may, if left
    /// out or null.
    #[schemars(length(min = 1, max = 63), regex(pattern = pattern::PROJECT))]
    project: Option<String>,
    /// When it stops working; when it is deleted, if left out or null.
    expires_at: Option<DateTime<Utc>>,
    /// The service account that it is for; the caller's own if left out or null.
    pub(crate) owner_id: Option<Uuid>,
}

impl TryFrom<NewToken> for user::NewToken {
    type Error = Violation;

    fn try_from(new: NewToken) -> Result<Self, Violation> {
        let NewToken { name, scopes, project, expires_at, owner_id: _ } = new;
        let project = project.map(ProjectName::try_from).transpose()?;
        Ok(Self { name, scopes: scopes.try_into()?, project, expires_at })
    }
}
