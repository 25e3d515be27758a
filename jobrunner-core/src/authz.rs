//! Who may do what.

mod attempts;
mod callers;
mod hs256;
mod password;
mod policy;
mod roles;
pub(crate) mod secret;
mod signing;
mod token;
mod uses;

use std::net::IpAddr;

use async_trait::async_trait;
use secrecy::SecretString;

pub use password::{Passwords, Whose};
pub use roles::RoleAuthz;
pub use secret::SecretDigest;
pub(crate) use token::Refresh;
pub use token::{AccessToken, Lifetimes, RefreshToken, TokenKey, TokenKeyError, Tokens};

use crate::{
    Batch, Error, Job, ProjectName, Result, Role, SignInId, TokenId, UserId,
    project::Memberships,
    user::{Scope, Scopes},
};

/// What a caller proves who they are with.
#[derive(Clone, Debug)]
pub enum Credential {
    /// An access token given out before, or the secret of a personal one.
    Bearer(SecretString),
    /// The token of a session in a browser, which nothing else is taken for.
    Session(SecretString),
    /// A refresh token given out before, which has not been used yet. It is used by this, and a
    /// second use ends the sign-in: one of the two was a thief's.
    Refresh(SecretString),
    /// The name and password of an account.
    Password {
        /// The address, in any case.
        email: String,
        /// The password.
        password: SecretString,
        /// Where it comes from; `None` is this process.
        from: Option<IpAddr>,
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
    /// What it may do in which projects.
    pub projects: Memberships,
    /// The one project that it may do anything with, if what it was proved by is good for that
    /// alone.
    pub within: Option<ProjectName>,
    /// What it was proved by.
    pub by: Proof,
}

/// What a caller has proved with who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A password, now or before. Tokens that are given out for this caller belong to this sign-in,
    /// and end with it.
    SignIn(SignInId),
    /// A personal access token, which is good for this and no more.
    Token(TokenId, Scopes),
}

impl Principal {
    /// Which sign-in this goes back to.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden) when it is a personal access token.
    pub fn sign_in(&self) -> Result<SignInId> {
        match self.by {
            Proof::SignIn(sign_in) => Ok(sign_in),
            Proof::Token(..) => Err(Error::Forbidden(
                "this needs a sign-in; a personal access token is none".to_owned(),
            )),
        }
    }
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
    /// See to the members of a project, and to known issues.
    Manage,
    /// Create accounts and projects, change them, look at all of them.
    Administer,
    /// See to one's own password, sign-ins and tokens. No token may: whoever finds one gets nothing
    /// that outlives it.
    OwnAccount,
}

/// Whose something is that somebody wants to do something with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thing<'a> {
    /// Its owner; `None` for what belongs to a project alone.
    pub owner: Option<UserId>,
    /// Its project.
    pub project: Option<&'a ProjectName>,
}

impl<'a> From<&'a Job> for Thing<'a> {
    fn from(job: &'a Job) -> Self {
        Self { owner: Some(job.owner_id), project: job.spec.project.as_ref() }
    }
}

impl<'a> From<&'a Batch> for Thing<'a> {
    fn from(batch: &'a Batch) -> Self {
        Self { owner: Some(batch.owner_id), project: batch.project.as_ref() }
    }
}

/// Decides who a caller is and what they may do.
#[async_trait]
pub trait Authz: Send + Sync {
    /// Finds out who the caller is, as of a second ago at most: a disabled account is refused
    /// although its token has not expired.
    ///
    /// # Errors
    /// [`Unauthenticated`](crate::Error::Unauthenticated), in the same time and with the same text
    /// whatever was wrong; [`TooMany`](crate::Error::TooMany) where too many passwords were wrong,
    /// or are being checked.
    async fn authenticate(&self, credential: &Credential) -> Result<Principal>;

    /// An account or one of its memberships was changed, or one of its sign-ins ended: what is
    /// remembered about it no longer holds. From when this returns, callers are found out as of
    /// now.
    fn changed(&self, user: UserId);

    /// Whether the caller may do something at all.
    ///
    /// # Errors
    /// [`Forbidden`](crate::Error::Forbidden).
    fn check(&self, principal: &Principal, action: Action) -> Result<()>;

    /// Whether the caller may do something with a thing, which was looked up within
    /// [`scope`](Self::scope): what is out of scope does not exist for the caller. What is to be
    /// submitted belongs to the caller.
    ///
    /// # Errors
    /// [`Forbidden`](crate::Error::Forbidden), also where [`check`](Self::check) says so.
    fn check_on(&self, principal: &Principal, action: Action, thing: Thing<'_>) -> Result<()>;

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
