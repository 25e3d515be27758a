//! Personal access tokens.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Connection, Pool, Store, bind, lock, sql, store_error};
use crate::{
    Conflict, ProjectName, Result, TokenId, UserId,
    authz::SecretDigest,
    page::{Page, PageRequest},
    store::{
        MOST_TOKENS,
        engine::{rows::TokenRow, values::render},
    },
    user::PersonalToken,
};

pub(super) async fn create(
    connection: &mut Connection,
    token: PersonalToken,
    digest: SecretDigest,
) -> Result<()> {
    lock::accounts(connection).await?;
    let owner = token.owner_id.as_uuid();
    let count: i64 = sqlx::query_scalar(sql!(both "token/count"))
        .bind(owner)
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    if count >= MOST_TOKENS {
        return Err(Conflict::TooManyTokens { most: MOST_TOKENS }.into());
    }
    sqlx::query(sql!(both "token/insert"))
        .bind(token.id.as_uuid())
        .bind(owner)
        .bind(token.name)
        .bind(render(&token.scopes)?)
        .bind(digest.to_vec())
        .bind(bind::time(token.created_at))
        .bind(token.expires_at.map(bind::time))
        .bind(token.project.as_ref().map(ProjectName::as_str))
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

pub(super) async fn by_secret(pool: &Pool, digest: SecretDigest) -> Result<Option<PersonalToken>> {
    let row: Option<TokenRow> = sqlx::query_as(sql!("token/columns", both "token/by_digest"))
        .bind(digest.to_vec())
        .fetch_optional(pool)
        .await
        .map_err(store_error)?;
    row.map(TokenRow::into_token).transpose()
}

pub(super) async fn get(pool: &Pool, id: TokenId) -> Result<Option<PersonalToken>> {
    let row: Option<TokenRow> = sqlx::query_as(sql!("token/columns", both "token/get"))
        .bind(id.as_uuid())
        .fetch_optional(pool)
        .await
        .map_err(store_error)?;
    row.map(TokenRow::into_token).transpose()
}

pub(super) async fn list(
    pool: &Pool,
    owner: UserId,
    page: PageRequest,
) -> Result<Page<PersonalToken>> {
    let rows: Vec<TokenRow> = sqlx::query_as(sql!("token/columns", both "token/list_of_owner"))
        .bind(page.after.unwrap_or(Uuid::max()))
        .bind(i64::from(page.limit) + 1)
        .bind(owner.as_uuid())
        .fetch_all(pool)
        .await
        .map_err(store_error)?;
    Page::from_surplus(rows, page.limit, |row| row.id).try_map(TokenRow::into_token)
}

pub(super) async fn delete(store: &Store, id: TokenId) -> Result<()> {
    let delete = sqlx::query(sql!(both "token/delete")).bind(id.as_uuid());
    store.execute(delete).await.map(|_| ())
}

pub(super) async fn used(store: &Store, id: TokenId, at: DateTime<Utc>) -> Result<()> {
    let used = sqlx::query(sql!(both "token/used"))
        .bind(id.as_uuid())
        .bind(bind::time(at))
        .bind(bind::time(at - TimeDelta::minutes(1)));
    store.execute(used).await.map(|_| ())
}
