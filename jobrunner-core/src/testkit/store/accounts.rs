//! Accounts.

use chrono::{Duration, Utc};

use crate::{
    Conflict, Error, Role, SignInId,
    page::PageRequest,
    store::{AccountUpdate, KeptSignIn},
    testkit::{Fixture, account},
};

/// Two accounts cannot share an address, and the first keeps it.
pub async fn an_address_belongs_to_one_account(fixture: &Fixture) {
    let first = account("a@example.com", Role::Viewer);
    fixture.store.create_account(first.clone()).await.expect("created");
    let second = fixture.store.create_account(account("a@example.com", Role::Admin)).await;
    assert!(matches!(second, Err(Error::Conflict(Conflict::EmailTaken))), "{second:?}");
    let found = fixture.store.account_by_email("a@example.com").await.expect("an answer");
    assert_eq!(found.expect("it exists").user.id, first.user.id);
}

/// Several processes that start at once on an empty store make one first account.
pub async fn of_many_first_accounts_one_is_made(fixture: &Fixture) {
    let attempts = (0..8).map(|n| {
        fixture.store.create_first_account(account(&format!("a{n}@example.com"), Role::Admin))
    });
    let made = futures_util::future::join_all(attempts).await;
    assert_eq!(made.into_iter().filter(|made| *made.as_ref().expect("an answer")).count(), 1);
    let users = fixture.store.users(PageRequest::first(10)).await.expect("a list");
    assert_eq!(users.items.len(), 1);
}

/// There is always an active admin left.
pub async fn the_last_active_admin_stays(fixture: &Fixture) {
    let (one, other) =
        (account("a@example.com", Role::Admin), account("b@example.com", Role::Admin));
    fixture.store.create_account(one.clone()).await.expect("created");
    fixture.store.create_account(other.clone()).await.expect("created");
    let disable = AccountUpdate { is_active: Some(false), ..AccountUpdate::default() };
    let demote = AccountUpdate { role: Some(Role::Operator), ..AccountUpdate::default() };
    fixture.store.update_account(one.user.id, disable.clone()).await.expect("one is left");
    for update in [disable, demote] {
        let refused = fixture.store.update_account(other.user.id, update).await;
        assert!(matches!(refused, Err(Error::Conflict(Conflict::LastAdmin))), "{refused:?}");
    }
    let kept = fixture.store.account(other.user.id).await.expect("an answer").expect("it exists");
    assert_eq!((kept.user.role, kept.user.is_active), (Role::Admin, true));
}

/// Another sign-in of the same account goes on, and so does the account.
pub async fn a_sign_in_ends_alone_and_for_good(fixture: &Fixture) {
    let account = account("a@example.com", Role::Operator);
    fixture.store.create_account(account.clone()).await.expect("created");
    let (ended, other, later) = (SignInId::new(), SignInId::new(), SignInId::new());
    let is_known = async |sign_in| {
        let found = fixture.store.signed_in_account(account.user.id, sign_in, 0).await;
        found.expect("an answer").is_some()
    };
    assert!(is_known(ended).await);
    let until = Utc::now() + Duration::hours(1);
    for _ in 0..2 {
        fixture.store.end_sign_in(ended, until).await.expect("ended");
    }
    assert!(!is_known(ended).await && is_known(other).await);
    // What has expired by itself is forgotten with the next one; what has not, is not.
    fixture.store.end_sign_in(other, Utc::now() - Duration::hours(1)).await.expect("ended");
    assert!(!is_known(other).await);
    fixture.store.end_sign_in(later, until).await.expect("ended");
    assert!(is_known(other).await && !is_known(ended).await && !is_known(later).await);
    assert!(fixture.store.account(account.user.id).await.expect("an answer").is_some());
}

