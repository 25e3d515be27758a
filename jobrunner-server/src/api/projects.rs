use jobrunner_core::{Error, ProjectName, Service, project::ProjectUpdate};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
};

use super::{
    Tag,
    auth::Caller,
    http::{
        answer::{Answer, Done, Result},
        body::JsonBody,
        page::{Cursor, Limit, limit_of, page},
        parameter::{Given, parameters},
    },
    model,
};

pub(crate) struct ProjectsApi;

parameters! {
    /// The name of a project.
    ProjectPath(String) {
        "type": "string", "minLength": 1, "maxLength": 63, "pattern": model::pattern::PROJECT,
    } |text| {
        // One that cannot be there is not there.
        Ok(text.to_owned())
    };

    /// The name of a project, as a filter.
    ProjectText(ProjectName) {
        "type": "string", "minLength": 1, "maxLength": 63, "pattern": model::pattern::PROJECT,
    } |text| text.parse().map_err(|wrong: jobrunner_core::Violation| wrong.message);

    /// The `next_cursor` of the page before.
    ProjectCursor(String) {
        "type": "string", "minLength": 1, "maxLength": 63, "pattern": model::pattern::PROJECT,
    } |text| {
        let message = "must be the next_cursor of the page before, unchanged";
        text.parse::<ProjectName>().map(Into::into).map_err(|_| message.to_owned())
    };

    /// An account, by its id or its address.
    MemberPath(String) { "type": "string", "minLength": 1, "maxLength": 254 } |text| {
        Ok(text.to_owned())
    };
}

fn named(name: &Path<Given<ProjectPath>>) -> Result<ProjectName> {
    Ok(name.0.0.0.parse().map_err(|_| Error::NotFound("project"))?)
}

#[OpenApi(tag = "Tag::Projects")]
impl ProjectsApi {
    /// Make a project
    ///
    /// Its first maintainer is who makes it. For admins.
    #[oai(path = "/projects", method = "post", operation_id = "create_project")]
    async fn create(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        body: JsonBody<model::NewProject>,
    ) -> Result<Answer<model::Project, 201>> {
        let model::NewProject { name, description } = body.value;
        Answer::of(service.create_project(&caller, &name, description).await?)
    }

    /// The caller's projects
    ///
    /// Those that they are a member of, in the order of their names; admins get all.
    #[oai(path = "/projects", method = "get", operation_id = "list_projects")]
    async fn list(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        /// How many items the page has at most.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<Given<ProjectCursor>>>,
    ) -> Result<Answer<model::Page<model::Project>>> {
        let after = cursor.0.as_ref().map(|cursor| cursor.0.0.as_str());
        Answer::of(service.projects(&caller, after, limit_of(limit)).await?)
    }

    /// One project
    #[oai(path = "/projects/:name", method = "get", operation_id = "get_project")]
    async fn get(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        name: Path<Given<ProjectPath>>,
    ) -> Result<Answer<model::Project>> {
        Answer::of(service.project(&caller, &named(&name)?).await?)
    }

    /// Change a project
    ///
    /// What belongs to an archived one can be read and nothing else. Maintainers describe a project
    /// anew; to archive it and to take it out again is for admins.
    #[oai(path = "/projects/:name", method = "patch", operation_id = "update_project")]
    async fn update(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        name: Path<Given<ProjectPath>>,
        body: JsonBody<model::ProjectUpdate>,
    ) -> Result<Answer<model::Project>> {
        let update = ProjectUpdate::from(body.value);
        Answer::of(service.update_project(&caller, &named(&name)?, update).await?)
    }

    /// Delete a project
    ///
    /// One to which jobs, batches or tokens belong is archived; any other is forgotten, with its
    /// members. Neither while jobs of it have not ended. For admins.
    #[oai(path = "/projects/:name", method = "delete", operation_id = "delete_project")]
    async fn delete(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        name: Path<Given<ProjectPath>>,
    ) -> Result<Done> {
        service.delete_project(&caller, &named(&name)?).await?;
        Ok(Done)
    }

    /// The members of a project
    #[oai(path = "/projects/:name/members", method = "get", operation_id = "list_project_members")]
    async fn members(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        name: Path<Given<ProjectPath>>,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::Member>>> {
        let page = page(limit, cursor)?;
        Answer::of(service.project_members(&caller, &named(&name)?, page).await?)
    }

    /// Make an account a member of a project, or give a member another role
    ///
    /// It acts within a second. For the project's maintainers and admins.
    #[oai(
        path = "/projects/:name/members/:user_id",
        method = "put",
        operation_id = "set_project_member"
    )]
    async fn set_member(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        name: Path<Given<ProjectPath>>,
        /// An account, by its id or its address.
        user_id: Path<Given<MemberPath>>,
        body: JsonBody<model::NewMember>,
    ) -> Result<Answer<model::Member>> {
        let (name, user, role) = (named(&name)?, &user_id.0.0.0, body.value.role);
        Answer::of(service.set_project_member(&caller, &name, user, role).await?)
    }

    /// End a membership
    ///
    /// It acts within a second. The last maintainer stays. For the project's maintainers and
    /// admins.
    #[oai(
        path = "/projects/:name/members/:user_id",
        method = "delete",
        operation_id = "remove_project_member"
    )]
    async fn remove_member(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        name: Path<Given<ProjectPath>>,
        /// An account, by its id or its address.
        user_id: Path<Given<MemberPath>>,
    ) -> Result<Done> {
        service.remove_project_member(&caller, &named(&name)?, &user_id.0.0.0).await?;
        Ok(Done)
    }
}
