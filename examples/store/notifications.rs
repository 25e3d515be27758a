//! Subscriptions to notifications, and their deliveries.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jobrunner_core::{
    BatchId, Conflict, DeliveryId, Error, Result, Status, SubscriptionId,
    notification::{
        Delivery, DeliveryReport, DeliveryStatus, Due, EventKind, MOST_SUBSCRIPTIONS, Subscription,
        Take,
    },
    page::{Page, PageRequest},
    store::NotificationStore,
    user::Scope,
};
use uuid::Uuid;

use crate::{Memory, state::State};

#[async_trait]
impl NotificationStore for Memory {
    async fn create_subscription(&self, subscription: Subscription) -> Result<()> {
        let known = &mut self.lock().subscriptions;
        let has = known.values().filter(|known| known.owner_id == subscription.owner_id).count();
        if has as i64 >= MOST_SUBSCRIPTIONS {
            return Err(Conflict::TooManySubscriptions { most: MOST_SUBSCRIPTIONS }.into());
        }
        known.insert(subscription.id, subscription);
        Ok(())
    }

    async fn subscription(&self, id: SubscriptionId, scope: Scope) -> Result<Option<Subscription>> {
        let state = self.lock();
        let found = state.subscriptions.get(&id);
        Ok(found.filter(|found| scope.contains(found.owner_id, None)).cloned())
    }

    async fn subscriptions(&self, scope: Scope, page: PageRequest) -> Result<Page<Subscription>> {
        let state = self.lock();
        let found =
            state.subscriptions.values().rev().filter(|it| scope.contains(it.owner_id, None));
        Ok(page_of(found, page, |it| it.id.as_uuid()))
    }

    async fn update_subscription(&self, subscription: Subscription) -> Result<()> {
        let mut state = self.lock();
        let known = state.subscriptions.get_mut(&subscription.id);
        *known.ok_or(Error::NotFound("notification"))? = subscription;
        Ok(())
    }

    async fn delete_subscription(&self, id: SubscriptionId) -> Result<()> {
        let mut state = self.lock();
        state.subscriptions.remove(&id);
        state.deliveries.retain(|_, (delivery, _)| delivery.subscription_id != id);
        Ok(())
    }

    async fn create_delivery(&self, delivery: Delivery) -> Result<()> {
        self.lock().deliveries.insert(delivery.id, (delivery, None));
        Ok(())
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>> {
        Ok(self.lock().deliveries.get(&id).map(|(delivery, _)| delivery.clone()))
    }

    async fn deliveries(
        &self,
        subscription: SubscriptionId,
        page: PageRequest,
    ) -> Result<Page<Delivery>> {
        let state = self.lock();
        let newest = state.deliveries.values().rev().map(|(delivery, _)| delivery);
        let found = newest.filter(|delivery| delivery.subscription_id == subscription);
        Ok(page_of(found, page, |it| it.id.as_uuid()))
    }

    async fn take_deliveries(&self, take: Take) -> Result<Vec<Due>> {
        let state = &mut *self.lock();
        let lease = Uuid::now_v7();
        let (mut taken, mut of_each) = (Vec::new(), HashMap::new());
        let mut deliveries: Vec<_> = state.deliveries.values_mut().collect();
        deliveries.sort_by_key(|(delivery, _)| delivery.due_at);
        for (delivery, held_by) in deliveries {
            let of = delivery.subscription_id;
            let is_due = delivery.status == DeliveryStatus::Waiting && delivery.due_at <= take.now;
            let subscription = state.subscriptions.get(&of).filter(|it| it.what.is_enabled);
            let Some(subscription) = subscription.filter(|_| is_due && !take.but.contains(&of))
            else {
                continue;
            };
            let already: &mut u32 = of_each.entry(of).or_default();
            if *already == take.of_each || taken.len() as u32 == take.most {
                continue;
            }
            *already += 1;
            (delivery.due_at, *held_by) = (take.until, Some(lease));
            let (delivery, subscription) = (delivery.clone(), subscription.clone());
            taken.push(Due { delivery, subscription, lease });
        }
        Ok(taken)
    }

    async fn report_delivery(&self, report: DeliveryReport) -> Result<bool> {
        let mut state = self.lock();
        let known = state.deliveries.get_mut(&report.id);
        let Some((delivery, lease)) = known.filter(|(_, held)| *held == Some(report.lease)) else {
            return Ok(false);
        };
        delivery.attempts = report.attempts;
        (delivery.status, delivery.due_at, *lease) = (report.status, report.due_at, None);
        Ok(true)
    }

    async fn redeliver(&self, id: DeliveryId, now: DateTime<Utc>) -> Result<()> {
        if let Some((delivery, lease)) = self.lock().deliveries.get_mut(&id)
            && (delivery.status != DeliveryStatus::Waiting || lease.is_none())
        {
            (delivery.status, delivery.due_at) = (DeliveryStatus::Waiting, now);
        }
        Ok(())
    }

    async fn forget_deliveries(&self, before: DateTime<Utc>) -> Result<u64> {
        let State { deliveries, subscriptions, .. } = &mut *self.lock();
        let had = deliveries.len();
        let waits = |it: &Delivery| {
            it.status == DeliveryStatus::Waiting && subscriptions.contains_key(&it.subscription_id)
        };
        deliveries.retain(|_, (it, _)| waits(it) || it.created_at >= before);
        Ok((had - deliveries.len()) as u64)
    }
}

impl State {
    /// Adds a delivery of the first failure of this batch for each subscription that asks for it,
    /// once.
    pub(crate) fn tell_failure(&mut self, batch: BatchId) {
        let is_told = |it: &Delivery| {
            it.batch_id == Some(batch) && it.kind == EventKind::FirstFailure.as_str()
        };
        if !self.deliveries.values().any(|(delivery, _)| is_told(delivery)) {
            self.tell(batch, |asked| {
                asked.contains(&EventKind::FirstFailure).then_some(EventKind::FirstFailure)
            });
        }
    }

