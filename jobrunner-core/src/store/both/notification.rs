//! Subscriptions to notifications, and their deliveries.

use std::collections::{HashMap, hash_map::Entry};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{Connection, Store, bind, lock, sql, store_error};
use crate::{
    Conflict, DeliveryId, Error, Result, SubscriptionId, UserId,
    notification::{
        Delivery, DeliveryReport, Due, Event, Gathered, MOST_SUBSCRIPTIONS, MOST_TOLD,
        Subscription, Take, WINDOW, Window,
    },
    page::{Page, PageRequest},
    store::{
        NotificationStore,
        engine::{
            rows::{DeliveryRow, SubscriptionRow, state, stored_channel},
            values::{self, parse, render},
        },
    },
    user::Scope,
};

#[async_trait]
impl NotificationStore for Store {
    async fn create_subscription(&self, subscription: Subscription) -> Result<()> {
        self.change(|c| Box::pin(create(c, subscription))).await
    }

    async fn subscription(&self, id: SubscriptionId, scope: Scope) -> Result<Option<Subscription>> {
        if scope == Scope::Nothing {
            return Ok(None);
        }
        let row: Option<SubscriptionRow> =
            sqlx::query_as(sql!("subscription/columns", "subscription/get"))
                .bind(id.as_uuid())
                .bind(scope.owner().map(UserId::as_uuid))
                .bind(bind::names(scope.projects())?)
                .bind(scope.or_owner().map(UserId::as_uuid))
                .fetch_optional(self.reads())
                .await
                .map_err(store_error)?;
        row.map(SubscriptionRow::into_subscription).transpose()
    }

    async fn subscriptions(&self, scope: Scope, page: PageRequest) -> Result<Page<Subscription>> {
        let (owner, projects) = (scope.owner().map(UserId::as_uuid), scope.projects());
        let list = match (&scope, projects) {
            (Scope::Nothing, _) => return Ok(Page::empty()),
            (_, Some(_)) => sql!("subscription/columns", "subscription/list_shared"),
            (Scope::All, None) => sql!("subscription/columns", both "subscription/list_of_all"),
            (_, None) => sql!("subscription/columns", both "subscription/list_of_owner"),
        };
        let list = sqlx::query_as(list)
            .bind(page.after.unwrap_or(Uuid::max()))
            .bind(i64::from(page.limit) + 1);
        let list = if scope == Scope::All { list } else { list.bind(owner) };
        let list = match projects {
            Some(_) => {
                let or_owner = scope.or_owner().map(UserId::as_uuid);
                list.bind(bind::names(projects)?).bind(or_owner)
            }
            None => list,
        };
        let rows: Vec<SubscriptionRow> = list.fetch_all(self.reads()).await.map_err(store_error)?;
        Page::from_surplus(rows, page.limit, |row| row.id)
            .try_map(SubscriptionRow::into_subscription)
    }

    async fn update_subscription(&self, subscription: Subscription) -> Result<()> {
        let what = subscription.what;
        let update = sqlx::query(sql!(both "subscription/update"))
            .bind(subscription.id.as_uuid())
            .bind(what.name)
            .bind(what.series)
            .bind(what.batch_name)
            .bind(render(&what.on)?)
            .bind(stored_channel(&what.channel)?)
            .bind(what.window.as_ref().map(render).transpose()?)
            .bind(what.is_enabled)
            .bind(window_end(what.window.as_ref()));
        match self.execute(update).await? {
            0 => Err(Error::NotFound("notification")),
            _ => Ok(()),
        }
    }

    async fn delete_subscription(&self, id: SubscriptionId) -> Result<()> {
        self.change(move |c| Box::pin(delete(c, id))).await
    }

