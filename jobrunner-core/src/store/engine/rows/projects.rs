//! Projects and who belongs to them.

use sqlx_macros::FromRow;
use uuid::Uuid;

use super::super::values::{damaged, project, time};
use crate::{
    Result,
    project::{Member, Membership, Project},
};

/// A project.
#[derive(Debug, FromRow)]
pub struct ProjectRow {
    pub name: String,
    pub description: Option<String>,
    pub is_archived: bool,
    pub created_at: i64,
}

impl ProjectRow {
    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_project(self) -> Result<Project> {
        Ok(Project {
            name: project(&self.name)?,
            description: self.description,
            is_archived: self.is_archived,
            created_at: time(self.created_at)?,
        })
    }
}

/// A member of a project.
#[derive(Debug, FromRow)]
pub struct MemberRow {
    pub user_id: Uuid,
    pub email: String,
    pub role: String,
    pub added_at: i64,
}

impl MemberRow {
    /// What a page goes on after.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.user_id
    }

    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_member(self) -> Result<Member> {
        Ok(Member {
            user_id: self.user_id.into(),
            email: self.email,
            role: self.role.parse().map_err(|e| damaged("a role", e))?,
            added_at: time(self.added_at)?,
        })
    }
}

/// What an account may do in a project.
#[derive(Debug, FromRow)]
pub struct MembershipRow {
    pub project: String,
    pub role: String,
}

impl MembershipRow {
    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_membership(self) -> Result<Membership> {
        Ok(Membership {
            project: project(&self.project)?,
            role: self.role.parse().map_err(|e| damaged("a role", e))?,
        })
    }
}
