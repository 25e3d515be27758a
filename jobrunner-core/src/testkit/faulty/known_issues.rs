use async_trait::async_trait;

use super::Faulty;
use crate::{
    KnownIssueId, Result,
    known_issue::KnownIssue,
    page::{Page, PageRequest},
    store::KnownIssueStore,
    user::Scope,
};

#[async_trait]
impl KnownIssueStore for Faulty {
    async fn create_known_issue(&self, issue: KnownIssue) -> Result<()> {
        self.through("create_known_issue", self.inner.create_known_issue(issue)).await
    }

    async fn known_issue(&self, id: KnownIssueId, scope: Scope) -> Result<Option<KnownIssue>> {
        self.through("known_issue", self.inner.known_issue(id, scope)).await
    }

    async fn known_issues(&self, scope: Scope, page: PageRequest) -> Result<Page<KnownIssue>> {
        self.through("known_issues", self.inner.known_issues(scope, page)).await
    }

    async fn update_known_issue(&self, issue: KnownIssue) -> Result<()> {
        self.through("update_known_issue", self.inner.update_known_issue(issue)).await
    }

    async fn delete_known_issue(&self, id: KnownIssueId) -> Result<()> {
        self.through("delete_known_issue", self.inner.delete_known_issue(id)).await
    }
}
