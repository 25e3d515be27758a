use async_trait::async_trait;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{PostgresStore, rows, sql, store_error};
use crate::{
    Result, UserId,
    audit::{AuditAction, AuditEvent, AuditFilter, TargetType},
    page::{Page, PageRequest},
    store::{
        AuditStore,
        audit::{By, EventRow},
    },
};

#[async_trait]
impl AuditStore for PostgresStore {
    async fn record(&self, event: AuditEvent) -> Result<()> {
        self.change(|c| Box::pin(insert(c, event))).await
    }

    async fn audit_events(
        &self,
        filter: &AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEvent>> {
        let sql = match By::of(filter) {
            By::Nothing => sql!("audit/list_of_all"),
            By::Actor => sql!("audit/list_of_actor"),
            By::Action => sql!("audit/list_of_action"),
            By::Target => sql!("audit/list_of_target"),
        };
        let rows: Vec<EventRow> = sqlx::query_as(sql)
            .bind(filter.actor.map(UserId::as_uuid))
            .bind(filter.action.map(AuditAction::as_str))
            .bind(&filter.target)
            .bind(page.after.unwrap_or(Uuid::max()))
            .bind(i64::from(page.limit) + 1)
            .fetch_all(&self.pools.reads)
            .await
            .map_err(store_error)?;
        let events: Result<Vec<AuditEvent>> = rows.into_iter().map(EventRow::into_event).collect();
        Ok(Page::from_surplus(events?, page.limit, |event| event.id.as_uuid()))
    }
}

async fn insert(connection: &mut PgConnection, event: AuditEvent) -> Result<()> {
    sqlx::query(sql!("audit/insert"))
        .bind(event.id.as_uuid())
        .bind(event.created_at)
        .bind(event.actor_id.map(UserId::as_uuid))
        .bind(event.actor_email)
        .bind(event.action.as_str())
        .bind(event.target_type.map(TargetType::as_str))
        .bind(event.target_id)
        .bind(event.target_name)
        .bind(rows::render(&event.details)?)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}
