use std::time::{Duration, Instant};

use secrecy::SecretString;

use super::{AuthzFixture, changes};
use crate::{Error, Role, authz::Credential, store::AccountUpdate, testkit::wait_until};

/// How old what is known about a caller may be.
const LASTS: Duration = Duration::from_secs(1);

/// Whoever it was made for, however often it is used.
pub async fn a_caller_is_whom_the_credential_belongs_to(fixture: &AuthzFixture) {
    for role in Role::ALL {
        let (one, other) = (fixture.account(role).await, fixture.account(role).await);
        for known in [&one, &other, &one] {
            let caller = fixture.authenticate(known).await.expect("let in");
            assert_eq!(caller, known.expected);
        }
    }
}

/// Whatever is wrong with it, the answer is the same as for any other of its kind.
pub async fn p12_what_was_made_up_lets_nobody_in(fixture: &AuthzFixture) {
    let known = fixture.account(Role::Admin).await;
    let password = |email: &str| Credential::Password {
        email: email.to_owned(),
        password: SecretString::from("not this one"),
        from: None,
    };
    let texts = ["", "nonsense", "a.b.c", "null"].map(SecretString::from);
    let made_up = [
        texts.clone().map(Credential::Bearer).to_vec(),
        texts.map(Credential::Refresh).to_vec(),
        vec![password(&known.expected.email), password("nobody@example.com"), password("")],
    ];
    for kind in made_up {
        let mut said = Vec::new();
        for credential in kind {
            match fixture.authz.authenticate(&credential).await {
                Err(Error::Unauthenticated(text)) => said.push(text),
                other => panic!("{credential:?}: {other:?}"),
            }
        }
        said.dedup();
        assert_eq!(said.len(), 1, "{said:?}");
    }
}

/// Although the token itself has not expired.
pub async fn p12_a_disabled_account_is_not_let_in(fixture: &AuthzFixture) {
    let known = fixture.account(Role::Operator).await;
    fixture.authenticate(&known).await.expect("let in");
    let disable = AccountUpdate { is_active: Some(false), ..AccountUpdate::default() };
    fixture.update(known.expected.id, disable).await;
    let refused = fixture.authenticate(&known).await;
    assert!(matches!(refused, Err(Error::Unauthenticated(_))), "{refused:?}");
}

/// From the moment that it was told of.
pub async fn a_new_role_acts_at_once(fixture: &AuthzFixture) {
    // Somebody has to be one all the time.
    fixture.account(Role::Admin).await;
    let known = fixture.account(Role::Operator).await;
    fixture.authenticate(&known).await.expect("let in");
    for role in [Role::Viewer, Role::Admin, Role::Operator] {
        let update = AccountUpdate { role: Some(role), ..AccountUpdate::default() };
        fixture.update(known.expected.id, update).await;
        assert_eq!(fixture.authenticate(&known).await.expect("let in").role, role);
    }
}

/// Another sign-in of the same account goes on.
pub async fn p12_a_sign_in_that_has_ended_lets_nobody_in(fixture: &AuthzFixture) {
    let one = fixture.account(Role::Operator).await;
    let other = fixture.again(one.expected.clone());
    let caller = fixture.authenticate(&one).await.expect("let in");
    assert_eq!(fixture.authenticate(&other).await.expect("let in"), other.expected);
    fixture.sign_out(&caller).await;
    let refused = fixture.authenticate(&one).await;
    assert!(matches!(refused, Err(Error::Unauthenticated(_))), "{refused:?}");
    assert_eq!(fixture.authenticate(&other).await.expect("let in"), other.expected);
}

/// Other processes change accounts, too, and this one is not told.
pub async fn p12_what_changed_elsewhere_acts_within_a_second(fixture: &AuthzFixture) {
    for update in changes() {
        let known = fixture.account(Role::Operator).await;
        let before = fixture.authenticate(&known).await.expect("let in");
        fixture.update_elsewhere(before.id, update).await;
        let changed = Instant::now();
        let is_otherwise = || async {
            let asked = Instant::now();
            let found = fixture.authenticate(&known).await;
            let is_before = found.is_ok_and(|found| found == before);
            assert!(!is_before || asked - changed < LASTS, "a caller is known for too long");
            (!is_before).then_some(())
        };
        wait_until("a change to be heard of", is_otherwise).await;
    }
}