    /// Adds a delivery of the end of this batch for each subscription that asks for it, of the
    /// strongest kind that it names.
    pub(crate) fn tell_end(&mut self, batch: BatchId) {
        let Some(ended) = self.batches.get(&batch) else { return };
        let (failed, passed) = (ended.status == Status::Failed, ended.status == Status::Passed);
        let is_alike = |(id, it): &(&BatchId, &crate::state::BatchEntry)| {
            **id < batch
                && it.owner == ended.owner
                && it.batch.name == ended.batch.name
                && it.finished_at.is_some()
        };
        let before = self.batches.iter().rev().find(is_alike).map(|(_, it)| it.status);
        let recovered = passed && before == Some(Status::Failed);
        self.tell(batch, |asked| {
            [
                (EventKind::Recovered, recovered),
                (EventKind::Failed, failed),
                (EventKind::Finished, true),
            ]
            .into_iter()
            .find_map(|(kind, happened)| (happened && asked.contains(&kind)).then_some(kind))
        });
    }

    fn tell(&mut self, id: BatchId, kind: impl Fn(&[EventKind]) -> Option<EventKind>) {
        let Some(batch) = self.batches.get(&id) else { return };
        let name = &batch.batch.name;
        let now = Utc::now();
        for subscription in self.subscriptions.values() {
            let what = &subscription.what;
            let is_meant = what.is_enabled
                && subscription.owner_id == batch.owner
                && what.batch_name.as_ref().is_none_or(|wanted| wanted == name);
            let Some(kind) = kind(&what.on).filter(|_| is_meant) else { continue };
            let delivery = Delivery {
                id: DeliveryId::new(),
                subscription_id: subscription.id,
                kind: kind.to_string(),
                batch_id: Some(id),
                batch_name: Some(name.clone()),
                created_at: now,
                due_at: now,
                status: DeliveryStatus::Waiting,
                attempts: Vec::new(),
            };
            self.deliveries.insert(delivery.id, (delivery, None));
        }
    }
}

/// Returns a page of these items, newest first.
pub(crate) fn page_of<'s, T: Clone + 's>(
    newest: impl Iterator<Item = &'s T>,
    page: PageRequest,
    id: impl Fn(&T) -> Uuid,
) -> Page<T> {
    let rest = newest.filter(|it| page.after.is_none_or(|after| id(it) < after));
    let found = rest.take(page.limit as usize + 1).cloned().collect();
    Page::from_surplus(found, page.limit, id)
}
