use std::sync::Arc;

use async_trait::async_trait;
use secrecy::ExposeSecret;

use super::{
    Action, Authz, Credential, Passwords, Principal, Refresh, TokenKey, callers::Callers,
    token::Read,
};
use crate::{
    Error, Result, Role, SignInId, UserId,
    store::{Account, AccountStore},
    user::{Scope, parse_email},
};

/// Three roles: viewers read what is theirs, operators also submit and control it, admins do
/// everything. Accounts live in the store, tokens are signed by this service.
///
/// Whose a token is, is looked up once a second at most: what changes in another process acts
/// within a second here, what changes through the [`Service`](crate::Service) of this process at
/// once.
pub struct RoleAuthz {
    accounts: Arc<dyn AccountStore>,
    tokens: TokenKey,
    passwords: Passwords,
    callers: Callers,
}

impl RoleAuthz {
    /// Authorization over the accounts of a store.
    #[must_use]
    pub fn new(accounts: Arc<dyn AccountStore>, tokens: TokenKey, passwords: Passwords) -> Self {
        Self { accounts, tokens, passwords, callers: Callers::default() }
    }

    async fn by_token(&self, token: &str) -> Result<Principal> {
        const REFUSED: Error =
            Error::Unauthenticated("the access token is not valid or has expired; sign in again");
        let Read { user, version, sign_in } = self.tokens.read(token).ok_or(REFUSED)?;
        let known_by = (user, sign_in, version);
        if let Some(caller) = self.callers.get(known_by) {
            return Ok(caller);
        }
        let looking = self.callers.look();
        let account = self.accounts.signed_in_account(user, sign_in, version).await?;
        let account = account.filter(|account| account.user.is_active).ok_or(REFUSED)?;
        let caller = principal(account, sign_in);
        self.callers.remember(looking, known_by, &caller);
        Ok(caller)
    }

    async fn by_refresh_token(&self, token: &str) -> Result<Principal> {
        const REFUSED: Error = Error::Unauthenticated(
            "the refresh token is not valid, has expired or was used before; sign in again",
        );
        let Refresh { user, version, sign_in, uses, expires_at, .. } =
            self.tokens.read_refresh(token).ok_or(REFUSED)?;
        let account = self.accounts.signed_in_account(user, sign_in, version).await?;
        let account = account.filter(|account| account.user.is_active).ok_or(REFUSED)?;
        if !self.accounts.use_refresh_token(sign_in, uses, expires_at).await? {
            let ended = self.accounts.end_sign_in(sign_in, self.tokens.expiry()).await;
            self.callers.forget(user);
            ended?;
            tracing::warn!(user.id = %user, "a refresh token was used twice; its sign-in is ended");
            return Err(REFUSED);
        }
        Ok(principal(account, sign_in))
    }

    async fn by_password(&self, email: &str, password: &str) -> Result<Account> {
        let account = match parse_email(email) {
            Ok(email) => self.accounts.account_by_email(&email).await?,
            Err(_) => None,
        };
        // An unknown or disabled account costs as much time as a wrong password.
        let hash = account.as_ref().filter(|a| a.user.is_active).map(|a| a.password_hash.clone());
        let right = self.passwords.verify(password, hash).await?;
        account
            .filter(|_| right)
            .ok_or(Error::Unauthenticated("the email address or the password is wrong"))
    }
}

fn principal(account: Account, sign_in: SignInId) -> Principal {
    Principal {
        id: account.user.id,
        email: account.user.email,
        role: account.user.role,
        token_version: account.token_version,
        sign_in,
    }
}

#[async_trait]
impl Authz for RoleAuthz {
    async fn authenticate(&self, credential: &Credential) -> Result<Principal> {
        match credential {
            Credential::Bearer(token) => self.by_token(token.expose_secret()).await,
            Credential::Refresh(token) => self.by_refresh_token(token.expose_secret()).await,
            Credential::Password { email, password } => {
                let account = self.by_password(email, password.expose_secret()).await?;
                Ok(principal(account, SignInId::new()))
            }
        }
    }

    async fn may_go_on(&self, before: &Principal) -> Result<bool> {
        let Principal { id, sign_in, token_version, role, .. } = *before;
        let account = self.accounts.signed_in_account(id, sign_in, token_version).await?;
        Ok(account.is_some_and(|account| account.user.is_active && account.user.role == role))
    }

    fn changed(&self, user: UserId) {
        self.callers.forget(user);
    }

    fn check(&self, principal: &Principal, action: Action) -> Result<()> {
        let allowed = match (principal.role, action) {
            (Role::Admin, _)
            | (
                Role::Operator,
                Action::Read | Action::Submit | Action::Control | Action::SeeWorkers,
            )
            | (Role::Viewer, Action::Read) => true,
            (Role::Operator, Action::Administer)
            | (
                Role::Viewer,
                Action::Submit | Action::Control | Action::SeeWorkers | Action::Administer,
            ) => false,
        };
        if allowed {
            return Ok(());
        }
        let needed = if action == Action::Administer { "admin" } else { "operator" };
        Err(Error::Forbidden(format!("this needs the role {needed}; yours is {}", principal.role)))
    }

    fn scope(&self, principal: &Principal) -> Scope {
        match principal.role {
            Role::Admin => Scope::All,
            Role::Operator | Role::Viewer => Scope::Owner(principal.id),
        }
    }
}
