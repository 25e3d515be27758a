use chrono::{SubsecRound, Utc};

use super::{Service, audit::Deed};
use crate::{
    Conflict, Error, ProjectName, ProjectRole, Result, User, UserId, Violation,
    audit::AuditAction,
    authz::{Action, Principal, Thing},
    page::{Page, PageRequest},
    project::{Member, Project, ProjectUpdate, check_description},
    store::Deleted,
    user::{Scope, parse_email},
};

impl Service {
    /// Makes a project, whose first maintainer is the caller.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden), [`Invalid`](Error::Invalid), or
    /// [`Conflict`](Error::Conflict) when there is one of this name.
    pub async fn create_project(
        &self,
        caller: &Principal,
        name: &str,
        description: Option<String>,
    ) -> Result<Project> {
        self.parts.authz.check(caller, Action::Administer)?;
        let name: ProjectName =
            name.parse().map_err(|wrong: Violation| Violation::new("name", wrong.message))?;
        check_description(description.as_deref())?;
        if self.parts.store.project(&name).await?.is_some() {
            return Err(Conflict::ProjectExists.into());
        }
        let created_at = Utc::now().trunc_subsecs(3);
        let project = Project { name, description, is_archived: false, created_at };
        let deed = Deed::on_project(AuditAction::CreateProject, &project.name);
        let deed = deed.with("description", project.description.clone());
        self.record(caller, deed.with("maintainer_id", caller.id.to_string())).await?;
        self.parts.store.create_project(project.clone(), caller.id).await?;
        self.parts.authz.changed(caller.id);
        Ok(project)
    }

