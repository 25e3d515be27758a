use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{PostgresStore, rows::AccountRow, sql, store_error};
use crate::{
    Error, Result, SignInId, User, UserId,
    page::{Page, PageRequest},
    store::{Account, AccountStore, AccountUpdate},
};

#[async_trait]
impl AccountStore for PostgresStore {
    async fn create_account(&self, account: Account) -> Result<()> {
        self.change(|c| Box::pin(create(c, account))).await
    }

    async fn create_first_account(&self, account: Account) -> Result<bool> {
        self.change(|c| Box::pin(create_first(c, account))).await
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>> {
        let row: Option<AccountRow> = sqlx::query_as(sql!("account/get"))
            .bind(id.as_uuid())
            .fetch_optional(&self.pools.reads)
            .await
            .map_err(store_error)?;
        row.map(AccountRow::into_account).transpose()
    }

    async fn signed_in_account(&self, id: UserId, sign_in: SignInId) -> Result<Option<Account>> {
        let row: Option<AccountRow> = sqlx::query_as(sql!("account/signed_in"))
            .bind(id.as_uuid())
            .bind(sign_in.as_uuid())
            .fetch_optional(&self.pools.reads)
            .await
            .map_err(store_error)?;
        row.map(AccountRow::into_account).transpose()
    }

    async fn end_sign_in(&self, sign_in: SignInId, until: DateTime<Utc>) -> Result<()> {
        self.change(move |c| Box::pin(end_sign_in(c, sign_in, until))).await
    }

    async fn use_refresh_token(
        &self,
        sign_in: SignInId,
        uses: u32,
        until: DateTime<Utc>,
    ) -> Result<bool> {
        self.change(move |c| Box::pin(use_refresh_token(c, sign_in, uses, until))).await
    }

    async fn account_by_email(&self, email: &str) -> Result<Option<Account>> {
        let row: Option<AccountRow> = sqlx::query_as(sql!("account/by_email"))
            .bind(email)
            .fetch_optional(&self.pools.reads)
            .await
            .map_err(store_error)?;
        row.map(AccountRow::into_account).transpose()
    }

    async fn users(&self, page: PageRequest) -> Result<Page<User>> {
        let rows: Vec<AccountRow> = sqlx::query_as(sql!("account/list"))
            .bind(page.after.unwrap_or(Uuid::max()))
            .bind(i64::from(page.limit) + 1)
            .fetch_all(&self.pools.reads)
            .await
            .map_err(store_error)?;
        let users: Result<Vec<User>> =
            rows.into_iter().map(|row| row.into_account().map(|account| account.user)).collect();
        Ok(Page::from_surplus(users?, page.limit, |user| user.id.as_uuid()))
    }

    async fn update_account(&self, id: UserId, update: AccountUpdate) -> Result<User> {
        self.change(move |c| Box::pin(apply(c, id, update))).await
    }
}

async fn end_sign_in(
    connection: &mut PgConnection,
    sign_in: SignInId,
    until: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(sql!("account/forget_sign_ins"))
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    sqlx::query(sql!("account/end_sign_in"))
        .bind(sign_in.as_uuid())
        .bind(until)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

async fn use_refresh_token(
    connection: &mut PgConnection,
    sign_in: SignInId,
    uses: u32,
    until: DateTime<Utc>,
) -> Result<bool> {
    sqlx::query(sql!("account/forget_refreshed"))
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    let used = sqlx::query(sql!("account/use_refresh_token"))
        .bind(sign_in.as_uuid())
        .bind(i64::from(uses))
        .bind(until)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(used.rows_affected() > 0)
}

async fn create(connection: &mut PgConnection, account: Account) -> Result<()> {
    let user = account.user;
    let created = sqlx::query(sql!("account/insert"))
        .bind(user.id.as_uuid())
        .bind(user.email)
        .bind(account.password_hash)
        .bind(user.role.as_str())
        .bind(user.is_active)
        .bind(user.max_running_jobs.map(i64::from))
        .bind(account.token_version)
        .bind(user.created_at)
        .execute(connection)
        .await
        .map_err(store_error)?;
    if created.rows_affected() == 0 {
        return Err(Error::Conflict("there is an account with this email address".to_owned()));
    }
    Ok(())
}

async fn create_first(connection: &mut PgConnection, account: Account) -> Result<bool> {
    sqlx::query(sql!("account/lock")).execute(&mut *connection).await.map_err(store_error)?;
    let accounts: i64 = sqlx::query_scalar(sql!("account/count"))
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    if accounts > 0 {
        return Ok(false);
    }
    create(connection, account).await.map(|()| true)
}

async fn apply(connection: &mut PgConnection, id: UserId, update: AccountUpdate) -> Result<User> {
    sqlx::query(sql!("account/lock")).execute(&mut *connection).await.map_err(store_error)?;
    let row: Option<AccountRow> = sqlx::query_as(sql!("account/get"))
        .bind(id.as_uuid())
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let before = row.ok_or(Error::NotFound("user"))?.into_account()?;
    let was_active_admin = before.is_active_admin();
    let account = before.updated(update);
    sqlx::query(sql!("account/update"))
        .bind(id.as_uuid())
        .bind(&account.password_hash)
        .bind(account.user.role.as_str())
        .bind(account.user.is_active)
        .bind(account.user.max_running_jobs.map(i64::from))
        .bind(account.token_version)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    if was_active_admin && !account.is_active_admin() {
        let left: i64 = sqlx::query_scalar(sql!("account/active_admins"))
            .fetch_one(connection)
            .await
            .map_err(store_error)?;
        if left == 0 {
            return Err(Error::Conflict(
                "this is the last active admin; make another one first".to_owned(),
            ));
        }
    }
    Ok(account.user)
}
