//! Accounts.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Connection, Store, bind, lock, sql, store_error, token};
use crate::{
    Conflict, Error, Result, SignInId, TokenId, User, UserId,
    authz::SecretDigest,
    page::{Page, PageRequest},
    store::{Account, AccountStore, AccountUpdate, KeptSignIn, engine::rows::AccountRow},
    user::PersonalToken,
};

#[async_trait]
impl AccountStore for Store {
    async fn create_account(&self, account: Account) -> Result<()> {
        self.change(|c| Box::pin(create(c, account))).await
    }

    async fn create_first_account(&self, account: Account) -> Result<bool> {
        self.change(|c| Box::pin(create_first(c, account))).await
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>> {
        let row: Option<AccountRow> = sqlx::query_as(sql!("account/columns", both "account/get"))
            .bind(id.as_uuid())
            .fetch_optional(self.reads())
            .await
            .map_err(store_error)?;
        row.map(AccountRow::into_account).transpose()
    }

    async fn signed_in_account(
        &self,
        id: UserId,
        sign_in: SignInId,
        version: i64,
    ) -> Result<Option<Account>> {
        let row: Option<AccountRow> =
            sqlx::query_as(sql!("account/columns", both "account/signed_in"))
                .bind(id.as_uuid())
                .bind(sign_in.as_uuid())
                .bind(version)
                .fetch_optional(self.reads())
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
        let row: Option<AccountRow> =
            sqlx::query_as(sql!("account/columns", both "account/by_email"))
                .bind(email)
                .fetch_optional(self.reads())
                .await
                .map_err(store_error)?;
        row.map(AccountRow::into_account).transpose()
    }

    async fn users(&self, page: PageRequest) -> Result<Page<User>> {
        let rows: Vec<AccountRow> = sqlx::query_as(sql!("account/columns", both "account/list"))
            .bind(page.after.unwrap_or(Uuid::max()))
            .bind(i64::from(page.limit) + 1)
            .fetch_all(self.reads())
            .await
            .map_err(store_error)?;
        let users: Result<Vec<User>> =
            rows.into_iter().map(|row| row.into_account().map(|account| account.user)).collect();
        Ok(Page::from_surplus(users?, page.limit, |user| user.id.as_uuid()))
    }

    async fn update_account(&self, id: UserId, update: AccountUpdate) -> Result<User> {
        self.change(move |c| Box::pin(apply(c, id, update))).await
    }

    async fn create_token(&self, token: PersonalToken, digest: SecretDigest) -> Result<()> {
        self.change(move |c| Box::pin(token::create(c, token, digest))).await
    }

    async fn token_by_secret(&self, digest: SecretDigest) -> Result<Option<PersonalToken>> {
        token::by_secret(self.reads(), digest).await
    }

    async fn token(&self, id: TokenId) -> Result<Option<PersonalToken>> {
        token::get(self.reads(), id).await
    }

    async fn tokens(&self, owner: UserId, page: PageRequest) -> Result<Page<PersonalToken>> {
        token::list(self.reads(), owner, page).await
    }

    async fn delete_token(&self, id: TokenId) -> Result<()> {
        token::delete(self, id).await
    }

    async fn token_used(&self, id: TokenId, at: DateTime<Utc>) -> Result<()> {
        token::used(self, id, at).await
    }
}

async fn end_sign_in(
    connection: &mut Connection,
    sign_in: SignInId,
    until: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(sql!("account/forget_sign_ins"))
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    sqlx::query(sql!(both "account/end_sign_in"))
        .bind(sign_in.as_uuid())
        .bind(bind::time(until))
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

async fn use_refresh_token(
    connection: &mut Connection,
    sign_in: SignInId,
    uses: u32,
    until: DateTime<Utc>,
) -> Result<bool> {
    sqlx::query(sql!("account/forget_refreshed"))
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    let used = sqlx::query(sql!(both "account/use_refresh_token"))
        .bind(sign_in.as_uuid())
        .bind(i64::from(uses))
        .bind(bind::time(until))
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(used.rows_affected() > 0)
}

async fn create(connection: &mut Connection, account: Account) -> Result<()> {
    let user = account.user;
    let created = sqlx::query(sql!(both "account/insert"))
        .bind(user.id.as_uuid())
        .bind(user.email)
        .bind(account.password_hash)
        .bind(user.role.as_str())
        .bind(user.is_active)
        .bind(user.max_running_jobs.map(i64::from))
        .bind(account.token_version)
        .bind(bind::time(user.created_at))
        .bind(user.is_service)
        .execute(connection)
        .await
        .map_err(store_error)?;
    if created.rows_affected() == 0 {
        return Err(Conflict::EmailTaken.into());
    }
    Ok(())
}

async fn create_first(connection: &mut Connection, account: Account) -> Result<bool> {
    lock::accounts(connection).await?;
    let accounts: i64 = sqlx::query_scalar(sql!(both "account/count"))
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    if accounts > 0 {
        return Ok(false);
    }
    create(connection, account).await.map(|()| true)
}

async fn apply(connection: &mut Connection, id: UserId, update: AccountUpdate) -> Result<User> {
    lock::accounts(connection).await?;
    let row: Option<AccountRow> = sqlx::query_as(sql!("account/columns", both "account/get"))
        .bind(id.as_uuid())
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let before = row.ok_or(Error::NotFound("user"))?.into_account()?;
    let was_active_admin = before.is_active_admin();
    let keep = update.keep;
    if keep.is_some_and(|keep| keep.version != before.token_version) {
        return Err(Conflict::AccountChanged.into());
    }
    let account = before.updated(update);
    sqlx::query(sql!(both "account/update"))
        .bind(id.as_uuid())
        .bind(&account.password_hash)
        .bind(account.user.role.as_str())
        .bind(account.user.is_active)
        .bind(account.user.max_running_jobs.map(i64::from))
        .bind(account.token_version)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    if let Some(sign_in) = keep {
        keep_sign_in(connection, &account, sign_in).await?;
    }
    if was_active_admin && !account.is_active_admin() {
        let left: i64 = sqlx::query_scalar(sql!(both "account/active_admins"))
            .fetch_one(connection)
            .await
            .map_err(store_error)?;
        if left == 0 {
            return Err(Conflict::LastAdmin.into());
        }
    }
    Ok(account.user)
}

async fn keep_sign_in(
    connection: &mut Connection,
    account: &Account,
    sign_in: KeptSignIn,
) -> Result<()> {
    sqlx::query(sql!("account/forget_kept"))
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    sqlx::query(sql!(both "account/keep_sign_in"))
        .bind(sign_in.id.as_uuid())
        .bind(account.user.id.as_uuid())
        .bind(account.token_version)
        .bind(bind::time(sign_in.until))
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}
