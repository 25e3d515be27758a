//! An authorization of your own: programs come with keys, and viewers see what everybody does.
//!
//! `cargo run -p jobrunner-examples --example authz`

#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use jobrunner_core::{
    Authz, Error, NewJob, Principal, Result, Role, Service, SignInId, Store, UserId,
    authz::{Action, Credential, Passwords, Proof, Thing, TokenKey},
    job::{JobFilter, Rules},
    page::PageRequest,
    project::Memberships,
    queue::LocalQueue,
    service::Parts,
    store::{Account, AccountStore, sqlite::SqliteStore},
    user::{NewUser, Scope},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::RwLock;

/// Keys, each of an account of the store.
#[derive(Clone)]
struct Keys {
    accounts: Arc<dyn AccountStore>,
    known: Arc<RwLock<HashMap<String, SignIn>>>,
}

/// What a key stands for, until the account's token version goes up.
#[derive(Clone, Copy)]
struct SignIn {
    user: UserId,
    id: SignInId,
    version: i64,
}

impl From<&Principal> for SignIn {
    fn from(caller: &Principal) -> Self {
        let id = caller.sign_in().expect("keys are the only proof here");
        Self { user: caller.id, id, version: caller.token_version }
    }
}

impl Keys {
    fn new(accounts: Arc<dyn AccountStore>) -> Self {
        Self { accounts, known: Arc::default() }
    }

    /// Takes this key for that account from now on.
    async fn add(&self, key: &str, user: UserId) -> Result<()> {
        let account = self.accounts.account(user).await?.ok_or(Error::NotFound("user"))?;
        let sign_in = SignIn { user, id: SignInId::new(), version: account.token_version };
        self.known.write().await.insert(key.to_owned(), sign_in);
        Ok(())
    }

    /// The account that a key stands for now: unless it is disabled or has a new password, or the
    /// key was signed out.
    async fn account(&self, SignIn { user, id, version }: SignIn) -> Result<Option<Account>> {
        let account = self.accounts.signed_in_account(user, id, version).await?;
        Ok(account.filter(|account| account.user.is_active))
    }
}

#[async_trait]
impl Authz for Keys {
    async fn authenticate(&self, credential: &Credential) -> Result<Principal> {
        const REFUSED: Error = Error::Unauthenticated("send a key that is known here");
        let Credential::Bearer(key) = credential else { return Err(REFUSED) };
        let known = self.known.read().await.get(key.expose_secret()).copied();
        let sign_in = known.ok_or(REFUSED)?;
        let Account { user, token_version, .. } = self.account(sign_in).await?.ok_or(REFUSED)?;
        let (id, email, role) = (user.id, user.email, user.role);
        let (projects, within) = (Memberships::default(), None);
        let by = Proof::SignIn(sign_in.id);
        Ok(Principal { id, email, role, token_version, projects, within, by })
    }

    async fn may_go_on(&self, before: &Principal) -> Result<bool> {
        let now = self.account(before.into()).await?;
        Ok(now.is_some_and(|account| account.user.role == before.role))
    }

    fn changed(&self, _user: UserId) {
        // Nothing is remembered: every request looks the account up.
    }

    fn check(&self, caller: &Principal, action: Action) -> Result<()> {
        match (caller.role, action) {
            (Role::Admin, _) | (Role::Viewer, Action::Read | Action::SeeWorkers) => Ok(()),
            (Role::Operator, Action::Read | Action::Submit | Action::Control) => Ok(()),
            (role, _) => Err(Error::Forbidden(format!("your key is one of a {role}"))),
        }
    }

    fn check_on(&self, caller: &Principal, action: Action, _thing: Thing<'_>) -> Result<()> {
        // There are no projects here: whoever sees a job may do to it whatever their role allows.
        self.check(caller, action)
    }

    fn scope(&self, caller: &Principal) -> Scope {
        match caller.role {
            Role::Admin | Role::Viewer => Scope::All,
            Role::Operator => Scope::Owner(caller.id),
        }
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let store = SqliteStore::open(&directory.path().join("store.sqlite3")).await?;
    let (submitted, seen) = submit_and_look(Arc::new(store)).await?;
    println!("the operator submitted {submitted}, the viewer sees {seen}");
    Ok(())
}

/// Submits a job with one key and reads it with another. Returns the job's name as the submission
/// and as the second key's reading gave it.
async fn submit_and_look(store: Arc<dyn Store>) -> Result<(String, String)> {
    let keys = Keys::new(Arc::clone(&store) as _);
    let secret = b"only needed where passwords are exchanged for tokens, too";
    let tokens = TokenKey::new([&secret[..]], Default::default());
    let service = Service::new(Parts {
        store,
        queue: Arc::new(LocalQueue::new()),
        authz: Arc::new(keys.clone()),
        tokens: tokens.map_err(|error| Error::internal("making a key", error))?,
        passwords: Passwords::new(),
        rules: Rules::default(),
    });
    let first = service.create_local_admin("admin@example.com").await?;
    let admin = first.ok_or(Error::NotFound("admin"))?;
    keys.add("admin's key", admin.id).await?;
    let admin = service.authenticate(&key("admin's key")).await?;
    for role in [Role::Operator, Role::Viewer] {
        // A program's account: it has no password.
        let (email, password) = (format!("{role}@example.com"), None);
        let new = NewUser { email, password, role, max_running_jobs: None, is_service: true };
        let user = service.create_user(&admin, new).await?;
        keys.add(&format!("{role}'s key"), user.id).await?;
    }

    let operator = service.authenticate(&key("operator's key")).await?;
    let command = vec!["true".to_owned()];
    let job = NewJob { name: "a test".to_owned(), command, ..NewJob::default() };
    let submitted = service.submit_job(&operator, job, None).await?;
    let viewer = service.authenticate(&key("viewer's key")).await?;
    let seen = service.jobs(&viewer, JobFilter::default(), PageRequest::first(1)).await?;
    let seen = seen.items.into_iter().next().ok_or(Error::NotFound("job"))?;
    Ok((submitted.spec.name, seen.spec.name))
}

fn key(text: &str) -> Credential {
    Credential::Bearer(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use jobrunner_core::{authz_conformance, testkit::authz::AuthzFixture};
    use tempfile::TempDir;

    use super::*;

    async fn open() -> (Arc<dyn Store>, TempDir) {
        let directory = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(&directory.path().join("store.sqlite3")).await;
        (Arc::new(store.expect("a store")), directory)
    }

    async fn fixture() -> AuthzFixture {
        let (store, directory) = open().await;
        let keys = Keys::new(Arc::clone(&store) as _);
        let known = Arc::clone(&keys.known);
        let credential = move |caller: &Principal| {
            let text = format!("key {}", caller.sign_in().expect("keys are the only proof here"));
            let mut known = known.try_write().expect("nobody else has it");
            known.insert(text.clone(), caller.into());
            key(&text)
        };
        AuthzFixture::new(store, keys, credential, directory)
    }

    authz_conformance!(fixture, own rules);

    #[tokio::test]
    async fn a_viewer_sees_what_an_operator_has_submitted() {
        let (store, _directory) = open().await;
        let (submitted, seen) = submit_and_look(store).await.expect("done");
        assert_eq!((submitted.as_str(), seen.as_str()), ("a test", "a test"));
    }
}
