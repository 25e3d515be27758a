//! Who may do what.

mod callers;
mod hs256;
mod password;
mod roles;
mod token;

use async_trait::async_trait;
use secrecy::SecretString;

pub use password::Passwords;
pub use roles::RoleAuthz;
pub(crate) use token::Refresh;
pub use token::{AccessToken, Lifetimes, RefreshToken, TokenKey, TokenKeyError, Tokens};

use crate::{Result, Role, SignInId, UserId, user::Scope};

/// What a caller proves who they are with.
#[derive(Clone, Debug)]
pub enum Credential {
    /// An access token given out before.
    Bearer(SecretString),
    /// A refresh token given out before, which has not been used yet. It is used by this, and a
    /// second use ends the sign-in: one of the two was a thief's.
    Refresh(SecretString),
    /// The name and password of an account.
    Password {
        /// The address, in any case.
        email: String,
        /// The password.
        password: SecretString,
    },
}

/// A caller whose credential was checked at this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Which account.
    pub id: UserId,
    /// Its address.
    pub email: String,
    /// What it may do.
    pub role: Role,
    /// Tokens of an earlier version no longer work.
    pub token_version: i64,
    /// Which proof of a password this goes back to. Tokens that are given out for this caller
    /// belong to it, and end with it.
    pub sign_in: SignInId,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Look at a job, a batch or its output.
    Read,
    /// Submit a job or a batch.
    Submit,
    /// Cancel, rerun or delete a job or a batch.
    Control,
    /// Look at the workers.
    SeeWorkers,
    /// Create accounts, change them, look at all of them.
    Administer,
}

/// Decides who a caller is and what they may do.
#[async_trait]
pub trait Authz: Send + Sync {
    /// Finds out who the caller is, as of a second ago at most: a disabled account is refused
    /// although its token has not expired.
    ///
    /// # Errors
    /// [`Unauthenticated`](crate::Error::Unauthenticated), in the same time and with the same text
    /// whatever was wrong.
    async fn authenticate(&self, credential: &Credential) -> Result<Principal>;

    /// An account was changed, or one of its sign-ins ended: what is remembered about it no longer
    /// holds. From when this returns, callers are found out as of now.
    fn changed(&self, user: UserId);

    /// Whether the caller may do something at all. For things that have an owner, look them up
    /// within [`scope`](Self::scope) first: what is out of scope does not exist for the caller.
    ///
    /// # Errors
    /// [`Forbidden`](crate::Error::Forbidden).
    fn check(&self, principal: &Principal, action: Action) -> Result<()>;

    /// Whether what a caller began, such as to follow output, may go on: whether they would still
    /// be let in by the sign-in they began it with, and would be told the same by
    /// [`check`](Self::check) and [`scope`](Self::scope). Found out as of now: nothing that is
    /// remembered counts.
    ///
    /// # Errors
    /// It cannot be found out now.
    async fn may_go_on(&self, principal: &Principal) -> Result<bool>;

    /// Whose things the caller may see.
    fn scope(&self, principal: &Principal) -> Scope;
}
