use jobrunner_core::{Service, TokenId, UserId};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
};
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

pub(crate) struct TokensApi;

#[OpenApi(tag = "Tag::Tokens")]
impl TokensApi {
    /// Make a personal access token
    ///
    /// For programs: it is sent as `Authorization: Bearer jr_…` and allows what its scopes say, and
    /// never more than its owner may do at that moment. The answer has its secret, which is told
    /// once. Whoever has signed in may make one, admins also for service accounts; a token makes
    /// none.
    #[oai(path = "/tokens", method = "post", operation_id = "create_token")]
    async fn create(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        body: JsonBody<model::NewToken>,
    ) -> Result<Answer<model::MadeToken, 201>> {
        let owner = body.value.owner_id.map(UserId::from);
        Answer::of(service.create_token(&caller, owner, body.value.try_into()?).await?)
    }

    /// The caller's own tokens, or those of a service account
    #[oai(path = "/tokens", method = "get", operation_id = "list_tokens")]
    async fn list(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
        /// A service account; the caller's own if left out. For admins.
        owner_id: Query<Option<Uuid>>,
    ) -> Result<Answer<model::Page<model::PersonalToken>>> {
        let owner = owner_id.0.map(UserId::from);
        Answer::of(service.tokens(&caller, owner, page(limit, cursor)?).await?)
    }

    /// End a token
    ///
    /// It stops working within a second.
    #[oai(path = "/tokens/:id", method = "delete", operation_id = "delete_token")]
    async fn delete(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Done> {
        service.delete_token(&caller, TokenId::from(id.0)).await?;
        Ok(Done)
    }
}
