use jobrunner_core::{Service, UserId, user::UserUpdate};
use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use uuid::Uuid;

use super::{
    Tag,
    auth::Caller,
    http::{
        answer::{Answer, Done, Result},
        body::JsonBody,
        page::{Cursor, Limit, page},
    },
    model,
};

pub(crate) struct UsersApi;

#[OpenApi(tag = "Tag::Users")]
impl UsersApi {
    /// The caller
    #[oai(path = "/users/me", method = "get", operation_id = "get_me")]
    async fn me(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
    ) -> Result<Answer<model::User>> {
        Answer::of(service.me(&caller).await?)
    }

    /// Change the caller's own account
    ///
    /// A new password needs the current one. It ends all sign-ins of the account but the one that
    /// sets it, whose tokens go on working.
    #[oai(path = "/users/me", method = "patch", operation_id = "update_me")]
    async fn update_me(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        body: JsonBody<model::OwnUpdate>,
    ) -> Result<Answer<model::User>> {
        Answer::of(service.update_me(&caller, body.value.into()).await?)
    }

    /// Make an account
    #[oai(path = "/users", method = "post", operation_id = "create_user")]
    async fn create(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        body: JsonBody<model::NewUser>,
    ) -> Result<Answer<model::User, 201>> {
        Answer::of(service.create_user(&caller, body.value.into()).await?)
    }

    /// All accounts
    #[oai(path = "/users", method = "get", operation_id = "list_users")]
    async fn list(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::User>>> {
        Answer::of(service.users(&caller, page(limit, cursor)?).await?)
    }

    /// One account
    #[oai(path = "/users/:id", method = "get", operation_id = "get_user")]
    async fn get(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::User>> {
        Answer::of(service.user(&caller, UserId::from(id.0)).await?)
    }

    /// Change an account
    #[oai(path = "/users/:id", method = "patch", operation_id = "update_user")]
    async fn update(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        body: JsonBody<model::UserUpdate>,
    ) -> Result<Answer<model::User>> {
        let update = body.value.into();
        Answer::of(service.update_user(&caller, UserId::from(id.0), update).await?)
    }

    /// Disable an account
    ///
    /// Its jobs stay, and it can be enabled again with PATCH.
    #[oai(path = "/users/:id", method = "delete", operation_id = "disable_user")]
    async fn disable(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Done> {
        let update = UserUpdate { is_active: Some(false), ..UserUpdate::default() };
        service.update_user(&caller, UserId::from(id.0), update).await?;
        Ok(Done)
    }
}
