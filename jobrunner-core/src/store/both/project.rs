//! Projects, and who belongs to them.

use async_trait::async_trait;
use chrono::{SubsecRound, Utc};
use uuid::Uuid;

use super::{Connection, Store, bind, lock, sql, store_error};
use crate::{
    Conflict, Error, ProjectName, ProjectRole, Result, UserId,
    page::{Page, PageRequest},
    project::{MOST_PROJECTS, Member, Memberships, Project, ProjectUpdate},
    store::{
        Deleted, ProjectStore,
        engine::{
            rows::{MemberRow, MembershipRow, ProjectRow},
            values::damaged,
        },
    },
};

#[async_trait]
impl ProjectStore for Store {
    async fn create_project(&self, project: Project, maintainer: UserId) -> Result<()> {
        self.change(move |c| Box::pin(create(c, project, maintainer))).await
    }

    async fn project(&self, name: &ProjectName) -> Result<Option<Project>> {
        let row: Option<ProjectRow> = sqlx::query_as(sql!("project/columns", both "project/get"))
            .bind(name.as_str())
            .fetch_optional(self.reads())
            .await
            .map_err(store_error)?;
        row.map(ProjectRow::into_project).transpose()
    }

    async fn projects(
        &self,
        of: Option<UserId>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Project>> {
        let rows: Vec<ProjectRow> = sqlx::query_as(sql!("project/columns", both "project/list"))
            .bind(after.unwrap_or_default())
            .bind(i64::from(limit))
            .bind(of.map(UserId::as_uuid))
            .fetch_all(self.reads())
            .await
            .map_err(store_error)?;
        rows.into_iter().map(ProjectRow::into_project).collect()
    }

    async fn update_project(&self, name: &ProjectName, update: ProjectUpdate) -> Result<Project> {
        let name = name.clone();
        self.change(move |c| Box::pin(apply(c, name, update))).await
    }

    async fn delete_project(&self, name: &ProjectName) -> Result<Deleted> {
        let name = name.clone();
        self.change(move |c| Box::pin(delete(c, name))).await
    }

    async fn members(&self, name: &ProjectName, page: PageRequest) -> Result<Page<Member>> {
        let rows: Vec<MemberRow> = sqlx::query_as(sql!("project/members"))
            .bind(name.as_str())
            .bind(page.after.unwrap_or(Uuid::nil()))
            .bind(i64::from(page.limit) + 1)
            .fetch_all(self.reads())
            .await
            .map_err(store_error)?;
        Page::from_surplus(rows, page.limit, MemberRow::id).try_map(MemberRow::into_member)
    }

    async fn set_member(
        &self,
        name: &ProjectName,
        user: UserId,
        role: ProjectRole,
    ) -> Result<Option<ProjectRole>> {
        let name = name.clone();
        self.change(move |c| Box::pin(set_member(c, name, user, Some(role)))).await
    }

    async fn remove_member(&self, name: &ProjectName, user: UserId) -> Result<Option<ProjectRole>> {
        let name = name.clone();
        self.change(move |c| Box::pin(set_member(c, name, user, None))).await
    }

    async fn member_role(&self, name: &ProjectName, user: UserId) -> Result<Option<ProjectRole>> {
        let role: Option<String> = sqlx::query_scalar(sql!(both "project/role"))
            .bind(name.as_str())
            .bind(user.as_uuid())
            .fetch_optional(self.reads())
            .await
            .map_err(store_error)?;
        parsed(role)
    }

    async fn memberships(&self, user: UserId) -> Result<Memberships> {
        let rows: Vec<MembershipRow> = sqlx::query_as(sql!(both "project/memberships"))
            .bind(user.as_uuid())
            .fetch_all(self.reads())
            .await
            .map_err(store_error)?;
        let memberships: Result<Vec<_>> =
            rows.into_iter().map(MembershipRow::into_membership).collect();
        Ok(memberships?.into())
    }
}

async fn create(connection: &mut Connection, project: Project, maintainer: UserId) -> Result<()> {
    let created = sqlx::query(sql!(both "project/insert"))
        .bind(project.name.as_str())
        .bind(project.description)
        .bind(project.is_archived)
        .bind(bind::time(project.created_at))
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    if created.rows_affected() == 0 {
        return Err(Conflict::ProjectExists.into());
    }
    let role = Some(ProjectRole::Maintainer);
    set_member(connection, project.name, maintainer, role).await.map(|_| ())
}

/// The project, which nobody else changes until the end of the transaction.
async fn locked(connection: &mut Connection, name: &ProjectName) -> Result<Project> {
    lock::project(connection, name.as_str()).await?;
    let row: Option<ProjectRow> = sqlx::query_as(sql!("project/columns", both "project/get"))
        .bind(name.as_str())
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
    row.ok_or(Error::NotFound("project"))?.into_project()
}

async fn apply(
    connection: &mut Connection,
    name: ProjectName,
    update: ProjectUpdate,
) -> Result<Project> {
    let mut project = locked(connection, &name).await?;
    let is_archived = update.is_archived.unwrap_or(project.is_archived);
    if is_archived && !project.is_archived {
        check_closed(connection, &name).await?;
    }
    project.is_archived = is_archived;
    project.description = update.description.unwrap_or(project.description);
    store(connection, &project).await?;
    Ok(project)
}

async fn store(connection: &mut Connection, project: &Project) -> Result<()> {
    sqlx::query(sql!(both "project/update"))
        .bind(project.name.as_str())
        .bind(&project.description)
        .bind(project.is_archived)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

async fn check_closed(connection: &mut Connection, name: &ProjectName) -> Result<()> {
    let is_open: bool = sqlx::query_scalar(sql!("project/is_open"))
        .bind(name.as_str())
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    if is_open { Err(Conflict::ProjectOpen.into()) } else { Ok(()) }
}

async fn delete(connection: &mut Connection, name: ProjectName) -> Result<Deleted> {
    let mut project = locked(connection, &name).await?;
    check_closed(connection, &name).await?;
    let is_used: bool = sqlx::query_scalar(sql!(both "project/is_used"))
        .bind(name.as_str())
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    if is_used {
        project.is_archived = true;
        store(connection, &project).await?;
        return Ok(Deleted::Archived);
    }
    for forget in [
        sql!(both "subscription/delete_of_project"),
        sql!(both "project/delete_members"),
        sql!(both "project/delete"),
    ] {
        sqlx::query(forget)
            .bind(name.as_str())
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    Ok(Deleted::Gone)
}

/// Gives an account a role, or with `None` ends its membership.
async fn set_member(
    connection: &mut Connection,
    name: ProjectName,
    user: UserId,
    role: Option<ProjectRole>,
) -> Result<Option<ProjectRole>> {
    locked(connection, &name).await?;
    let before: Option<String> = sqlx::query_scalar(sql!(both "project/role"))
        .bind(name.as_str())
        .bind(user.as_uuid())
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let before = parsed(before)?;
    match role {
        Some(role) => {
            if before.is_none() {
                check_room(connection, user).await?;
            }
            let set = sqlx::query(sql!(both "project/set_member"))
                .bind(name.as_str())
                .bind(user.as_uuid())
                .bind(role.as_str())
                .bind(bind::time(Utc::now().trunc_subsecs(3)));
            set.execute(&mut *connection).await.map_err(store_error)?;
        }
        None => {
            let remove = sqlx::query(sql!(both "project/remove_member"))
                .bind(name.as_str())
                .bind(user.as_uuid());
            remove.execute(&mut *connection).await.map_err(store_error)?;
        }
    }
    if before == Some(ProjectRole::Maintainer) && role != before {
        let left: i64 = sqlx::query_scalar(sql!(both "project/maintainers"))
            .bind(name.as_str())
            .fetch_one(connection)
            .await
            .map_err(store_error)?;
        if left == 0 {
            return Err(Conflict::LastMaintainer.into());
        }
    }
    Ok(before)
}

async fn check_room(connection: &mut Connection, user: UserId) -> Result<()> {
    let has: i64 = sqlx::query_scalar(sql!(both "project/count_of_user"))
        .bind(user.as_uuid())
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    if has >= MOST_PROJECTS as i64 {
        return Err(Conflict::TooManyProjects { most: MOST_PROJECTS }.into());
    }
    Ok(())
}

fn parsed(role: Option<String>) -> Result<Option<ProjectRole>> {
    role.map(|word| word.parse()).transpose().map_err(|error| damaged("a role", error))
}
