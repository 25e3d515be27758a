//! Subscriptions to notifications, and their deliveries.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use jobrunner_core::{
    BatchId, Conflict, DeliveryId, Error, Result, Status, SubscriptionId,
    notification::{
        Delivery, DeliveryReport, DeliveryStatus, Due, Event, EventKind, Gathered,
        MOST_SUBSCRIPTIONS, MOST_TOLD, Subscription, Take, WINDOW,
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
        let mut state = self.lock();
        let known = &mut state.subscriptions;
        let has = known.values().filter(|known| known.owner_id == subscription.owner_id).count();
        if has as i64 >= MOST_SUBSCRIPTIONS {
            return Err(Conflict::TooManySubscriptions { most: MOST_SUBSCRIPTIONS }.into());
        }
        known.insert(subscription.id, subscription.clone());
        state.begin_window(&subscription);
        Ok(())
    }

    async fn subscription(&self, id: SubscriptionId, scope: Scope) -> Result<Option<Subscription>> {
        let state = self.lock();
        let found = state.subscriptions.get(&id);
        Ok(found.filter(|found| is_in(&scope, found)).cloned())
    }

    async fn subscriptions(&self, scope: Scope, page: PageRequest) -> Result<Page<Subscription>> {
        let state = self.lock();
        let found = state.subscriptions.values().rev().filter(|it| is_in(&scope, it));
        Ok(page_of(found, page, |it| it.id.as_uuid()))
    }

    async fn update_subscription(&self, subscription: Subscription) -> Result<()> {
        let mut state = self.lock();
        let known = state.subscriptions.get_mut(&subscription.id);
        *known.ok_or(Error::NotFound("notification"))? = subscription.clone();
        state.begin_window(&subscription);
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
        (delivery.attempts, delivery.tried) = (report.attempts, report.tried);
        (delivery.status, delivery.due_at, *lease) = (report.status, report.due_at, None);
        Ok(true)
    }

    async fn close_windows(&self, now: DateTime<Utc>) -> Result<u64> {
        let State { deliveries, subscriptions, windows, .. } = &mut *self.lock();
        let mut messages = 0;
        for subscription in subscriptions.values() {
            let id = subscription.id;
            match (&subscription.what.window, windows.get_mut(&id)) {
                (Some(_), Some(end)) if *end > now => continue,
                (Some(window), Some(end)) => *end = window.end_after(now),
                _ => {}
            }
            let is_of =
                |it: &Delivery| it.subscription_id == id && it.status == DeliveryStatus::Gathered;
            let mut events = Vec::new();
            deliveries.retain(|_, (it, _)| {
                let stays = !is_of(it);
                if let (false, Some(batch_id)) = (stays, it.batch_id) {
                    let batch_name = it.batch_name.clone().unwrap_or_default();
                    events.push(Event { kind: it.kind.clone(), batch_id, batch_name });
                }
                stays
            });
            if events.is_empty() {
                continue;
            }
            messages += 1;
            let total = events.len() as u64;
            events.truncate(MOST_TOLD);
            let gathered = Some(Gathered { total, told: events });
            let message = Delivery { gathered, ..delivery(id, WINDOW, now) };
            deliveries.insert(message.id, (message, None));
        }
        Ok(messages)
    }

    async fn redeliver(&self, id: DeliveryId, now: DateTime<Utc>) -> Result<()> {
        if let Some((delivery, lease)) = self.lock().deliveries.get_mut(&id)
            && (delivery.status != DeliveryStatus::Waiting || lease.is_none())
            && delivery.status != DeliveryStatus::Gathered
        {
            (delivery.status, delivery.due_at) = (DeliveryStatus::Waiting, now);
            delivery.tried = 0;
        }
        Ok(())
    }

    async fn forget_deliveries(&self, before: DateTime<Utc>) -> Result<u64> {
        let State { deliveries, subscriptions, .. } = &mut *self.lock();
        let had = deliveries.len();
        let waits = |it: &Delivery| {
            let waits = [DeliveryStatus::Waiting, DeliveryStatus::Gathered].contains(&it.status);
            waits && subscriptions.contains_key(&it.subscription_id)
        };
        deliveries.retain(|_, (it, _)| waits(it) || it.created_at >= before);
        Ok((had - deliveries.len()) as u64)
    }
}

impl State {
    fn begin_window(&mut self, of: &Subscription) {
        match &of.what.window {
            Some(window) => self.windows.insert(of.id, window.end_after(Utc::now())),
            None => self.windows.remove(&of.id),
        };
    }

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
        let has_new = self.counts_of(batch).is_some_and(|counts| counts.new > 0);
        self.tell(batch, |asked| {
            [
                (EventKind::Recovered, recovered),
                (EventKind::NewFailures, has_new),
                (EventKind::Failed, failed),
                (EventKind::Finished, true),
            ]
            .into_iter()
            .find_map(|(kind, happened)| (happened && asked.contains(&kind)).then_some(kind))
        });
    }

    fn tell(&mut self, id: BatchId, kind: impl Fn(&[EventKind]) -> Option<EventKind>) {
        let Some(batch) = self.batches.get(&id) else { return };
        let (name, project) = (&batch.batch.name, &batch.batch.project);
        let series = batch.batch.series.name(name);
        let now = Utc::now();
        for subscription in self.subscriptions.values() {
            let what = &subscription.what;
            let is_theirs = match &what.project {
                Some(wanted) => project.as_ref() == Some(wanted),
                None => subscription.owner_id == batch.owner,
            };
            let is_meant = what.is_enabled
                && is_theirs
                && what.series.as_deref().is_none_or(|wanted| series == Some(wanted))
                && what.batch_name.as_ref().is_none_or(|wanted| wanted == name);
            let Some(kind) = kind(&what.on).filter(|_| is_meant) else { continue };
            let mut told = Delivery {
                batch_id: Some(id),
                batch_name: Some(name.clone()),
                ..delivery(subscription.id, kind.as_str(), now)
            };
            if let (Some(_), Some(end)) = (&what.window, self.windows.get(&subscription.id)) {
                (told.status, told.due_at) = (DeliveryStatus::Gathered, *end);
            }
            self.deliveries.insert(told.id, (told, None));
        }
    }
}

/// Returns a delivery about no batch, due at once.
fn delivery(of: SubscriptionId, kind: &str, now: DateTime<Utc>) -> Delivery {
    Delivery {
        id: DeliveryId::new(),
        subscription_id: of,
        kind: kind.to_owned(),
        batch_id: None,
        batch_name: None,
        created_at: now,
        due_at: now,
        status: DeliveryStatus::Waiting,
        attempts: Vec::new(),
        tried: 0,
        gathered: None,
    }
}

/// Returns whether somebody with this scope sees a subscription.
fn is_in(scope: &Scope, it: &Subscription) -> bool {
    scope.contains(it.owner_id, it.what.project.as_ref())
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
