//! Known issues.

use async_trait::async_trait;
use chrono::Utc;
use jobrunner_core::{
    BatchId, Conflict, Error, KnownIssueId, Result,
    known_issue::{KnownIssue, MOST_KNOWN_ISSUES, Rules},
    page::{Page, PageRequest},
    store::KnownIssueStore,
    user::Scope,
};

use crate::{Memory, notifications::page_of, state::State};

#[async_trait]
impl KnownIssueStore for Memory {
    async fn create_known_issue(&self, issue: KnownIssue) -> Result<()> {
        let known = &mut self.lock().known_issues;
        let is_beside = |it: &&KnownIssue| {
            it.project == issue.project
                && (issue.project.is_some() || it.owner_id == issue.owner_id)
        };
        if known.values().filter(is_beside).count() as i64 >= MOST_KNOWN_ISSUES {
            return Err(Conflict::TooManyKnownIssues { most: MOST_KNOWN_ISSUES }.into());
        }
        known.insert(issue.id, issue);
        Ok(())
    }

    async fn known_issue(&self, id: KnownIssueId, scope: Scope) -> Result<Option<KnownIssue>> {
        let state = self.lock();
        let found = state.known_issues.get(&id);
        Ok(found.filter(|it| scope.contains(it.owner_id, it.project.as_ref())).cloned())
    }

    async fn known_issues(&self, scope: Scope, page: PageRequest) -> Result<Page<KnownIssue>> {
        let state = self.lock();
        let is_seen = |it: &&KnownIssue| scope.contains(it.owner_id, it.project.as_ref());
        let found = state.known_issues.values().rev().filter(is_seen);
        Ok(page_of(found, page, |it| it.id.as_uuid()))
    }

    async fn update_known_issue(&self, issue: KnownIssue) -> Result<()> {
        let mut state = self.lock();
        let known = state.known_issues.get_mut(&issue.id);
        *known.ok_or(Error::NotFound("known issue"))? = issue;
        Ok(())
    }

    async fn delete_known_issue(&self, id: KnownIssueId) -> Result<()> {
        self.lock().known_issues.remove(&id);
        Ok(())
    }
}

impl State {
    /// Those that hold for a batch of a series now.
    pub(crate) fn known_of(&self, batch: BatchId, series: &str) -> Rules {
        let Some(batch) = self.batches.get(&batch) else { return Rules::default() };
        let now = Utc::now();
        let holds = |it: &&KnownIssue| {
            it.project == batch.batch.project
                && (it.project.is_some() || it.owner_id == batch.owner)
                && it.expires_at > now
                && it.series.as_deref().is_none_or(|name| name == series)
        };
        let issues: Vec<KnownIssue> = self.known_issues.values().filter(holds).cloned().collect();
        Rules::from(issues)
    }
}
