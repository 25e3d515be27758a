//! Projects, and who belongs to them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound, Utc};
use jobrunner_core::{
    Conflict, Error, ProjectName, ProjectRole, Result, UserId,
    page::{Page, PageRequest},
    project::{MOST_PROJECTS, Member, Membership, Memberships, Project, ProjectUpdate},
    store::{Deleted, ProjectStore},
};

use crate::{Memory, state::State};

/// A project with its members, each with their role and since when they have been one.
pub(crate) struct ProjectEntry {
    project: Project,
    members: BTreeMap<UserId, (ProjectRole, DateTime<Utc>)>,
}

#[async_trait]
impl ProjectStore for Memory {
    async fn create_project(&self, project: Project, maintainer: UserId) -> Result<()> {
        let mut state = self.lock();
        if state.projects.contains_key(&project.name) {
            return Err(Conflict::ProjectExists.into());
        }
        state.check_room(maintainer)?;
        let first = (ProjectRole::Maintainer, Utc::now().trunc_subsecs(3));
        let members = BTreeMap::from([(maintainer, first)]);
        state.projects.insert(project.name.clone(), ProjectEntry { project, members });
        Ok(())
    }

    async fn project(&self, name: &ProjectName) -> Result<Option<Project>> {
        Ok(self.lock().projects.get(name).map(|entry| entry.project.clone()))
    }

    async fn projects(
        &self,
        of: Option<UserId>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Project>> {
        let state = self.lock();
        let is_shown = |entry: &&ProjectEntry| {
            after.is_none_or(|after| entry.project.name.as_str() > after)
                && of.is_none_or(|user| entry.members.contains_key(&user))
        };
        let found = state.projects.values().filter(is_shown).take(limit as usize);
        Ok(found.map(|entry| entry.project.clone()).collect())
    }

    async fn update_project(&self, name: &ProjectName, update: ProjectUpdate) -> Result<Project> {
        let mut state = self.lock();
        let before = state.projects.get(name).ok_or(Error::NotFound("project"))?;
        let is_archived = update.is_archived.unwrap_or(before.project.is_archived);
        if is_archived && !before.project.is_archived && state.is_open(name) {
            return Err(Conflict::ProjectOpen.into());
        }
        let entry = state.projects.get_mut(name).ok_or(Error::NotFound("project"))?;
        entry.project.is_archived = is_archived;
        if let Some(description) = update.description {
            entry.project.description = description;
        }
        Ok(entry.project.clone())
    }

    async fn delete_project(&self, name: &ProjectName) -> Result<Deleted> {
        let mut state = self.lock();
        if !state.projects.contains_key(name) {
            return Err(Error::NotFound("project"));
        }
        if state.is_open(name) {
            return Err(Conflict::ProjectOpen.into());
        }
        let is_used = state.jobs.values().any(|job| job.spec.project.as_ref() == Some(name))
            || state.batches.values().any(|batch| batch.batch.project.as_ref() == Some(name))
            || state.tokens.values().any(|(token, _)| token.project.as_ref() == Some(name));
        match state.projects.get_mut(name).filter(|_| is_used) {
            Some(entry) => {
                entry.project.is_archived = true;
                Ok(Deleted::Archived)
            }
            None => {
                state.projects.remove(name);
                Ok(Deleted::Gone)
            }
        }
    }

    async fn members(&self, name: &ProjectName, page: PageRequest) -> Result<Page<Member>> {
        let state = self.lock();
        let members = state.projects.get(name).into_iter().flat_map(|entry| &entry.members);
        let found = members.filter(|(id, _)| page.after.is_none_or(|after| id.as_uuid() > after));
        let member = |(id, (role, added_at)): (&UserId, &(ProjectRole, DateTime<Utc>))| {
            let email = state.accounts.get(id)?.user.email.clone();
            Some(Member { user_id: *id, email, role: *role, added_at: *added_at })
        };
        let found = found.filter_map(member).take(page.limit as usize + 1).collect();
        Ok(Page::from_surplus(found, page.limit, |member: &Member| member.user_id.as_uuid()))
    }

    async fn set_member(
        &self,
        name: &ProjectName,
        user: UserId,
        role: ProjectRole,
    ) -> Result<Option<ProjectRole>> {
        let mut state = self.lock();
        let before = state.member(name, user)?;
        if before.is_none() {
            state.check_room(user)?;
        } else if role != ProjectRole::Maintainer {
            state.check_maintained(name, user)?;
        }
        if let Some(entry) = state.projects.get_mut(name) {
            let now = Utc::now().trunc_subsecs(3);
            entry.members.entry(user).or_insert((role, now)).0 = role;
        }
        Ok(before)
    }

    async fn remove_member(&self, name: &ProjectName, user: UserId) -> Result<Option<ProjectRole>> {
        let mut state = self.lock();
        let before = state.member(name, user)?;
        state.check_maintained(name, user)?;
        if let Some(entry) = state.projects.get_mut(name) {
            entry.members.remove(&user);
        }
        Ok(before)
    }

    async fn member_role(&self, name: &ProjectName, user: UserId) -> Result<Option<ProjectRole>> {
        Ok(self.lock().member(name, user).ok().flatten())
    }

    async fn memberships(&self, user: UserId) -> Result<Memberships> {
        let state = self.lock();
        let membership = |entry: &ProjectEntry| {
            let (role, _) = *entry.members.get(&user)?;
            let role = if entry.project.is_archived { ProjectRole::Viewer } else { role };
            Some(Membership { project: entry.project.name.clone(), role })
        };
        Ok(state.projects.values().filter_map(membership).collect::<Vec<_>>().into())
    }
}

impl State {
    fn is_open(&self, name: &ProjectName) -> bool {
        let mut of_it = self.jobs.values().filter(|job| job.spec.project.as_ref() == Some(name));
        of_it.any(|job| !job.status.is_terminal())
    }

    fn member(&self, name: &ProjectName, user: UserId) -> Result<Option<ProjectRole>> {
        let entry = self.projects.get(name).ok_or(Error::NotFound("project"))?;
        Ok(entry.members.get(&user).map(|(role, _)| *role))
    }

    /// Whether somebody else is a maintainer, if this one is.
    fn check_maintained(&self, name: &ProjectName, without: UserId) -> Result<()> {
        let entry = self.projects.get(name).ok_or(Error::NotFound("project"))?;
        let mut maintainers =
            entry.members.iter().filter(|(_, (role, _))| *role == ProjectRole::Maintainer);
        match maintainers.all(|(id, _)| *id == without) && entry.members.contains_key(&without) {
            true => Err(Conflict::LastMaintainer.into()),
            false => Ok(()),
        }
    }

    fn check_room(&self, user: UserId) -> Result<()> {
        let of_user = self.projects.values().filter(|entry| entry.members.contains_key(&user));
        match of_user.count() < MOST_PROJECTS {
            true => Ok(()),
            false => Err(Conflict::TooManyProjects { most: MOST_PROJECTS }.into()),
        }
    }
}
