use super::AuthzFixture;
use crate::{
    Error, JobSpec, Principal, ProjectName, ProjectRole, Role, UserId,
    authz::{Action, Thing},
    project::Project,
    testkit::spec,
    user::Scope,
};

fn named(name: &str) -> ProjectName {
    name.parse().expect("a name")
}

/// A project, whose maintainer is nobody who is asked about.
async fn project(fixture: &AuthzFixture, name: &str) -> ProjectName {
    let maintainer = fixture.account(Role::Operator).await.expected.id;
    let project = Project {
        name: named(name),
        description: None,
        is_archived: false,
        created_at: chrono::Utc::now(),
    };
    fixture.store.create_project(project, maintainer).await.expect("created");
    named(name)
}

/// Somebody with a role in a project, as they are let in then.
async fn member(fixture: &AuthzFixture, role: Role, of: Option<ProjectRole>) -> Principal {
    let known = fixture.account(role).await;
    if let Some(of) = of {
        fixture.store.set_member(&named("web"), known.expected.id, of).await.expect("a member");
    }
    fixture.authenticate(&known).await.expect("let in")
}

/// A role in a project is worth no more than the account's, and nothing elsewhere.
pub async fn p12_members_may_do_what_both_their_roles_allow(fixture: &AuthzFixture) {
    let (web, other) = (project(fixture, "web").await, project(fixture, "other").await);
    for role in Role::ALL {
        for of in [None].into_iter().chain(ProjectRole::ALL.map(Some)) {
            let caller = member(fixture, role, of).await;
            let is_admin = role == Role::Admin;
            let is_operator = role != Role::Viewer;
            let operates =
                matches!(of, Some(ProjectRole::Operator | ProjectRole::Maintainer)) && is_operator;
            let maintains = of == Some(ProjectRole::Maintainer) && is_operator;
            let anothers = Some(UserId::new());
            let own = Some(caller.id);
            let (on_web, on_other) = (Some(&web), Some(&other));
            let table = [
                (Action::Read, anothers, on_web, is_admin || of.is_some()),
                (Action::Read, anothers, on_other, is_admin),
                (Action::Read, anothers, None, is_admin),
                (Action::Read, own, on_other, true),
                (Action::Control, anothers, on_web, is_admin || operates),
                (Action::Control, anothers, on_other, is_admin),
                (Action::Control, anothers, None, is_admin),
                (Action::Control, own, on_web, is_operator),
                (Action::Control, own, on_other, is_operator),
                (Action::Control, own, None, is_operator),
                (Action::Submit, own, on_web, is_admin || operates),
                (Action::Submit, own, on_other, is_admin),
                (Action::Submit, own, None, is_operator),
                (Action::Manage, None, on_web, is_admin || maintains),
                (Action::Manage, None, on_other, is_admin),
            ];
            for (action, owner, project, may) in table {
                let thing = Thing { owner, project };
                let told = match fixture.authz.check_on(&caller, action, thing) {
                    Ok(()) => true,
                    Err(Error::Forbidden(_)) => false,
                    Err(other) => panic!("{other}"),
                };
                assert_eq!(told, may, "{role} {of:?} {action:?} {thing:?}");
            }
            let expected = match (role, of) {
                (Role::Admin, _) => Scope::All,
                (_, None) => Scope::Owner(caller.id),
                (_, Some(_)) => Scope::of(caller.id, [web.clone()]),
            };
            assert_eq!(fixture.authz.scope(&caller), expected);
        }
    }
}

/// From the moment that it was told of, here; what streams show ends with it, wherever that was.
pub async fn p12_a_membership_acts_at_once_and_ends_what_was_begun_by_it(fixture: &AuthzFixture) {
    let web = project(fixture, "web").await;
    let known = fixture.account(Role::Operator).await;
    let id = known.expected.id;
    let service = fixture.service();
    let in_it = JobSpec { project: Some(web.clone()), ..spec("another's") };
    let job = fixture.things().job(UserId::new(), in_it).await;
    let enter = async || fixture.authenticate(&known).await.expect("let in");
    let stranger = enter().await;
    assert!(matches!(service.job(&stranger, job).await, Err(Error::NotFound(_))));
    for role in ProjectRole::ALL {
        fixture.store.set_member(&web, id, role).await.expect("a member");
        fixture.authz.changed(id);
        let caller = enter().await;
        assert!(service.job(&caller, job).await.is_ok());
        let allowed = fixture.authz.check_on(
            &caller,
            Action::Manage,
            Thing { owner: None, project: Some(&web) },
        );
        assert_eq!(allowed.is_ok(), role == ProjectRole::Maintainer);
        assert!(fixture.authz.may_go_on(&caller).await.expect("an answer"));
        assert!(!fixture.authz.may_go_on(&stranger).await.expect("an answer"));
    }
    let before = enter().await;
    fixture.store.remove_member(&web, id).await.expect("removed");
    assert!(!fixture.authz.may_go_on(&before).await.expect("an answer"));
    fixture.authz.changed(id);
    let caller = enter().await;
    assert!(matches!(service.job(&caller, job).await, Err(Error::NotFound(_))));
    assert!(matches!(service.cancel_job(&caller, job).await, Err(Error::NotFound(_))));
}
