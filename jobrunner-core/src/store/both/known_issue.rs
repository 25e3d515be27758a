//! Known issues.

use async_trait::async_trait;
use chrono::Utc;
use uuid::Uuid;

use super::{Connection, Store, bind, lock, run::RunRow, sql, store_error};
use crate::{
    BatchId, Conflict, Error, KnownIssueId, ProjectName, Result, UserId,
    known_issue::{KnownIssue, MOST_KNOWN_ISSUES, Rules},
    page::{Page, PageRequest},
    store::{
        KnownIssueStore,
        engine::{identity::stored_variant, plan, rows::KnownIssueRow},
    },
    user::Scope,
};

#[async_trait]
impl KnownIssueStore for Store {
    async fn create_known_issue(&self, issue: KnownIssue) -> Result<()> {
        self.change(|c| Box::pin(create(c, issue))).await
    }

    async fn known_issue(&self, id: KnownIssueId, scope: Scope) -> Result<Option<KnownIssue>> {
        let Some(scope) = plan::shown(scope) else { return Ok(None) };
        let row: Option<KnownIssueRow> =
            sqlx::query_as(sql!("known_issue/columns", "known_issue/get"))
                .bind(id.as_uuid())
                .bind(scope.owner().map(UserId::as_uuid))
                .bind(bind::names(scope.projects())?)
                .bind(scope.or_owner().map(UserId::as_uuid))
                .fetch_optional(self.reads())
                .await
                .map_err(store_error)?;
        row.map(KnownIssueRow::into_issue).transpose()
    }

    async fn known_issues(&self, scope: Scope, page: PageRequest) -> Result<Page<KnownIssue>> {
        let Some(scope) = plan::shown(scope) else { return Ok(Page::empty()) };
        let rows: Vec<KnownIssueRow> =
            sqlx::query_as(sql!("known_issue/columns", "known_issue/list"))
                .bind(page.after.unwrap_or(Uuid::max()))
                .bind(scope.owner().map(UserId::as_uuid))
                .bind(bind::names(scope.projects())?)
                .bind(scope.or_owner().map(UserId::as_uuid))
                .bind(i64::from(page.limit) + 1)
                .fetch_all(self.reads())
                .await
                .map_err(store_error)?;
        Page::from_surplus(rows, page.limit, |row| row.id).try_map(KnownIssueRow::into_issue)
    }

    async fn update_known_issue(&self, issue: KnownIssue) -> Result<()> {
        let update = sqlx::query(sql!(both "known_issue/update"))
            .bind(issue.id.as_uuid())
            .bind(issue.owner_id.as_uuid())
            .bind(issue.title)
            .bind(issue.series)
            .bind(issue.test)
            .bind(stored_variant(&issue.variant)?)
            .bind(issue.pattern)
            .bind(issue.effect.as_str())
            .bind(issue.ticket)
            .bind(bind::time(issue.expires_at));
        match self.execute(update).await? {
            0 => Err(Error::NotFound("known issue")),
            _ => Ok(()),
        }
    }

    async fn delete_known_issue(&self, id: KnownIssueId) -> Result<()> {
        let delete = sqlx::query(sql!(both "known_issue/delete")).bind(id.as_uuid());
        self.execute(delete).await.map(|_| ())
    }
}

async fn create(connection: &mut Connection, issue: KnownIssue) -> Result<()> {
    lock::accounts(connection).await?;
    let count: i64 = sqlx::query_scalar(sql!(both "known_issue/count"))
        .bind(issue.project.as_ref().map(ProjectName::as_str))
        .bind(issue.owner_id.as_uuid())
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    if count >= MOST_KNOWN_ISSUES {
        return Err(Conflict::TooManyKnownIssues { most: MOST_KNOWN_ISSUES }.into());
    }
    sqlx::query(sql!(both "known_issue/insert"))
        .bind(issue.id.as_uuid())
        .bind(issue.owner_id.as_uuid())
        .bind(issue.project.as_ref().map(ProjectName::as_str))
        .bind(issue.title)
        .bind(issue.series)
        .bind(issue.test)
        .bind(stored_variant(&issue.variant)?)
        .bind(issue.pattern)
        .bind(issue.effect.as_str())
        .bind(issue.ticket)
        .bind(bind::time(issue.created_at))
        .bind(bind::time(issue.expires_at))
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// Those that hold for a batch now.
pub(super) async fn of_batch(
    connection: &mut Connection,
    batch: BatchId,
    run: &RunRow,
) -> Result<Rules> {
    if !run.has_issues {
        return Ok(Rules::default());
    }
    let rows: Vec<KnownIssueRow> =
        sqlx::query_as(sql!("known_issue/columns", both "known_issue/of_batch"))
            .bind(batch.as_uuid())
            .bind(bind::time(Utc::now()))
            .bind(run.series.clone())
            .fetch_all(connection)
            .await
            .map_err(store_error)?;
    let issues: Result<Vec<_>> = rows.into_iter().map(KnownIssueRow::into_issue).collect();
    issues.map(Rules::from)
}
