use async_trait::async_trait;

use crate::{
    ProjectName, ProjectRole, Result, UserId,
    page::{Page, PageRequest},
    project::{Member, Memberships, Project, ProjectUpdate},
};

/// What became of a project that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// Nothing belonged to it, and it is gone.
    Gone,
    /// It is [archived](Project::is_archived), for the sake of what belongs to it.
    Archived,
}

/// Projects, and who belongs to them.
#[async_trait]
pub trait ProjectStore: Send + Sync {
    /// Stores a project with its first maintainer.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when there is one of this name, or when the account is
    /// a member of as many projects as it may be.
    async fn create_project(&self, project: Project, maintainer: UserId) -> Result<()>;

    /// A project by its name.
    async fn project(&self, name: &ProjectName) -> Result<Option<Project>>;

    /// The first projects after a name, in the order of their names: those of an account, or with
    /// `None` all of them.
    async fn projects(
        &self,
        of: Option<UserId>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Project>>;

    /// Changes a project.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound); [`Conflict`](crate::Error::Conflict) when it is to be
    /// archived while jobs of it have not ended.
    async fn update_project(&self, name: &ProjectName, update: ProjectUpdate) -> Result<Project>;

    /// Forgets a project to which nothing belongs, with its members; archives one to which
    /// something does.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound); [`Conflict`](crate::Error::Conflict) while jobs of it
    /// have not ended.
    async fn delete_project(&self, name: &ProjectName) -> Result<Deleted>;

    /// The members of a project, by their ids.
    async fn members(&self, name: &ProjectName, page: PageRequest) -> Result<Page<Member>>;

    /// Makes an account a member, or gives a member another role. Answers what the role was before.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound) when there is no such project;
    /// [`Conflict`](crate::Error::Conflict) when no maintainer would be left, or when the account
    /// is a member of as many projects as it may be.
    async fn set_member(
        &self,
        name: &ProjectName,
        user: UserId,
        role: ProjectRole,
    ) -> Result<Option<ProjectRole>>;

    /// Ends a membership. Answers what the role was; `None` if there was none.
    ///
    /// # Errors
    /// As [`set_member`](Self::set_member).
    async fn remove_member(&self, name: &ProjectName, user: UserId) -> Result<Option<ProjectRole>>;

    /// The role of an account in a project, also in an archived one.
    async fn member_role(&self, name: &ProjectName, user: UserId) -> Result<Option<ProjectRole>>;

    /// What an account may do in which projects: of archived ones no more than to read.
    async fn memberships(&self, user: UserId) -> Result<Memberships>;
}
