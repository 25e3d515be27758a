use futures_util::StreamExt;
use tokio::time::timeout;

use super::{AuthzFixture, changes};
use crate::{
    Role,
    service::LogPlace,
    testkit::{PATIENCE, spec},
};

/// Nothing about it has changed, whatever others do.
pub async fn what_a_caller_began_may_go_on(fixture: &AuthzFixture) {
    for role in Role::ALL {
        let (caller, other) = (fixture.enter(role).await, fixture.enter(role).await);
        assert!(fixture.authz.may_go_on(&caller).await.expect("an answer"));
        for update in changes() {
            fixture.update_elsewhere(other.id, update).await;
            assert!(fixture.authz.may_go_on(&caller).await.expect("an answer"));
        }
    }
}

/// At once, also when nobody here was told: nothing that is remembered counts.
pub async fn p12_what_a_caller_began_ends_with_what_they_were(fixture: &AuthzFixture) {
    for update in changes() {
        let known = fixture.account(Role::Operator).await;
        let caller = fixture.authenticate(&known).await.expect("let in");
        fixture.update_elsewhere(caller.id, update).await;
        assert!(!fixture.authz.may_go_on(&caller).await.expect("an answer"));
    }
    let one = fixture.account(Role::Operator).await;
    let other = fixture.again(one.expected.clone());
    let (one, other) = (fixture.authenticate(&one).await, fixture.authenticate(&other).await);
    let (one, other) = (one.expect("let in"), other.expect("let in"));
    fixture.sign_out(&one).await;
    assert!(!fixture.authz.may_go_on(&one).await.expect("an answer"));
    assert!(fixture.authz.may_go_on(&other).await.expect("an answer"), "the other one goes on");
}

/// They end by themselves, soon after their caller may not go on, and those of others do not.
pub async fn p12_streams_end_when_their_caller_may_not_go_on(fixture: &AuthzFixture) {
    let service = fixture.service();
    let (leaves, stays) =
        (fixture.enter(Role::Operator).await, fixture.enter(Role::Operator).await);
    let things = fixture.things();
    let mut ends = Vec::new();
    let mut goes_on = Vec::new();
    for (caller, streams) in [(&leaves, &mut ends), (&stays, &mut goes_on)] {
        let job = things.job(caller.id, spec("waits")).await;
        let followed = service.follow(caller, job, LogPlace::default()).await.expect("a stream");
        streams.push(followed.map(|_| ()).boxed());
        streams.push(service.watch_batches(caller).map(|_| ()).boxed());
    }
    fixture.sign_out(&leaves).await;
    for mut stream in ends {
        let end = timeout(PATIENCE, async { while stream.next().await.is_some() {} });
        end.await.expect("a stream that ends");
    }
    // So much later, the first look at them is one at their caller, too.
    for mut stream in goes_on {
        let end = async { while stream.next().await.is_some() {} };
        assert!(timeout(std::time::Duration::from_millis(100), end).await.is_err());
    }
}