    /// Projects after a name, in the order of their names: those that the caller sees.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden).
    pub async fn projects(
        &self,
        caller: &Principal,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<Project>> {
        self.parts.authz.check(caller, Action::Read)?;
        let scope = self.parts.authz.scope(caller);
        let of = match scope {
            Scope::All => None,
            _ => Some(caller.id),
        };
        let mut items = match &caller.within {
            Some(only) if after.is_none_or(|after| after < only.as_str()) => {
                self.parts.store.project(only).await?.into_iter().collect()
            }
            Some(_) => Vec::new(),
            None => self.parts.store.projects(of, after, limit.saturating_add(1)).await?,
        };
        items.retain(|project: &Project| scope.has_project(&project.name));
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(|last| last.name.to_string());
        Ok(Page { items, next_cursor })
    }

    /// One project.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound) for those that the caller does not see.
    pub async fn project(&self, caller: &Principal, name: &ProjectName) -> Result<Project> {
        self.parts.authz.check(caller, Action::Read)?;
        self.seen_project(caller, name).await
    }

    pub(super) async fn seen_project(
        &self,
        caller: &Principal,
        name: &ProjectName,
    ) -> Result<Project> {
        let is_seen = self.parts.authz.scope(caller).has_project(name);
        let found = if is_seen { self.parts.store.project(name).await? } else { None };
        found.ok_or(Error::NotFound("project"))
    }

    /// Describes a project anew, or puts it away and takes it out again. The latter is for admins.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Forbidden`](Error::Forbidden), [`Invalid`](Error::Invalid),
    /// or [`Conflict`](Error::Conflict) while jobs of it have not ended.
    pub async fn update_project(
        &self,
        caller: &Principal,
        name: &ProjectName,
        update: ProjectUpdate,
    ) -> Result<Project> {
        let before = self.seen_project(caller, name).await?;
        self.check_manage(caller, name)?;
        if update.is_archived.is_some() {
            self.parts.authz.check(caller, Action::Administer)?;
        }
        check_description(update.description.as_ref().and_then(|text| text.as_deref()))?;
        let mut deed = Deed::on_project(AuditAction::UpdateProject, name);
        if let Some(description) = &update.description {
            deed = deed.changing("description", before.description, description.clone());
        }
        if let Some(is_archived) = update.is_archived {
            deed = deed.changing("is_archived", before.is_archived, is_archived);
        }
        self.record(caller, deed).await?;
        let updated = self.parts.store.update_project(name, update).await;
        self.members_changed(name).await?;
        updated
    }

    /// Forgets a project to which nothing belongs; archives one to which something does.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Forbidden`](Error::Forbidden), or
    /// [`Conflict`](Error::Conflict) while jobs of it have not ended.
    pub async fn delete_project(&self, caller: &Principal, name: &ProjectName) -> Result<Deleted> {
        self.seen_project(caller, name).await?;
        self.parts.authz.check(caller, Action::Administer)?;
        self.record(caller, Deed::on_project(AuditAction::DeleteProject, name)).await?;
        // Those of one that is gone are not to be found any more.
        let members = self.member_ids(name).await?;
        let deleted = self.parts.store.delete_project(name).await;
        members.into_iter().for_each(|user| self.parts.authz.changed(user));
        deleted
    }

    /// The members of a project.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound) for projects that the caller does not see.
    pub async fn project_members(
        &self,
        caller: &Principal,
        name: &ProjectName,
        page: PageRequest,
    ) -> Result<Page<Member>> {
        self.project(caller, name).await?;
        self.parts.store.members(name, page).await
    }

    /// Makes an account a member of a project, or gives a member another role. It acts at once.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Forbidden`](Error::Forbidden), or
    /// [`Conflict`](Error::Conflict) when no maintainer would be left.
    pub async fn set_project_member(
        &self,
        caller: &Principal,
        name: &ProjectName,
        user: &str,
        role: ProjectRole,
    ) -> Result<Member> {
        let user = self.member_to_be(caller, name, user).await?;
        let before = self.parts.store.member_role(name, user.id).await?;
        let role_before = before.map(ProjectRole::as_str);
        let deed = Deed::on_project(AuditAction::SetProjectMember, name);
        let deed = deed.with("user_id", user.id.to_string()).with("email", user.email.clone());
        self.record(caller, deed.changing("role", role_before, role.as_str())).await?;
        let set = self.parts.store.set_member(name, user.id, role).await;
        self.parts.authz.changed(user.id);
        set?;
        self.member(name, user.id).await?.ok_or(Error::NotFound("member"))
    }

    /// Ends a membership. It acts at once.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Forbidden`](Error::Forbidden), or
    /// [`Conflict`](Error::Conflict) when no maintainer would be left.
    pub async fn remove_project_member(
        &self,
        caller: &Principal,
        name: &ProjectName,
        user: &str,
    ) -> Result<()> {
        let user = self.member_to_be(caller, name, user).await?;
        let before = self.parts.store.member_role(name, user.id).await?;
        let before = before.ok_or(Error::NotFound("member"))?;
        let deed = Deed::on_project(AuditAction::RemoveProjectMember, name);
        let deed = deed.with("user_id", user.id.to_string()).with("email", user.email.clone());
        let deed = deed.changing("role", before.as_str(), None::<&str>);
        self.record(caller, deed).await?;
        let removed = self.parts.store.remove_member(name, user.id).await;
        self.parts.authz.changed(user.id);
        removed.map(|_| ())
    }

    /// The account with an id or an address, for those who see to the members of a project.
    async fn member_to_be(
        &self,
        caller: &Principal,
        name: &ProjectName,
        user: &str,
    ) -> Result<User> {
        self.seen_project(caller, name).await?;
        self.check_manage(caller, name)?;
        let store = &self.parts.store;
        let found = match (user.parse::<UserId>(), parse_email(user)) {
            (Ok(id), _) => store.account(id).await?,
            (Err(_), Ok(email)) => store.account_by_email(&email).await?,
            (Err(_), Err(_)) => None,
        };
        found.map(|account| account.user).ok_or(Error::NotFound("user"))
    }

    async fn member(&self, name: &ProjectName, user: UserId) -> Result<Option<Member>> {
        let before = uuid::Uuid::from_u128(user.as_uuid().as_u128().saturating_sub(1));
        let page = PageRequest { limit: 1, after: Some(before) };
        let found = self.parts.store.members(name, page).await?.items.pop();
        Ok(found.filter(|member| member.user_id == user))
    }

    fn check_manage(&self, caller: &Principal, name: &ProjectName) -> Result<()> {
        let thing = Thing { owner: None, project: Some(name) };
        self.parts.authz.check_on(caller, Action::Manage, thing)
    }

    async fn member_ids(&self, name: &ProjectName) -> Result<Vec<UserId>> {
        let (mut ids, mut page) = (Vec::new(), PageRequest::first(1000));
        loop {
            let part = self.parts.store.members(name, page).await?;
            ids.extend(part.items.iter().map(|member| member.user_id));
            match part.items.last().filter(|_| part.next_cursor.is_some()) {
                Some(last) => page.after = Some(last.user_id.as_uuid()),
                None => return Ok(ids),
            }
        }
    }

    async fn members_changed(&self, name: &ProjectName) -> Result<()> {
        let members = self.member_ids(name).await?;
        members.into_iter().for_each(|user| self.parts.authz.changed(user));
        Ok(())
    }

    /// Whether the caller may make things of a project, or with `None` of their own, by an action.
    /// Members are told that by what is known of them already.
    pub(super) async fn check_place(
        &self,
        caller: &Principal,
        action: Action,
        project: Option<&ProjectName>,
    ) -> Result<()> {
        let authz = &self.parts.authz;
        authz.check(caller, action)?;
        let owner = project.is_none().then_some(caller.id);
        let allowed = authz.check_on(caller, action, Thing { owner, project });
        let scope = authz.scope(caller);
        let Some(name) = project.filter(|_| allowed.is_err() || scope == Scope::All) else {
            return allowed;
        };
        match self.seen_project(caller, name).await?.is_archived {
            true => Err(Conflict::ProjectArchived.into()),
            false => allowed,
        }
    }
}
