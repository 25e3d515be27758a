//! Callers are found out as of a second ago at most, and what changes in a process acts there at
//! once.

use std::{sync::Arc, time::Duration};

use jobrunner_core::{
    Error, Principal, Role, Service, Store, UserId,
    authz::{Credential, Passwords, RoleAuthz, Tokens},
    testkit::{
        Fixture,
        authz::{service, token_key},
        wait_until,
    },
    user::{NewToken, NewUser, TokenScope, UserUpdate},
};
use secrecy::SecretString;
use tokio::time::Instant;

use crate::{postgres::postgres, sqlite::sqlite};

const PASSWORD: &str = "correct horse battery";

/// How old what is known about a caller may be.
const LASTS: Duration = Duration::from_secs(1);

/// What a process is made of. Two of one store share nothing else.
async fn process(store: &Arc<dyn Store>) -> Service {
    let authz = RoleAuthz::new(Arc::clone(store), token_key(), Passwords::new());
    service(Arc::clone(store), Arc::new(authz))
}

async fn sign_in(service: &Service, email: &str) -> Credential {
    bearer(&tokens(service, email).await)
}

async fn tokens(service: &Service, email: &str) -> Tokens {
    service.sign_in(email, PASSWORD.into(), None).await.expect("signed in")
}

fn bearer(tokens: &Tokens) -> Credential {
    Credential::Bearer(SecretString::from(tokens.access.token.clone()))
}

/// An operator's account, and an admin's token.
async fn accounts(service: &Service) -> (UserId, Principal) {
    let admin = "admin@example.com";
    service.create_first_admin(admin, PASSWORD.into()).await.expect("made");
    let admin = service.authenticate(&sign_in(service, admin).await).await.expect("let in");
    let new = NewUser {
        email: "a@example.com".to_owned(),
        password: Some(PASSWORD.into()),
        role: Role::Operator,
        is_service: false,
        max_running_jobs: None,
    };
    (service.create_user(&admin, new).await.expect("made").id, admin)
}

/// Waits until a caller is no longer found to be what they were. They are that for a second after
/// `changed` at most.
async fn until_otherwise(
    service: &Service,
    credential: &Credential,
    before: &Principal,
    changed: Instant,
) {
    let asking = || async {
        let asked = Instant::now();
        let found = service.authenticate(credential).await;
        if found.as_ref().is_ok_and(|found| found == before) {
            assert!(asked.duration_since(changed) < LASTS, "a caller is known for too long");
            return None;
        }
        Some(())
    };
    wait_until("a change of an account to be heard of", asking).await;
}

async fn what_changes_acts_here_at_once_and_elsewhere_within_a_second(fixture: Fixture) {
    let (here, there) = (process(&fixture.store).await, process(&fixture.store).await);
    let (id, admin) = accounts(&here).await;
    let disabling = UserUpdate { is_active: Some(false), ..UserUpdate::default() };
    let demoting = UserUpdate { role: Some(Role::Viewer), ..UserUpdate::default() };
    let enabling = UserUpdate { is_active: Some(true), ..UserUpdate::default() };
    for update in [demoting, disabling] {
        let credential = sign_in(&here, "a@example.com").await;
        let before = here.authenticate(&credential).await.expect("let in");
        assert_eq!(there.authenticate(&credential).await.as_ref().ok(), Some(&before));

        here.update_user(&admin, id, update.clone()).await.expect("updated");

        let changed = Instant::now();
        let after = here.authenticate(&credential).await;
        match update.role {
            Some(role) => assert_eq!(after.expect("let in").role, role),
            None => assert!(matches!(after, Err(Error::Unauthenticated(_))), "{after:?}"),
        }
        until_otherwise(&there, &credential, &before, changed).await;
    }
    here.update_user(&admin, id, enabling).await.expect("updated");

    let (one, other) =
        (sign_in(&here, "a@example.com").await, sign_in(&here, "a@example.com").await);
    let caller = there.authenticate(&one).await.expect("let in");
    assert!(here.authenticate(&one).await.is_ok() && here.authenticate(&other).await.is_ok());
    here.sign_out(&caller).await.expect("signed out");
    let changed = Instant::now();
    let refused = here.authenticate(&one).await;
    assert!(matches!(refused, Err(Error::Unauthenticated(_))), "{refused:?}");
    assert!(here.authenticate(&other).await.is_ok(), "the other sign-in goes on");
    until_otherwise(&there, &one, &caller, changed).await;

    let tokens = tokens(&here, "a@example.com").await;
    let refresh = || SecretString::from(tokens.refresh.token.clone());
    let caller = there.authenticate(&bearer(&tokens)).await.expect("let in");
    here.refresh(refresh()).await.expect("exchanged");
    assert!(here.authenticate(&bearer(&tokens)).await.is_ok());
    let thief = here.refresh(refresh()).await;
    let changed = Instant::now();
    assert!(matches!(thief, Err(Error::Unauthenticated(_))), "{:?}", thief.err());
    let refused = here.authenticate(&bearer(&tokens)).await;
    assert!(matches!(refused, Err(Error::Unauthenticated(_))), "{refused:?}");
    until_otherwise(&there, &bearer(&tokens), &caller, changed).await;

    let owner = here.authenticate(&other).await.expect("let in");
    let scopes = vec![TokenScope::Read].try_into().expect("scopes");
    let new = NewToken { name: "ci".to_owned(), scopes, project: None, expires_at: None };
    let made = here.create_token(&owner, None, new).await.expect("made");
    let credential = Credential::Bearer(made.secret);
    let caller = there.authenticate(&credential).await.expect("let in");
    assert!(here.authenticate(&credential).await.is_ok());
    here.delete_token(&owner, made.token.id).await.expect("deleted");
    let changed = Instant::now();
    let refused = here.authenticate(&credential).await;
    assert!(matches!(refused, Err(Error::Unauthenticated(_))), "{refused:?}");
    until_otherwise(&there, &credential, &caller, changed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p12_what_changes_acts_here_at_once_and_elsewhere_within_a_second_on_sqlite() {
    what_changes_acts_here_at_once_and_elsewhere_within_a_second(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p12_what_changes_acts_here_at_once_and_elsewhere_within_a_second_on_postgres() {
    what_changes_acts_here_at_once_and_elsewhere_within_a_second(postgres().await).await;
}
