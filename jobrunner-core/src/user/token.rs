//! Personal access tokens: what programs prove with whose they are.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{ProjectName, TokenId, UserId, Violation, name, words::words};

words! {
    /// What a personal access token is good for, as far as its owner may do it at all.
    TokenScope {
        /// Look at jobs, batches, output, queues and workers.
        Read = "read",
        /// Submit jobs and batches.
        Submit = "submit",
        /// Cancel, rerun and delete them.
        Control = "control",
        /// Everything but to see to passwords, sign-ins and tokens of the owner's.
        Admin = "admin",
    }
}

/// What a token is good for: at least one scope, each once, in the order of their declaration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<TokenScope>")]
pub struct Scopes(Vec<TokenScope>);

impl Scopes {
    /// The scopes.
    #[must_use]
    pub fn as_slice(&self) -> &[TokenScope] {
        &self.0
    }
}

impl TryFrom<Vec<TokenScope>> for Scopes {
    type Error = Violation;

    fn try_from(mut scopes: Vec<TokenScope>) -> Result<Self, Violation> {
        scopes.sort_unstable();
        scopes.dedup();
        match scopes.is_empty() {
            true => Err(Violation::new("scopes", "must have at least one")),
            false => Ok(Self(scopes)),
        }
    }
}

/// A personal access token, without its secret, which is told once and kept by nobody here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PersonalToken {
    /// Which token.
    pub id: TokenId,
    /// Whose: it never allows more than they may do at that moment.
    pub owner_id: UserId,
    /// What people call it.
    pub name: String,
    /// What it is good for.
    pub scopes: Scopes,
    /// The one project that it is good for, and for nothing else; `None` is all that its owner may.
    #[serde(default)]
    pub project: Option<ProjectName>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working; `None` is when it is deleted.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to about a minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl PersonalToken {
    /// Whether its time is not over.
    #[must_use]
    pub fn is_good(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// What it is good for.
    pub scopes: Scopes,
    /// The one project that it is good for, and for nothing else; `None` is all that its owner may.
    pub project: Option<ProjectName>,
    /// When it stops working; `None` is when it is deleted.
    pub expires_at: Option<DateTime<Utc>>,
}

impl NewToken {
    /// Whether it may be made.
    pub(crate) fn check(&self) -> Result<(), Violation> {
        name::refusal(&self.name).map_or(Ok(()), |why| Err(Violation::new("name", why)))
    }
}

/// A token that was made a moment ago.
#[derive(Clone, Debug)]
pub struct MadeToken {
    /// What it is.
    pub token: PersonalToken,
    /// What to send as `Authorization: Bearer …`. Nobody can tell it again.
    pub secret: SecretString,
}
