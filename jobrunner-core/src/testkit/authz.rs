//! What every authorization must do: whoever it lets in, and whatever they may do by its rules.

/// Who is let in, and until when.
pub mod callers;
/// What a role in a project is worth, for an authorization that has no rules of its own.
pub mod projects;
/// What the three roles may do and a new password ends, for an authorization that has no rules of
/// its own.
pub mod roles;
/// What is found of others' things.
pub mod scopes;
/// Until when streams go on.
pub mod streams;

use std::{any::Any, sync::Arc, time::Duration};

use super::{Fixture, account};
use crate::{
    Authz, Principal, Result, Role, Service, SignInId, Store, UserId,
    authz::{Credential, Lifetimes, Passwords, Proof, TokenKey},
    job::Rules,
    project::Memberships,
    queue::LocalQueue,
    service::Parts,
    store::AccountUpdate,
};

/// An authorization over the accounts of a fresh store.
pub struct AuthzFixture {
    /// The store, whose accounts the authorization is asked about; empty.
    pub store: Arc<dyn Store>,
    /// The authorization under test.
    pub authz: Arc<dyn Authz>,
    credential: Box<dyn Fn(&Principal) -> Credential + Send + Sync>,
    _keep: Box<dyn Any + Send + Sync>,
}

impl AuthzFixture {
    /// An authorization, and what lets a caller in again and again: an access token, a key. `keep`
    /// is kept until the test ends.
    pub fn new(
        store: Arc<dyn Store>,
        authz: impl Authz + 'static,
        credential: impl Fn(&Principal) -> Credential + Send + Sync + 'static,
        keep: impl Any + Send + Sync,
    ) -> Self {
        let (authz, credential) = (Arc::new(authz), Box::new(credential));
        Self { store, authz, credential, _keep: Box::new(keep) }
    }

    /// A service that asks this authorization.
    #[must_use]
    pub fn service(&self) -> Service {
        service(Arc::clone(&self.store), Arc::clone(&self.authz))
    }

    /// The things of the store, to make some.
    fn things(&self) -> Fixture {
        Fixture::new(Arc::clone(&self.store), ())
    }

    /// Makes an account and a credential of it.
    async fn account(&self, role: Role) -> Known {
        let id = UserId::new();
        let mut account = account(&format!("{id}@example.com"), role);
        account.user.id = id;
        account.password_hash = Passwords::NOBODYS.to_owned();
        let email = account.user.email.clone();
        self.store.create_account(account).await.expect("an account");
        let by = Proof::SignIn(SignInId::new());
        self.again(Principal {
            id,
            email,
            role,
            token_version: 0,
            projects: Memberships::default(),
            within: None,
            by,
        })
    }

    /// Another sign-in of an account.
    fn again(&self, before: Principal) -> Known {
        let expected = Principal { by: Proof::SignIn(SignInId::new()), ..before };
        Known { credential: (self.credential)(&expected), expected }
    }

    async fn authenticate(&self, known: &Known) -> Result<Principal> {
        self.authz.authenticate(&known.credential).await
    }

    /// Lets somebody in.
    async fn enter(&self, role: Role) -> Principal {
        let known = self.account(role).await;
        self.authenticate(&known).await.expect("let in")
    }

    /// Changes an account as another process would: nobody is told of it here.
    async fn update_elsewhere(&self, user: UserId, update: AccountUpdate) {
        self.store.update_account(user, update).await.expect("updated");
    }

    /// Changes an account as this process does.
    async fn update(&self, user: UserId, update: AccountUpdate) {
        self.update_elsewhere(user, update).await;
        self.authz.changed(user);
    }

    /// Ends a sign-in as this process does.
    async fn sign_out(&self, caller: &Principal) {
        let until = chrono::Utc::now() + Duration::from_secs(3600);
        let sign_in = caller.sign_in().expect("a sign-in");
        self.store.end_sign_in(sign_in, until).await.expect("ended");
        self.authz.changed(caller.id);
    }
}

/// Somebody with an account, and what lets them in.
struct Known {
    credential: Credential,
    expected: Principal,
}

/// What can become of an account that a caller has to be told from before.
fn changes() -> [AccountUpdate; 2] {
    [
        AccountUpdate { role: Some(Role::Viewer), ..AccountUpdate::default() },
        AccountUpdate { is_active: Some(false), ..AccountUpdate::default() },
    ]
}

/// A service over a store, for its callers alone: its queue is one of this process, and jobs may
/// ask for anything.
#[must_use]
pub fn service(store: Arc<dyn Store>, authz: Arc<dyn Authz>) -> Service {
    Service::new(Parts {
        store,
        queue: Arc::new(LocalQueue::new()),
        authz,
        tokens: token_key(),
        passwords: Passwords::new(),
        rules: Rules::default(),
    })
}

/// A key that signs the tokens of tests.
///
/// # Panics
/// Never.
#[must_use]
pub fn token_key() -> TokenKey {
    TokenKey::new([&b"0123456789abcdef0123456789abcdef"[..]], Lifetimes::default()).expect("a key")
}