/// The tokens of a sign-in follow each other, and those of another one do not matter. Of many uses
/// at once one counts.
pub async fn a_refresh_token_is_used_once(fixture: &Fixture) {
    let (one, other) = (SignInId::new(), SignInId::new());
    let until = Utc::now() + Duration::hours(1);
    let used = async |sign_in, uses| {
        fixture.store.use_refresh_token(sign_in, uses, until).await.expect("an answer")
    };
    assert!(used(one, 0).await && used(other, 0).await);
    assert!(!used(one, 0).await, "it was used before");
    assert!(used(one, 1).await && used(one, 2).await);
    for uses in [0, 1, 2, 4] {
        assert!(!used(one, uses).await, "{uses}");
    }
    let at_once = futures_util::future::join_all((0..8).map(|_| used(other, 1))).await;
    assert_eq!(at_once.into_iter().filter(|used| *used).count(), 1);
    // Another use forgets what has expired, and nothing else.
    let third = SignInId::new();
    let expired = Utc::now() - Duration::hours(1);
    assert!(fixture.store.use_refresh_token(third, 5, expired).await.expect("an answer"));
    assert!(used(one, 3).await);
    assert!(used(third, 0).await && !used(other, 1).await);
}

/// One sign-in outlives a new password, with the tokens that it was given before and after; those
/// of others, and what another change ends, do not come back.
pub async fn the_sign_in_that_sets_a_password_is_kept(fixture: &Fixture) {
    let account = account("a@example.com", Role::Operator);
    let id = account.user.id;
    fixture.store.create_account(account).await.expect("created");
    let (own, other, late) = (SignInId::new(), SignInId::new(), SignInId::new());
    let works = async |sign_in, version| {
        let found = fixture.store.signed_in_account(id, sign_in, version).await;
        found.expect("an answer").is_some()
    };
    let set = async |sign_in, version| {
        let until = Utc::now() + Duration::hours(1);
        let keep = Some(KeptSignIn { id: sign_in, version, until });
        let password_hash = Some("new".to_owned());
        let update = AccountUpdate { password_hash, keep, ..AccountUpdate::default() };
        fixture.store.update_account(id, update).await
    };
    set(own, 0).await.expect("set");
    assert!(works(own, 0).await && works(own, 1).await && works(late, 1).await);
    assert!(!works(other, 0).await);
    let raced = set(other, 0).await;
    assert!(matches!(raced, Err(Error::Conflict(Conflict::AccountChanged))), "{raced:?}");
    set(own, 1).await.expect("set again");
    assert!(works(own, 0).await && works(own, 2).await);
    assert!(!works(late, 1).await && !works(other, 0).await);
    fixture.store.end_sign_in(own, Utc::now() + Duration::hours(1)).await.expect("ended");
    assert!(!works(own, 0).await && !works(own, 2).await);
    set(late, 2).await.expect("set by another one");
    let by_admin = AccountUpdate { password_hash: Some("x".into()), ..AccountUpdate::default() };
    fixture.store.update_account(id, by_admin).await.expect("updated");
    assert!(!works(late, 2).await && !works(late, 3).await && works(SignInId::new(), 4).await);
}

/// A changed password makes the token version go up, and so does a disabled account; other changes
/// leave it.
pub async fn a_new_password_ends_older_tokens(fixture: &Fixture) {
    let account = account("a@example.com", Role::Operator);
    fixture.store.create_account(account.clone()).await.expect("created");
    let limit = AccountUpdate { max_running_jobs: Some(Some(2)), ..AccountUpdate::default() };
    let user = fixture.store.update_account(account.user.id, limit).await.expect("updated");
    assert_eq!(user.max_running_jobs, Some(2));
    let password = AccountUpdate { password_hash: Some("new".into()), ..AccountUpdate::default() };
    fixture.store.update_account(account.user.id, password).await.expect("updated");
    let found =
        fixture.store.account(account.user.id).await.expect("an answer").expect("it exists");
    assert_eq!((found.password_hash.as_str(), found.token_version), ("new", 1));
    for is_active in [Some(false), Some(true)] {
        let update = AccountUpdate { is_active, ..AccountUpdate::default() };
        fixture.store.update_account(account.user.id, update).await.expect("updated");
    }
    let back = fixture.store.account(account.user.id).await.expect("an answer").expect("it exists");
    assert_eq!(back.token_version, 2, "tokens do not come back with the account");
}
