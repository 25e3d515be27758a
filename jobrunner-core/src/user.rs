//! Accounts.

mod password;
mod scope;
mod token;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use password::NewPassword;
pub(crate) use password::normal;
pub use scope::Scope;
pub use token::{MadeToken, NewToken, PersonalToken, Scopes, TokenScope};

use crate::{UserId, Violation, name::is_invisible, words::words};

words! {
    /// What an account may do.
    Role {
        /// Everything.
        Admin = "admin",
        /// Submit, and control what is theirs.
        Operator = "operator",
        /// Read what is theirs.
        Viewer = "viewer",
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
    /// Whether it is a program's: it has no password, and admins make tokens for it.
    #[serde(default)]
    pub is_service: bool,
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
    /// One that [`NewPassword::choose`] allows; `None` for a service account.
    pub password: Option<SecretString>,
    /// What the account may do.
    pub role: Role,
    /// Whether it is a program's.
    pub is_service: bool,
    /// How many of its jobs may run at one time, 1 or more. `None` is no limit.
    pub max_running_jobs: Option<u32>,
}

/// What is to change in an account; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct UserUpdate {
    /// A new password, one that [`NewPassword::choose`] allows; tokens given out before stop
    /// working.
    pub password: Option<SecretString>,
    /// A new role.
    pub role: Option<Role>,
    /// Enable or disable.
    pub is_active: Option<bool>,
    /// A new limit; `Some(None)` removes it.
    pub max_running_jobs: Option<Option<u32>>,
}

/// What somebody changes of their own account; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct OwnUpdate {
    /// A new password, one that [`NewPassword::choose`] allows. All other sign-ins end.
    pub password: Option<SecretString>,
    /// The current password, without which there is no new one.
    pub current_password: Option<SecretString>,
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
