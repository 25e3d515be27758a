use chrono::{SubsecRound, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::{Service, audit::Deed};
use crate::{
    Error, Result, Role, SignInId, UserId, Violation,
    audit::AuditAction,
    authz::{Action, Passwords, Principal, Proof},
    page::{Page, PageRequest},
    project::Memberships,
    store::{Account, AccountUpdate},
    user::{NewPassword, NewUser, User, UserUpdate, check_max_running_jobs, parse_email},
};

impl Service {
    pub(super) async fn existing(&self, id: UserId) -> Result<User> {
        let account = self.parts.store.account(id).await?;
        account.map(|account| account.user).ok_or(Error::NotFound("user"))
    }

    /// Makes an account.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden), [`Invalid`](Error::Invalid), [`Conflict`](Error::Conflict)
    /// when the address is taken.
    pub async fn create_user(&self, caller: &Principal, new: NewUser) -> Result<User> {
        self.parts.authz.check(caller, Action::Administer)?;
        let account = self.new_account(new).await?;
        let user = account.user.clone();
        let taken = self.parts.store.account_by_email(&user.email).await?;
        if taken.is_none() {
            let deed = Deed::on_user(AuditAction::CreateUser, &user);
            let deed = deed.with("role", user.role.as_str());
            let deed = if user.is_service { deed.with("is_service", true) } else { deed };
            self.record(caller, deed.with("max_running_jobs", user.max_running_jobs)).await?;
        }
        self.parts.store.create_account(account).await?;
        Ok(user)
    }

    /// Makes the first account, an admin, unless there is an account already; then `None`. Needs no
    /// caller: only whoever starts the service can ask for it.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid).
    pub async fn create_first_admin(
        &self,
        email: &str,
        password: SecretString,
    ) -> Result<Option<User>> {
        if !self.parts.store.users(PageRequest::first(1)).await?.items.is_empty() {
            return Ok(None);
        }
        let new = NewUser {
            email: email.to_owned(),
            password: Some(password),
            role: Role::Admin,
            is_service: false,
            max_running_jobs: None,
        };
        let account = self.new_account(new).await?;
        self.store_first(account).await
    }

    /// Makes the first account, an admin that no password belongs to, unless there is an account
    /// already: for a store that nobody but this process will use. Saves the time that a hash
    /// takes.
    ///
    /// # Errors
    /// As [`create_first_admin`](Self::create_first_admin).
    pub async fn create_local_admin(&self, email: &str) -> Result<Option<User>> {
        let user = User {
            id: UserId::new(),
            email: parse_email(email).map_err(|violation| Error::Invalid(vec![violation]))?,
            role: Role::Admin,
            is_active: true,
            is_service: false,
            max_running_jobs: None,
            created_at: Utc::now().trunc_subsecs(3),
        };
        let password_hash = Passwords::NOBODYS.to_owned();
        self.store_first(Account { user, password_hash, token_version: 0 }).await
    }

    async fn store_first(&self, account: Account) -> Result<Option<User>> {
        let user = account.user.clone();
        if !self.parts.store.create_first_account(account).await? {
            return Ok(None);
        }
        self.record_own(Deed::on_user(AuditAction::CreateUser, &user)).await?;
        Ok(Some(user))
    }

    /// The oldest active admin, whom the process that owns an embedded store acts for when it does
    /// something of its own accord. Never for a caller from outside.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn local_admin(&self) -> Result<Option<Principal>> {
        let mut oldest = None;
        let mut page = PageRequest::first(1000);
        loop {
            let part = self.parts.store.users(page).await?;
            let is_admin =
                |user: &User| user.is_active && user.role == Role::Admin && !user.is_service;
            oldest = part.items.into_iter().rfind(is_admin).or(oldest);
            let Some(cursor) = part.next_cursor else { break };
            page = PageRequest::parse(Some(page.limit), Some(&cursor))?;
        }
        let Some(user) = oldest else { return Ok(None) };
        let account = self.parts.store.account(user.id).await?;
        Ok(account.map(|account| Principal {
            id: account.user.id,
            email: account.user.email,
            role: account.user.role,
            token_version: account.token_version,
            projects: Memberships::default(),
            within: None,
            by: Proof::SignIn(SignInId::new()),
        }))
    }

    /// All accounts, newest first.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden).
    pub async fn users(&self, caller: &Principal, page: PageRequest) -> Result<Page<User>> {
        self.parts.authz.check(caller, Action::Administer)?;
        self.parts.store.users(page).await
    }

    /// One account.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden), [`NotFound`](Error::NotFound).
    pub async fn user(&self, caller: &Principal, id: UserId) -> Result<User> {
        self.parts.authz.check(caller, Action::Administer)?;
        self.existing(id).await
    }

    /// Changes an account. While it is disabled, none of its jobs that wait is started; what runs
    /// goes on.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden), [`NotFound`](Error::NotFound), [`Invalid`](Error::Invalid),
    /// [`Conflict`](Error::Conflict) when no active admin would be left.
    pub async fn update_user(
        &self,
        caller: &Principal,
        id: UserId,
        update: UserUpdate,
    ) -> Result<User> {
        self.parts.authz.check(caller, Action::Administer)?;
        let user = self.existing(id).await?;
        let password = update.password.as_ref();
        let password = password.map(|text| match user.is_service {
            true => Err(Violation::new("password", "must be left out: a service account has none")),
            false => NewPassword::choose(text.expose_secret(), &user.email),
        });
        let limit = update.max_running_jobs.flatten();
        refuse([
            password.as_ref().and_then(|chosen| chosen.as_ref().err().cloned()),
            check_max_running_jobs(limit).err(),
        ])?;
        let password_hash = match password.transpose()? {
            Some(password) => Some(self.parts.passwords.hash(&password).await?),
            None => None,
        };
        let deed = Deed::on_user(AuditAction::UpdateUser, &user).updating(&update);
        self.record(caller, deed).await?;
        let update = AccountUpdate {
            password_hash,
            role: update.role,
            is_active: update.is_active,
            max_running_jobs: update.max_running_jobs,
            keep: None,
        };
        let is_enabled = update.is_active == Some(true) && !user.is_active;
        let updated = self.parts.store.update_account(id, update).await;
        self.parts.authz.changed(id);
        if is_enabled && updated.is_ok() {
            // The account's jobs may be claimed again, and nobody knows which they are.
            self.parts.queue.offer(&[]).await;
        }
        updated
    }

    async fn new_account(&self, new: NewUser) -> Result<Account> {
        let email = parse_email(&new.email);
        let password = match (&new.password, new.is_service) {
            (Some(text), false) => NewPassword::choose(text.expose_secret(), &new.email).map(Some),
            (None, true) => Ok(None),
            (None, false) => Err(Violation::new("password", "is missing")),
            (Some(_), true) => {
                Err(Violation::new("password", "must be left out: a service account has none"))
            }
        };
        refuse([
            email.as_ref().err().cloned(),
            password.as_ref().err().cloned(),
            check_max_running_jobs(new.max_running_jobs).err(),
        ])?;
        Ok(Account {
            user: User {
                id: UserId::new(),
                email: email?,
                role: new.role,
                is_active: true,
                is_service: new.is_service,
                max_running_jobs: new.max_running_jobs,
                // What is shown now is what will be read back.
                created_at: Utc::now().trunc_subsecs(3),
            },
            password_hash: match password? {
                Some(password) => self.parts.passwords.hash(&password).await?,
                None => Passwords::NOBODYS.to_owned(),
            },
            token_version: 0,
        })
    }
}

fn refuse<const N: usize>(violations: [Option<Violation>; N]) -> Result<()> {
    let wrong: Vec<_> = violations.into_iter().flatten().collect();
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}
