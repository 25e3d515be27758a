use chrono::Utc;

use super::{Service, audit::Deed};
use crate::{
    Error, KnownIssueId, ProjectName, Result, UserId,
    audit::AuditAction,
    authz::{Action, Principal, Thing},
    known_issue::{KnownIssue, KnownIssueUpdate, NewKnownIssue},
    page::{Page, PageRequest},
};

const NO_SUCH: Error = Error::NotFound("known issue");

impl Service {
    /// Makes an issue known: it holds for what runs now and for what comes.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden) for viewers, and in a project for who is no maintainer;
    /// [`Invalid`](Error::Invalid), [`Conflict`](Error::Conflict) when there are too many.
    pub async fn create_known_issue(
        &self,
        caller: &Principal,
        new: NewKnownIssue,
    ) -> Result<KnownIssue> {
        self.check_place(caller, Action::Manage, new.project.as_ref()).await?;
        let owner = new.owner_id.unwrap_or(caller.id);
        let issue = new.into_issue(owner, Utc::now())?;
        self.check_owner(caller, owner, issue.project.as_ref()).await?;
        let deed = Deed::on_known_issue(AuditAction::CreateKnownIssue, &issue);
        self.record(caller, deed).await?;
        self.parts.store.create_known_issue(issue.clone()).await?;
        Ok(issue)
    }

    /// One known issue.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), also for what the caller may not see.
    pub async fn known_issue(&self, caller: &Principal, id: KnownIssueId) -> Result<KnownIssue> {
        self.parts.authz.check(caller, Action::Read)?;
        let scope = self.parts.authz.scope(caller);
        self.parts.store.known_issue(id, scope).await?.ok_or(NO_SUCH)
    }

    /// The known issues that the caller may see, newest first: of one owner, one project, or both.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden).
    pub async fn known_issues(
        &self,
        caller: &Principal,
        of: (Option<UserId>, Option<&ProjectName>),
        page: PageRequest,
    ) -> Result<Page<KnownIssue>> {
        self.parts.authz.check(caller, Action::Read)?;
        let scope = self.parts.authz.scope(caller).within(of.0, of.1);
        self.parts.store.known_issues(scope, page).await
    }

    /// Changes a known issue: as of now for what runs and for what comes.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Forbidden`](Error::Forbidden) as for
    /// [`create_known_issue`](Self::create_known_issue), [`Invalid`](Error::Invalid).
    pub async fn update_known_issue(
        &self,
        caller: &Principal,
        id: KnownIssueId,
        update: KnownIssueUpdate,
    ) -> Result<KnownIssue> {
        let before = self.managed(caller, id).await?;
        let after = before.clone().updated(update, Utc::now())?;
        if after.owner_id != before.owner_id {
            self.check_owner(caller, after.owner_id, after.project.as_ref()).await?;
        }
        self.record(caller, Deed::changing_known_issue(&before, &after)).await?;
        self.parts.store.update_known_issue(after.clone()).await?;
        Ok(after)
    }

    /// Ends a known issue: such failures are failures again.
    ///
    /// # Errors
    /// As [`update_known_issue`](Self::update_known_issue).
    pub async fn delete_known_issue(&self, caller: &Principal, id: KnownIssueId) -> Result<()> {
        let issue = self.managed(caller, id).await?;
        let deed = Deed::on_known_issue(AuditAction::DeleteKnownIssue, &issue);
        self.record(caller, deed).await?;
        self.parts.store.delete_known_issue(id).await
    }

    /// A known issue that the caller may change.
    async fn managed(&self, caller: &Principal, id: KnownIssueId) -> Result<KnownIssue> {
        let issue = self.known_issue(caller, id).await?;
        match &issue.project {
            Some(project) => self.check_place(caller, Action::Manage, Some(project)).await?,
            None => {
                let own = Thing { owner: Some(issue.owner_id), project: None };
                self.parts.authz.check_on(caller, Action::Manage, own)?;
            }
        }
        Ok(issue)
    }

    /// Whether an account may see to an issue: in a project a member of it, or who says so; without
    /// one the caller, or whoever an admin says, as it is about their runs.
    async fn check_owner(
        &self,
        caller: &Principal,
        owner: UserId,
        project: Option<&ProjectName>,
    ) -> Result<()> {
        if owner == caller.id {
            return Ok(());
        }
        let is_right = match project {
            Some(project) => self.parts.store.member_role(project, owner).await?.is_some(),
            None => {
                self.parts.authz.check(caller, Action::Administer)?;
                self.parts.store.account(owner).await?.is_some()
            }
        };
        let why = "must be an account, and in a project one of its members";
        if is_right { Ok(()) } else { Err(Error::invalid("owner_id", why)) }
    }
}