    async fn create_delivery(&self, delivery: Delivery) -> Result<()> {
        let insert = sqlx::query(sql!(both "delivery/insert"))
            .bind(delivery.id.as_uuid())
            .bind(delivery.subscription_id.as_uuid())
            .bind(delivery.kind)
            .bind(bind::time(delivery.created_at))
            .bind(delivery.gathered.as_ref().map(render).transpose()?);
        self.execute(insert).await.map(|_| ())
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>> {
        let row: Option<DeliveryRow> =
            sqlx::query_as(sql!("delivery/columns", both "delivery/get"))
                .bind(id.as_uuid())
                .fetch_optional(self.reads())
                .await
                .map_err(store_error)?;
        row.map(DeliveryRow::into_delivery).transpose()
    }

    async fn deliveries(
        &self,
        subscription: SubscriptionId,
        page: PageRequest,
    ) -> Result<Page<Delivery>> {
        let rows: Vec<DeliveryRow> = sqlx::query_as(sql!("delivery/columns", both "delivery/list"))
            .bind(page.after.unwrap_or(Uuid::max()))
            .bind(i64::from(page.limit) + 1)
            .bind(subscription.as_uuid())
            .fetch_all(self.reads())
            .await
            .map_err(store_error)?;
        Page::from_surplus(rows, page.limit, |row| row.id).try_map(DeliveryRow::into_delivery)
    }

    async fn take_deliveries(&self, take: Take) -> Result<Vec<Due>> {
        let but = take.but.iter().map(|id| id.as_uuid()).collect();
        let due: Vec<Uuid> = sqlx::query_scalar(sql!("delivery/due"))
            .bind(bind::time(take.now))
            .bind(i64::from(take.of_each))
            .bind(i64::from(take.most))
            .bind(bind::ids(but)?)
            .fetch_all(self.reads())
            .await
            .map_err(store_error)?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let lease = Uuid::now_v7();
        let taken = self.change(move |c| Box::pin(take_these(c, due, take, lease))).await?;
        let mut subscriptions: HashMap<SubscriptionId, Subscription> = HashMap::new();
        let mut found = Vec::with_capacity(taken.len());
        for id in taken {
            let Some(delivery) = self.delivery(id.into()).await? else { continue };
            let of = delivery.subscription_id;
            let subscription = match subscriptions.entry(of) {
                Entry::Occupied(known) => known.get().clone(),
                // Deleted meanwhile, with its deliveries, if there is none.
                Entry::Vacant(place) => match self.subscription(of, Scope::All).await? {
                    Some(known) => place.insert(known).clone(),
                    None => continue,
                },
            };
            found.push(Due { delivery, subscription, lease });
        }
        Ok(found)
    }

    async fn report_delivery(&self, report: DeliveryReport) -> Result<bool> {
        let stored = sqlx::query(sql!(both "delivery/report"))
            .bind(report.id.as_uuid())
            .bind(report.lease)
            .bind(render(&report.attempts)?)
            .bind(state(report.status))
            .bind(bind::time(report.due_at))
            .bind(i32::try_from(report.tried).unwrap_or(i32::MAX));
        self.execute(stored).await.map(|changed| changed > 0)
    }

    async fn close_windows(&self, now: DateTime<Utc>) -> Result<u64> {
        let ended: Vec<WindowRow> = sqlx::query_as(sql!("subscription/ended_windows"))
            .bind(bind::time(now))
            .fetch_all(self.reads())
            .await
            .map_err(store_error)?;
        let mut messages = 0;
        for window in ended {
            messages += self.change(move |c| Box::pin(close(c, window, now))).await?;
        }
        Ok(messages)
    }

    async fn redeliver(&self, id: DeliveryId, now: DateTime<Utc>) -> Result<()> {
        let again = sqlx::query(sql!(both "delivery/again")).bind(id.as_uuid());
        self.execute(again.bind(bind::time(now))).await.map(|_| ())
    }

    async fn forget_deliveries(&self, before: DateTime<Utc>) -> Result<u64> {
        let millis = u64::try_from(before.timestamp_millis()).unwrap_or_default();
        let least = Uuid::from_u128(u128::from(millis) << 80);
        self.execute(sqlx::query(sql!(both "delivery/forget")).bind(least)).await
    }
}

/// When the window that is open now ends.
fn window_end(window: Option<&Window>) -> Option<bind::Time> {
    window.map(|window| bind::time(window.end_after(Utc::now())))
}

/// A subscription whose window has ended.
#[derive(FromRow)]
struct WindowRow {
    id: Uuid,
    digest: Option<String>,
    window_ends_at: Option<i64>,
}

#[derive(FromRow)]
struct EventRow {
    id: Uuid,
    kind: String,
    batch_id: Uuid,
    batch_name: String,
}

/// Begins the next window, and makes a message of what was gathered in the one that has ended; how
/// many messages that are.
async fn close(connection: &mut Connection, ended: WindowRow, now: DateTime<Utc>) -> Result<u64> {
    let window: Option<Window> = ended.digest.as_deref().map(parse).transpose()?;
    let end = ended.window_ends_at.map(values::time).transpose()?;
    let begun = sqlx::query(sql!(both "subscription/next_window"))
        .bind(ended.id)
        .bind(end.map(bind::time))
        .bind(window.map(|window| bind::time(window.end_after(now))))
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    if begun.rows_affected() == 0 {
        // Somebody else has closed it.
        return Ok(0);
    }
    let mut events: Vec<EventRow> = sqlx::query_as(sql!(both "delivery/gathered"))
        .bind(ended.id)
        .fetch_all(&mut *connection)
        .await
        .map_err(store_error)?;
    if events.is_empty() {
        return Ok(0);
    }
    let total = events.len() as u64;
    events.sort_unstable_by_key(|event| event.id);
    events.truncate(MOST_TOLD);
    let told = events.into_iter().map(|event| Event {
        kind: event.kind,
        batch_id: event.batch_id.into(),
        batch_name: event.batch_name,
    });
    sqlx::query(sql!(both "delivery/insert"))
        .bind(DeliveryId::new().as_uuid())
        .bind(ended.id)
        .bind(WINDOW)
        .bind(bind::time(now))
        .bind(render(&Gathered { total, told: told.collect() })?)
        .execute(connection)
        .await
        .map(|_| 1)
        .map_err(store_error)
}

async fn create(connection: &mut Connection, subscription: Subscription) -> Result<()> {
    lock::accounts(connection).await?;
    let owner = subscription.owner_id.as_uuid();
    let count: i64 = sqlx::query_scalar(sql!(both "subscription/count"))
        .bind(owner)
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    if count >= MOST_SUBSCRIPTIONS {
        return Err(Conflict::TooManySubscriptions { most: MOST_SUBSCRIPTIONS }.into());
    }
    let what = subscription.what;
    sqlx::query(sql!(both "subscription/insert"))
        .bind(subscription.id.as_uuid())
        .bind(owner)
        .bind(what.name)
        .bind(what.project.map(String::from))
        .bind(what.series)
        .bind(what.batch_name)
        .bind(render(&what.on)?)
        .bind(stored_channel(&what.channel)?)
        .bind(what.window.as_ref().map(render).transpose()?)
        .bind(what.is_enabled)
        .bind(window_end(what.window.as_ref()))
        .bind(bind::time(subscription.created_at))
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(store_error)
}

async fn delete(connection: &mut Connection, id: SubscriptionId) -> Result<()> {
    for sql in [sql!(both "subscription/delete"), sql!(both "delivery/delete_of_subscription")] {
        sqlx::query(sql).bind(id.as_uuid()).execute(&mut *connection).await.map_err(store_error)?;
    }
    Ok(())
}

async fn take_these(
    connection: &mut Connection,
    due: Vec<Uuid>,
    take: Take,
    lease: Uuid,
) -> Result<Vec<Uuid>> {
    let leased = sqlx::query_scalar(sql!("delivery/lease"))
        .bind(bind::ids(due)?)
        .bind(bind::time(take.now))
        .bind(bind::time(take.until))
        .bind(lease);
    leased.fetch_all(connection).await.map_err(store_error)
}
