use async_trait::async_trait;

use crate::{
    KnownIssueId, Result,
    known_issue::KnownIssue,
    page::{Page, PageRequest},
    user::Scope,
};

/// Known issues.
///
/// Those of the project of a batch, or without one those of its owner that have none, hold for its
/// tests as long as it goes on. What a batch that has ended was found to be is not looked at again.
#[async_trait]
pub trait KnownIssueStore: Send + Sync {
    /// Stores a known issue.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when its project, or without one its owner, has [as
    /// many](crate::known_issue::MOST_KNOWN_ISSUES) as it may.
    async fn create_known_issue(&self, issue: KnownIssue) -> Result<()>;

    /// A known issue within the scope.
    async fn known_issue(&self, id: KnownIssueId, scope: Scope) -> Result<Option<KnownIssue>>;

    /// Known issues within the scope, newest first.
    async fn known_issues(&self, scope: Scope, page: PageRequest) -> Result<Page<KnownIssue>>;

    /// Stores a known issue in the place of the one with its id. Its project stays.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    async fn update_known_issue(&self, issue: KnownIssue) -> Result<()>;

    /// Forgets a known issue. One that is not there is not missed.
    async fn delete_known_issue(&self, id: KnownIssueId) -> Result<()>;
}
