//! The authorization by roles, over each store.

use std::sync::Arc;

use jobrunner_core::{
    Principal,
    authz::{Credential, Passwords, RoleAuthz},
    testkit::{
        Fixture,
        authz::{AuthzFixture, token_key},
    },
};

fn roles(fixture: Fixture) -> AuthzFixture {
    let Fixture { store, keep } = fixture;
    let tokens = token_key();
    let authz = RoleAuthz::new(Arc::clone(&store), tokens.clone(), Passwords::new());
    let credential = move |caller: &Principal| {
        Credential::Bearer(tokens.issue(caller).expect("a token").token.into())
    };
    AuthzFixture::new(store, authz, credential, keep)
}

mod sqlite {
    use jobrunner_core::{authz_conformance, testkit::authz::AuthzFixture};

    async fn fixture() -> AuthzFixture {
        super::roles(crate::sqlite::sqlite().await)
    }

    authz_conformance!(fixture);
}

mod postgres {
    use jobrunner_core::{authz_conformance, testkit::authz::AuthzFixture};

    async fn fixture() -> AuthzFixture {
        super::roles(crate::postgres::postgres().await)
    }

    authz_conformance!(fixture);
}
