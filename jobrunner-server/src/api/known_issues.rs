use jobrunner_core::{KnownIssueId, Service, UserId};
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
        parameter::Given,
    },
    model,
    projects::ProjectText,
};

pub(crate) struct KnownIssuesApi;

#[OpenApi(tag = "Tag::KnownIssues")]
impl KnownIssuesApi {
    /// Make an issue known
    ///
    /// It holds for batches that run and for later ones, until it ends; what has ended keeps its
    /// verdict. One of a project is made by its maintainers, and is about the batches of that
    /// project; one without is about the caller's own batches that belong to no project.
    #[oai(path = "/known-issues", method = "post", operation_id = "create_known_issue")]
    async fn create(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        body: JsonBody<model::NewKnownIssue>,
    ) -> Result<Answer<model::KnownIssue, 201>> {
        Answer::of(service.create_known_issue(&caller, body.value.into()).await?)
    }

    /// The known issues that the caller may see, newest first
    ///
    /// Also those that have ended.
    #[oai(path = "/known-issues", method = "get", operation_id = "list_known_issues")]
    async fn list(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        owner_id: Query<Option<Uuid>>,
        /// Only those of this project.
        project: Query<Option<Given<ProjectText>>>,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::KnownIssue>>> {
        let project = project.0.map(|project| project.0.0);
        let of = (owner_id.0.map(UserId::from), project.as_ref());
        Answer::of(service.known_issues(&caller, of, page(limit, cursor)?).await?)
    }

    /// One known issue
    #[oai(path = "/known-issues/:id", method = "get", operation_id = "get_known_issue")]
    async fn get(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::KnownIssue>> {
        Answer::of(service.known_issue(&caller, KnownIssueId::from(id.0)).await?)
    }

    /// Change a known issue
    ///
    /// As of now, for batches that run and for later ones. Its project stays.
    #[oai(path = "/known-issues/:id", method = "patch", operation_id = "update_known_issue")]
    async fn update(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        body: JsonBody<model::KnownIssueUpdate>,
    ) -> Result<Answer<model::KnownIssue>> {
        let id = KnownIssueId::from(id.0);
        Answer::of(service.update_known_issue(&caller, id, body.value.into()).await?)
    }

    /// End a known issue
    ///
    /// Failures that it was about fail again.
    #[oai(path = "/known-issues/:id", method = "delete", operation_id = "delete_known_issue")]
    async fn delete(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Done> {
        service.delete_known_issue(&caller, KnownIssueId::from(id.0)).await?;
        Ok(Done)
    }
}
