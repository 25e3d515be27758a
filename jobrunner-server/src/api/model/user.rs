//! Accounts, and how somebody signs in.

use chrono::{DateTime, Utc};
use jobrunner_core::{authz::Tokens, user};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{GrantType, Role, TokenType, pattern};
use crate::api::http::body::given;

/// An account.
#[derive(Serialize, JsonSchema)]
pub(crate) struct User {
    id: Uuid,
    email: String,
    role: Role,
    /// A disabled account cannot sign in, and its tokens stop working within a second.
    is_active: bool,
    /// Whether it is a program's: it has no password, and admins make tokens for it.
    is_service: bool,
    /// How many of its jobs may run at one time; null is no limit.
    max_running_jobs: Option<u32>,
    created_at: DateTime<Utc>,
}

impl From<user::User> for User {
    fn from(user: user::User) -> Self {
        let user::User { id, email, role, is_active, is_service, max_running_jobs, created_at } =
            user;
        let (id, role) = (id.as_uuid(), role.into());
        Self { id, email, role, is_active, is_service, max_running_jobs, created_at }
    }
}

/// An account as it is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// What to sign in with; kept in lower case. At most 254 bytes of UTF-8.
    #[schemars(length(min = 3, max = 254), regex(pattern = pattern::EMAIL))]
    email: String,
    /// 12 to 1024 bytes of UTF-8, also when normalised (NFKC), and hard to guess. Left
    /// out for a service account, and for no other.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", length(min = 12, max = 1024), extend("format" = "password"))]
    password: Option<SecretString>,
    #[schemars(with = "Role")]
    role: user::Role,
    /// Whether it is a program's.
    #[serde(default)]
    is_service: bool,
    /// How many of its jobs may run at one time; no limit if left out or null.
    #[schemars(range(min = 1))]
    max_running_jobs: Option<u32>,
}

impl From<NewUser> for user::NewUser {
    fn from(new: NewUser) -> Self {
        let NewUser { email, password, role, is_service, max_running_jobs } = new;
        Self { email, password, role, is_service, max_running_jobs }
    }
}

/// What is to change; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserUpdate {
    /// 12 to 1024 bytes of UTF-8, also when normalised (NFKC), and hard to guess. Tokens given out
    /// before stop working.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", length(min = 12, max = 1024), extend("format" = "password"))]
    password: Option<SecretString>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Role")]
    role: Option<user::Role>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "bool")]
    is_active: Option<bool>,
    /// null removes the limit.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<u32>", range(min = 1))]
    max_running_jobs: Option<Option<u32>>,
}

impl From<UserUpdate> for user::UserUpdate {
    fn from(update: UserUpdate) -> Self {
        let UserUpdate { password, role, is_active, max_running_jobs } = update;
        Self { password, role, is_active, max_running_jobs }
    }
}

/// What is to change in the caller's own account; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnUpdate {
    /// 12 to 1024 bytes of UTF-8, also when normalised (NFKC), and hard to guess. All other
    /// sign-ins of the account end.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", length(min = 12, max = 1024), extend("format" = "password"))]
    password: Option<SecretString>,
    /// The current password; needed for a new one.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", extend("format" = "password"))]
    current_password: Option<SecretString>,
}

impl From<OwnUpdate> for user::OwnUpdate {
    fn from(update: OwnUpdate) -> Self {
        let OwnUpdate { password, current_password } = update;
        Self { password, current_password }
    }
}

/// What somebody signs in with: `username` and `password`, or a `refresh_token`.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct SignIn {
    /// `password` if it is left out.
    #[serde(default)]
    #[schemars(with = "GrantType")]
    pub(crate) grant_type: Option<String>,
    /// The email address, for a password.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = pattern::TEXT))]
    pub(crate) username: Option<String>,
    /// The password.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = pattern::TEXT))]
    pub(crate) password: Option<String>,
    /// The token of the answer before, for a refresh token.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = pattern::TEXT))]
    pub(crate) refresh_token: Option<String>,
    /// Not used; clients of OAuth2 may send it.
    #[serde(default, rename = "scope")]
    #[schemars(with = "String", regex(pattern = pattern::TEXT))]
    _scope: Option<String>,
    /// Not used; clients of OAuth2 may send it.
    #[serde(default, rename = "client_id")]
    #[schemars(with = "String", regex(pattern = pattern::TEXT))]
    _client_id: Option<String>,
    /// Not used; clients of OAuth2 may send it.
    #[serde(default, rename = "client_secret")]
    #[schemars(with = "String", regex(pattern = pattern::TEXT))]
    _client_secret: Option<String>,
}

/// An access token, and one to exchange for the next.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Token {
    access_token: String,
    token_type: TokenType,
    /// For how many seconds it is good.
    expires_in: u64,
    /// To be sent, once, with the grant `refresh_token`.
    refresh_token: String,
    /// For how many seconds that is good; exchanging it makes it no longer.
    refresh_token_expires_in: u64,
}

impl From<Tokens> for Token {
    fn from(Tokens { access, refresh }: Tokens) -> Self {
        Self {
            access_token: access.token,
            token_type: TokenType::Bearer,
            expires_in: access.lifetime.as_secs(),
            refresh_token: refresh.token.expose_secret().to_owned(),
            refresh_token_expires_in: refresh.lifetime.as_secs(),
        }
    }
}
