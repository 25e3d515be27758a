use jobrunner_core::{
    Role, Service, UserId,
    user::{NewUser, UserUpdate},
};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::{
    Tag,
    auth::Caller,
    http::{
        answer::{Answer, Done, Result},
        body::JsonBody,
        page::page,
    },
    model,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    email: String,
    password: SecretString,
    role: Role,
    #[serde(default)]
    max_running_jobs: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    #[serde(default)]
    password: Option<SecretString>,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    is_active: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    max_running_jobs: Option<Option<u32>>,
}

/// Tells `null` from a field that is not there.
fn given<'de, D>(deserializer: D) -> std::result::Result<Option<Option<u32>>, D::Error>
where
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

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
        Answer::of(&service.me(&caller).await?)
    }

    /// Make an account
    #[oai(path = "/users", method = "post", operation_id = "create_user")]
    async fn create(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        body: JsonBody<New, model::NewUser>,
    ) -> Result<Answer<model::User, 201>> {
        let New { email, password, role, max_running_jobs } = body.value;
        let new = NewUser { email, password, role, max_running_jobs };
        Answer::of(&service.create_user(&caller, new).await?)
    }

    /// All accounts
    #[oai(path = "/users", method = "get", operation_id = "list_users")]
    async fn list(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        /// How many items at most: 1 to 1000.
        #[oai(default = "super::http::page::default_limit")]
        limit: Query<u32>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> Result<Answer<model::UserPage>> {
        Answer::of(&service.users(&caller, page(limit.0, cursor.0)?).await?)
    }

    /// One account
    #[oai(path = "/users/:id", method = "get", operation_id = "get_user")]
    async fn get(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::User>> {
        Answer::of(&service.user(&caller, UserId::from(id.0)).await?)
    }

    /// Change an account
    #[oai(path = "/users/:id", method = "patch", operation_id = "update_user")]
    async fn update(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        body: JsonBody<Update, model::UserUpdate>,
    ) -> Result<Answer<model::User>> {
        let Update { password, role, is_active, max_running_jobs } = body.value;
        let update = UserUpdate { password, role, is_active, max_running_jobs };
        Answer::of(&service.update_user(&caller, UserId::from(id.0), update).await?)
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
