use super::AuthzFixture;
use crate::{Error, Role, authz::Action, store::AccountUpdate, user::Scope};

/// Viewers look, operators submit and control, admins do everything.
pub async fn p12_roles_may_do_what_they_are_for(fixture: &AuthzFixture) {
    let table = [
        (Action::Read, [true, true, true]),
        (Action::Submit, [false, true, true]),
        (Action::Control, [false, true, true]),
        (Action::SeeWorkers, [false, true, true]),
        (Action::Administer, [false, false, true]),
    ];
    for (at, role) in [Role::Viewer, Role::Operator, Role::Admin].into_iter().enumerate() {
        let caller = fixture.enter(role).await;
        for (action, may) in table {
            match fixture.authz.check(&caller, action) {
                Ok(()) => assert!(may[at], "{role} may {action:?}"),
                Err(Error::Forbidden(_)) => assert!(!may[at], "{role} may not {action:?}"),
                Err(other) => panic!("{other}"),
            }
        }
    }
}

/// Only an admin sees what is another's.
pub async fn p12_owners_see_what_is_theirs_and_admins_everything(fixture: &AuthzFixture) {
    for role in Role::ALL {
        let caller = fixture.enter(role).await;
        let expected = match role {
            Role::Admin => Scope::All,
            Role::Operator | Role::Viewer => Scope::Owner(caller.id),
        };
        assert_eq!(fixture.authz.scope(&caller), expected);
    }
}

/// Whoever knew the old one may have begun it.
pub async fn p12_a_new_password_ends_what_was_begun_before(fixture: &AuthzFixture) {
    let known = fixture.account(Role::Operator).await;
    let caller = fixture.authenticate(&known).await.expect("let in");
    let password_hash = Some("another".to_owned());
    fixture.update(caller.id, AccountUpdate { password_hash, ..AccountUpdate::default() }).await;
    assert!(!fixture.authz.may_go_on(&caller).await.expect("an answer"));
    let refused = fixture.authenticate(&known).await;
    assert!(matches!(refused, Err(Error::Unauthenticated(_))), "{refused:?}");
}
