//! The audit.

use async_trait::async_trait;
use sqlx::query::QueryAs;
use uuid::Uuid;

use super::{Arguments, Connection, Database, Store, bind, sql, store_error};
use crate::{
    Result, UserId,
    audit::{AuditAction, AuditEvent, AuditFilter, TargetType},
    page::{Page, PageRequest},
    store::{
        AuditStore,
        engine::{
            plan::{self, EventList},
            rows::EventRow,
            values::render,
        },
    },
};

#[async_trait]
impl AuditStore for Store {
    async fn record(&self, event: AuditEvent) -> Result<()> {
        self.change(|c| Box::pin(insert(c, event))).await
    }

    async fn audit_events(
        &self,
        filter: &AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEvent>> {
        let list = plan::events(filter);
        let sql = match list {
            EventList::All => sql!("audit/columns", both "audit/list_of_all"),
            EventList::OfAction => sql!("audit/columns", both "audit/list_of_action"),
            EventList::OfActor => sql!("audit/columns", both "audit/list_of_actor"),
            EventList::OfTarget => sql!("audit/columns", both "audit/list_of_target"),
        };
        let query: QueryAs<'_, Database, EventRow, Arguments> = sqlx::query_as(sql)
            .bind(page.after.unwrap_or(Uuid::max()))
            .bind(i64::from(page.limit) + 1);
        let action = filter.action.map(AuditAction::as_str);
        let actor = filter.actor.map(UserId::as_uuid);
        let query = match list {
            EventList::All => query,
            EventList::OfAction => query.bind(action),
            EventList::OfActor => query.bind(actor).bind(action),
            EventList::OfTarget => query.bind(&filter.target).bind(action).bind(actor),
        };
        let rows = query.fetch_all(self.reads()).await.map_err(store_error)?;
        Page::from_surplus(rows, page.limit, EventRow::id).try_map(EventRow::into_event)
    }
}

async fn insert(connection: &mut Connection, event: AuditEvent) -> Result<()> {
    sqlx::query(sql!(both "audit/insert"))
        .bind(event.id.as_uuid())
        .bind(bind::time(event.created_at))
        .bind(event.actor_id.map(UserId::as_uuid))
        .bind(event.actor_email)
        .bind(event.action.as_str())
        .bind(event.target_type.map(TargetType::as_str))
        .bind(event.target_id)
        .bind(event.target_name)
        .bind(render(&event.details)?)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}
