use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;

use super::{
    Action, Authz, Credential, Passwords, Principal, Proof, Refresh, SecretDigest, Thing, TokenKey,
    attempts::Attempts,
    callers::{Callers, Shown},
    password::Whose,
    policy, secret,
    token::Read,
    uses::Uses,
};
use crate::{
    Error, ProjectName, Result, Role, SignInId, TokenId, UserId,
    store::{Account, Store},
    user::{PersonalToken, Scope, parse_email},
};

const REFUSED: Error =
    Error::Unauthenticated("the access token is not valid or has expired; sign in again");

/// Three roles: viewers read what is theirs or their projects', operators also submit and control
/// it as far as their roles in those let them, admins do everything. Accounts live in the store,
/// tokens are signed by this service.
///
/// Whose a token is, is looked up once a second at most: what changes in another process acts
/// within a second here, what changes through the [`Service`](crate::Service) of this process at
/// once.
pub struct RoleAuthz {
    store: Arc<dyn Store>,
    tokens: TokenKey,
    passwords: Passwords,
    callers: Callers,
    uses: Uses,
    attempts: Attempts,
}

impl RoleAuthz {
    /// Authorization over the accounts and projects of a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, tokens: TokenKey, passwords: Passwords) -> Self {
        Self {
            store,
            tokens,
            passwords,
            callers: Callers::default(),
            uses: Uses::default(),
            attempts: Attempts::default(),
        }
    }

    async fn by_token(&self, read: Option<Read>) -> Result<Principal> {
        let Read { user, version, sign_in } = read.ok_or(REFUSED)?;
        let known_by = Shown::Signed(user, sign_in, version);
        if let Some(caller) = self.callers.get(known_by) {
            return Ok(caller);
        }
        let looking = self.callers.look();
        let account = self.store.signed_in_account(user, sign_in, version).await?;
        let account = account.filter(|account| account.user.is_active).ok_or(REFUSED)?;
        let caller = self.principal(account, Proof::SignIn(sign_in)).await?;
        self.callers.remember(looking, known_by, &caller);
        Ok(caller)
    }

    async fn by_secret(&self, digest: SecretDigest) -> Result<Principal> {
        let known_by = Shown::Secret(digest);
        if let Some(caller) = self.callers.get(known_by) {
            return Ok(caller);
        }
        let looking = self.callers.look();
        let now = Utc::now();
        let token = self.store.token_by_secret(digest).await?.ok_or(REFUSED)?;
        let account = self.owner_of(&token, now).await?.ok_or(REFUSED)?;
        self.uses.note(&self.store, &token, now);
        let by = Proof::Token(token.id, token.scopes);
        let caller = Principal { within: token.project, ..self.principal(account, by).await? };
        self.callers.remember(looking, known_by, &caller);
        Ok(caller)
    }

    /// Whose account a token is good for.
    async fn owner_of(&self, token: &PersonalToken, now: DateTime<Utc>) -> Result<Option<Account>> {
        if !token.is_good(now) {
            return Ok(None);
        }
        let account = self.store.account(token.owner_id).await?;
        Ok(account.filter(|account| account.user.is_active))
    }

    async fn account_by_token(&self, id: TokenId) -> Result<Option<Account>> {
        match self.store.token(id).await? {
            Some(token) => self.owner_of(&token, Utc::now()).await,
            None => Ok(None),
        }
    }

    async fn by_refresh_token(&self, token: &str) -> Result<Principal> {
        const REFUSED: Error = Error::Unauthenticated(
            "the refresh token is not valid, has expired or was used before; sign in again",
        );
        let Refresh { user, version, sign_in, uses, expires_at, .. } =
            self.tokens.read_refresh(token).ok_or(REFUSED)?;
        let account = self.store.signed_in_account(user, sign_in, version).await?;
        let account = account.filter(|account| account.user.is_active).ok_or(REFUSED)?;
        if !self.store.use_refresh_token(sign_in, uses, expires_at).await? {
            let ended = self.store.end_sign_in(sign_in, self.tokens.expiry()).await;
            self.callers.forget(user);
            ended?;
            tracing::warn!(user.id = %user, "a refresh token was used twice; its sign-in is ended");
            return Err(REFUSED);
        }
        self.principal(account, Proof::SignIn(sign_in)).await
    }

    async fn principal(&self, account: Account, by: Proof) -> Result<Principal> {
        Ok(Principal {
            projects: self.store.memberships(account.user.id).await?,
            id: account.user.id,
            email: account.user.email,
            role: account.user.role,
            token_version: account.token_version,
            within: None,
            by,
        })
    }

    async fn by_password(
        &self,
        email: &str,
        password: &str,
        from: Option<IpAddr>,
    ) -> Result<Account> {
        let email = parse_email(email).ok();
        let attempt = self.attempts.begin(from, email.as_deref().unwrap_or_default());
        let attempt = attempt.map_err(|after| Error::TooMany {
            what: "there were too many attempts to sign in",
            after,
        })?;
        let whose = if attempt.is_known { Whose::Known } else { Whose::Stranger };
        let checked = self.check_password(whose, email.as_deref(), password).await;
        match &checked {
            Ok(_) => self.attempts.undo(attempt, true),
            Err(Error::Unauthenticated(_)) => {}
            Err(_) => self.attempts.undo(attempt, false),
        }
        checked
    }

    async fn check_password(
        &self,
        whose: Whose,
        email: Option<&str>,
        password: &str,
    ) -> Result<Account> {
        let account = match email {
            Some(email) => self.store.account_by_email(email).await?,
            None => None,
        };
        // An unknown or disabled account costs as much time as a wrong password.
        let hash = account.as_ref().filter(|a| a.user.is_active).map(|a| a.password_hash.clone());
        let right = self.passwords.verify(whose, password, hash).await?;
        account
            .filter(|_| right)
            .ok_or(Error::Unauthenticated("the email address or the password is wrong"))
    }
}

