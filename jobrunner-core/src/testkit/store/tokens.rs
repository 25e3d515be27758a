//! Personal access tokens.

use chrono::{DateTime, TimeDelta};

use crate::{
    Error, TokenId, UserId,
    authz::SecretDigest,
    page::PageRequest,
    testkit::Fixture,
    user::{PersonalToken, TokenScope},
};

fn token(owner: UserId, name: &str) -> PersonalToken {
    PersonalToken {
        project: Some("web".parse().expect("a name")),
        id: TokenId::new(),
        owner_id: owner,
        name: name.to_owned(),
        scopes: vec![TokenScope::Submit, TokenScope::Read].try_into().expect("scopes"),
        created_at: DateTime::from_timestamp_millis(1_700_000_000_123).expect("a time"),
        expires_at: DateTime::from_timestamp_millis(1_900_000_000_456),
        last_used_at: None,
    }
}

/// A digest like no other of a test.
fn digest(number: u8) -> SecretDigest {
    let mut digest = [number; 32];
    digest[31] = 0;
    digest
}

/// It is found as it was stored, by its secret and by its id, and not at all once it is deleted.
pub async fn a_token_is_found_by_its_secret_until_it_is_deleted(fixture: &Fixture) {
    let store = &fixture.store;
    let (one, other) = (token(UserId::new(), "one"), token(UserId::new(), "other"));
    let other = PersonalToken { expires_at: None, ..other };
    store.create_token(one.clone(), digest(1)).await.expect("created");
    store.create_token(other.clone(), digest(2)).await.expect("created");
    let by_secret = async |number| store.token_by_secret(digest(number)).await.expect("an answer");
    assert_eq!(
        (by_secret(1).await.as_ref(), by_secret(2).await.as_ref()),
        (Some(&one), Some(&other))
    );
    assert_eq!(by_secret(3).await, None);
    assert_eq!(store.token(other.id).await.expect("an answer"), Some(other));
    for _ in 0..2 {
        store.delete_token(one.id).await.expect("deleted");
    }
    assert_eq!(by_secret(1).await, None);
    assert_eq!(store.token(one.id).await.expect("an answer"), None);
    assert!(by_secret(2).await.is_some());
}

/// Page by page, and without those of others.
pub async fn tokens_are_listed_of_their_owner_newest_first(fixture: &Fixture) {
    let (owner, other) = (UserId::new(), UserId::new());
    let mut made = Vec::new();
    for number in 0..5 {
        let one = token(if number == 2 { other } else { owner }, &number.to_string());
        fixture.store.create_token(one.clone(), digest(number)).await.expect("created");
        made.push(one);
    }
    let mut listed = Vec::new();
    let mut page = PageRequest::first(3);
    loop {
        let part = fixture.store.tokens(owner, page).await.expect("a list");
        listed.extend(part.items);
        let Some(cursor) = part.next_cursor else { break };
        page = PageRequest::parse(Some(3), Some(&cursor)).expect("a cursor");
    }
    let expected: Vec<PersonalToken> =
        made.into_iter().rev().filter(|token| token.owner_id == owner).collect();
    assert_eq!(listed, expected);
}

/// Of uses that follow each other soon the first is kept.
pub async fn the_last_use_of_a_token_is_kept_once_a_minute(fixture: &Fixture) {
    let one = token(UserId::new(), "one");
    fixture.store.create_token(one.clone(), digest(1)).await.expect("created");
    let first = one.created_at + TimeDelta::days(1);
    for (seconds, kept) in [(0, 0), (30, 0), (59, 0), (61, 61), (10, 61), (200, 200)] {
        let at = first + TimeDelta::seconds(seconds);
        fixture.store.token_used(one.id, at).await.expect("stored");
        let now = fixture.store.token(one.id).await.expect("an answer").expect("it exists");
        assert_eq!(now.last_used_at, Some(first + TimeDelta::seconds(kept)), "{seconds}");
    }
    fixture.store.token_used(TokenId::new(), first).await.expect("nothing is missed");
}

/// One account's do not count for another.
pub async fn an_account_has_no_more_tokens_than_it_may(fixture: &Fixture) {
    let owner = UserId::new();
    for number in 0..100 {
        let created = fixture.store.create_token(token(owner, "t"), digest(number)).await;
        created.expect("created");
    }
    let refused = fixture.store.create_token(token(owner, "t"), digest(100)).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    fixture.store.create_token(token(UserId::new(), "t"), digest(101)).await.expect("created");
}
