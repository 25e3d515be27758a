use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Result, SignInId, TokenId, User, UserId,
    authz::SecretDigest,
    page::{Page, PageRequest},
    user::PersonalToken,
};

/// How many personal access tokens an account may have.
pub const MOST_TOKENS: i64 = 100;

/// An account with what it is authenticated by.
#[derive(Clone, Debug)]
pub struct Account {
    /// The account.
    pub user: User,
    /// The password's hash in PHC string form.
    pub password_hash: String,
    /// Goes up when tokens given out before must stop working.
    pub token_version: i64,
}

/// What is to change in a stored account; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct AccountUpdate {
    /// A new password's hash; raises the token version.
    pub password_hash: Option<String>,
    /// A new role.
    pub role: Option<crate::Role>,
    /// Enable or disable.
    pub is_active: Option<bool>,
    /// A new limit of running jobs; `Some(None)` removes it.
    pub max_running_jobs: Option<Option<u32>>,
    /// The one sign-in whose tokens go on working when the token version goes up.
    pub keep: Option<KeptSignIn>,
}

/// A sign-in that outlives a new password, since it is the one that has set it.
#[derive(Clone, Copy, Debug)]
pub struct KeptSignIn {
    /// Which one.
    pub id: SignInId,
    /// The account's token version when the old password was found to be right. If it is another
    /// one now, nothing is changed.
    pub version: i64,
    /// When the tokens of the sign-in have expired, and it may be forgotten.
    pub until: DateTime<Utc>,
}

impl Account {
    /// The account after an update. A new password ends the tokens that were given out before, and
    /// so does disabling the account: they do not come back with it.
    #[must_use]
    pub fn updated(mut self, update: AccountUpdate) -> Self {
        let is_disabled = self.user.is_active && update.is_active == Some(false);
        self.token_version += i64::from(update.password_hash.is_some()) + i64::from(is_disabled);
        self.password_hash = update.password_hash.unwrap_or(self.password_hash);
        self.user.role = update.role.unwrap_or(self.user.role);
        self.user.is_active = update.is_active.unwrap_or(self.user.is_active);
        self.user.max_running_jobs = update.max_running_jobs.unwrap_or(self.user.max_running_jobs);
        self
    }

    /// Whether somebody administers with it: there is always one such account.
    #[must_use]
    pub fn is_active_admin(&self) -> bool {
        self.user.role == crate::Role::Admin && self.user.is_active && !self.user.is_service
    }
}

/// Accounts.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Stores an account.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when the address is taken.
    async fn create_account(&self, account: Account) -> Result<()>;

    /// Stores an account if there is none at all; answers whether it did. Of many at once, one
    /// wins.
    async fn create_first_account(&self, account: Account) -> Result<bool>;

    /// An account by its id.
    async fn account(&self, id: UserId) -> Result<Option<Account>>;

    /// An account by its id, if a token still works that was given out to this sign-in of its when
    /// the token version was this one: the sign-in has not been ended, and is not older than the
    /// account's token version or was [kept](AccountUpdate::keep) when it went up.
    async fn signed_in_account(
        &self,
        id: UserId,
        sign_in: SignInId,
        version: i64,
    ) -> Result<Option<Account>>;

    /// Ends a sign-in for good. Its tokens have expired `until` then, and it may be forgotten.
    async fn end_sign_in(&self, sign_in: SignInId, until: DateTime<Utc>) -> Result<()>;

    /// Counts that a refresh token of a sign-in is used, the one that `uses` others were used
    /// before. False, and nothing is counted, if it was used already; of many uses at once, one
    /// counts. All tokens of the sign-in have expired `until` then, and it may be forgotten.
    async fn use_refresh_token(
        &self,
        sign_in: SignInId,
        uses: u32,
        until: DateTime<Utc>,
    ) -> Result<bool>;

    /// An account by its address in the form of [`parse_email`](crate::user::parse_email).
    async fn account_by_email(&self, email: &str) -> Result<Option<Account>>;

    /// Accounts, newest first.
    async fn users(&self, page: PageRequest) -> Result<Page<User>>;

    /// Changes an account.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound), or [`Conflict`](crate::Error::Conflict) when no active
    /// admin would be left, or when a sign-in is to be kept whose password is not the account's any
    /// more.
    async fn update_account(&self, id: UserId, update: AccountUpdate) -> Result<User>;

    /// Stores a personal access token, with what [its secret](crate::authz::SecretDigest) is found
    /// by.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when its owner has as many as an account may.
    async fn create_token(&self, token: PersonalToken, digest: SecretDigest) -> Result<()>;

    /// The token with this secret, whatever has become of its owner.
    async fn token_by_secret(&self, digest: SecretDigest) -> Result<Option<PersonalToken>>;

    /// A token by its id.
    async fn token(&self, id: TokenId) -> Result<Option<PersonalToken>>;

    /// Tokens of an account, newest first.
    async fn tokens(&self, owner: UserId, page: PageRequest) -> Result<Page<PersonalToken>>;

    /// Forgets a token, which does not work any more then. One that is not there is not missed.
    async fn delete_token(&self, id: TokenId) -> Result<()>;

    /// Keeps when a token was last used, unless a use within the minute before is kept already.
    async fn token_used(&self, id: TokenId, at: DateTime<Utc>) -> Result<()>;
}