#[async_trait]
impl Authz for RoleAuthz {
    async fn authenticate(&self, credential: &Credential) -> Result<Principal> {
        match credential {
            Credential::Bearer(token) => match secret::digest(token) {
                Some(digest) => self.by_secret(digest).await,
                None => self.by_token(self.tokens.read(token.expose_secret())).await,
            },
            Credential::Session(token) => {
                let read = self.tokens.read_session(token.expose_secret());
                self.by_token(read.map(|(read, _)| read)).await
            }
            Credential::Refresh(token) => self.by_refresh_token(token.expose_secret()).await,
            Credential::Password { email, password, from } => {
                let account = self.by_password(email, password.expose_secret(), *from).await?;
                self.principal(account, Proof::SignIn(SignInId::new())).await
            }
        }
    }

    async fn may_go_on(&self, principal: &Principal) -> Result<bool> {
        let account = match principal.by {
            Proof::SignIn(sign_in) => {
                let version = principal.token_version;
                self.store.signed_in_account(principal.id, sign_in, version).await?
            }
            Proof::Token(id, _) => self.account_by_token(id).await?,
        };
        let is_as_before =
            |account: Account| account.user.is_active && account.user.role == principal.role;
        Ok(account.is_some_and(is_as_before)
            && self.store.memberships(principal.id).await? == principal.projects)
    }

    fn changed(&self, user: UserId) {
        self.callers.forget(user);
    }

    fn check(&self, principal: &Principal, action: Action) -> Result<()> {
        if let Proof::Token(_, scopes) = &principal.by
            && !scopes.as_slice().iter().any(|scope| policy::scope_allows(*scope, action))
        {
            return Err(Error::Forbidden(match policy::scope_for(action) {
                Some(scope) => format!("this needs a token with the scope {scope}"),
                None => "this needs a sign-in; a personal access token is none".to_owned(),
            }));
        }
        if let Some(only) = &principal.within
            && !policy::one_project_allows(action)
        {
            return Err(beyond(only));
        }
        if policy::role_allows(principal.role, action) {
            return Ok(());
        }
        let needed = policy::least_role(action);
        Err(Error::Forbidden(format!("this needs the role {needed}; yours is {}", principal.role)))
    }

    fn check_on(&self, principal: &Principal, action: Action, thing: Thing<'_>) -> Result<()> {
        self.check(principal, action)?;
        if let Some(only) = principal.within.as_ref().filter(|only| thing.project != Some(only)) {
            return Err(beyond(only));
        }
        let is_own = thing.owner == Some(principal.id);
        let allows = match (action, thing.project) {
            (Action::Submit, None) => is_own,
            _ => is_own && policy::owner_may(action),
        };
        if allows || principal.role == Role::Admin {
            return Ok(());
        }
        let needed = policy::least_project_role(action);
        let role = thing.project.map(|project| (project, principal.projects.role_in(project)));
        Err(Error::Forbidden(match role {
            Some((_, Some(role))) if policy::member_may(role, action) => return Ok(()),
            Some((project, Some(role))) => {
                format!("this needs the role {needed} in the project {project}; yours is {role}")
            }
            Some((project, None)) => {
                format!("this needs the role {needed} in the project {project}; you have none")
            }
            None => "this needs to be yours, or the role admin".to_owned(),
        }))
    }

    fn scope(&self, principal: &Principal) -> Scope {
        let all = match principal.role {
            Role::Admin => Scope::All,
            Role::Operator | Role::Viewer => {
                let projects = principal.projects.iter().map(|known| known.project.clone());
                Scope::of(principal.id, projects)
            }
        };
        all.within(None, principal.within.as_ref())
    }
}

/// What something that is good for one project alone is told everywhere else.
fn beyond(only: &ProjectName) -> Error {
    Error::Forbidden(format!("this token is good for the project {only} alone"))
}
