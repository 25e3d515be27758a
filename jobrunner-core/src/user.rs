//! Accounts.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{UserId, Violation, name::is_invisible, strict};

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Admin,
    /// Submit, and control what is theirs.
    Operator,
    /// Read what is theirs.
    Viewer,
}

impl Role {
    /// The word, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is none of the three roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of admin, operator, viewer")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        [Self::Admin, Self::Operator, Self::Viewer]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        strict::word(deserializer, "one of admin, operator, viewer")
    }
}

/// An account as callers see it; the password's hash is never part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Which account.
    pub id: UserId,
    /// The name to sign in with: trimmed, lower case, unique.
    pub email: String,
    /// What the account may do.
    pub role: Role,
    /// A disabled account cannot sign in, and its tokens stop working within a second.
    pub is_active: bool,
    /// How many of its jobs may run at one time; further ones wait. `None` is no limit.
    pub max_running_jobs: Option<u32>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The name to sign in with.
    pub email: String,
    /// 12 to 1,024 bytes.
    pub password: SecretString,
    /// What the account may do.
    pub role: Role,
    /// How many of its jobs may run at one time, 1 or more. `None` is no limit.
    pub max_running_jobs: Option<u32>,
}

/// What is to change in an account; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct UserUpdate {
    /// A new password, 12 to 1,024 bytes; tokens given out before stop working.
    pub password: Option<SecretString>,
    /// A new role.
    pub role: Option<Role>,
    /// Enable or disable.
    pub is_active: Option<bool>,
    /// A new limit; `Some(None)` removes it.
    pub max_running_jobs: Option<Option<u32>>,
}

/// The address in the form in which it is stored and looked up.
///
/// # Errors
/// The text is not `local@domain`, holds a character that cannot be seen, or is over 254 bytes.
pub fn parse_email(text: &str) -> Result<String, Violation> {
    let email = text.trim().to_lowercase();
    let well_formed = email.len() <= 254
        && !email.chars().any(is_invisible)
        && email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        });
    if well_formed {
        Ok(email)
    } else {
        Err(Violation::new(
            "email",
            "must be an address such as name@example.com, of at most 254 bytes",
        ))
    }
}

/// Whether a password may be set.
///
/// # Errors
/// It has fewer than 12 or more than 1,024 bytes.
pub fn check_password(password: &str) -> Result<(), Violation> {
    if (12..=1024).contains(&password.len()) {
        Ok(())
    } else {
        Err(Violation::new("password", "must have 12 to 1024 bytes"))
    }
}

/// Whether a limit of running jobs may be set.
///
/// # Errors
/// It is 0.
pub fn check_max_running_jobs(limit: Option<u32>) -> Result<(), Violation> {
    match limit {
        Some(0) => {
            Err(Violation::new("max_running_jobs", "must be 1 or more, or null for no limit"))
        }
        _ => Ok(()),
    }
}
