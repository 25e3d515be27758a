use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::Faulty;
use crate::{
    DeliveryId, Result, SubscriptionId,
    notification::{Delivery, DeliveryReport, Due, Subscription, Take},
    page::{Page, PageRequest},
    store::NotificationStore,
    user::Scope,
};

#[async_trait]
impl NotificationStore for Faulty {
    async fn create_subscription(&self, subscription: Subscription) -> Result<()> {
        self.through("create_subscription", self.inner.create_subscription(subscription)).await
    }

    async fn subscription(&self, id: SubscriptionId, scope: Scope) -> Result<Option<Subscription>> {
        self.through("subscription", self.inner.subscription(id, scope)).await
    }

    async fn subscriptions(&self, scope: Scope, page: PageRequest) -> Result<Page<Subscription>> {
        self.through("subscriptions", self.inner.subscriptions(scope, page)).await
    }

    async fn update_subscription(&self, subscription: Subscription) -> Result<()> {
        self.through("update_subscription", self.inner.update_subscription(subscription)).await
    }

    async fn delete_subscription(&self, id: SubscriptionId) -> Result<()> {
        self.through("delete_subscription", self.inner.delete_subscription(id)).await
    }

    async fn create_delivery(&self, delivery: Delivery) -> Result<()> {
        self.through("create_delivery", self.inner.create_delivery(delivery)).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>> {
        self.through("delivery", self.inner.delivery(id)).await
    }

    async fn deliveries(&self, of: SubscriptionId, page: PageRequest) -> Result<Page<Delivery>> {
        self.through("deliveries", self.inner.deliveries(of, page)).await
    }

    async fn take_deliveries(&self, take: Take) -> Result<Vec<Due>> {
        self.through("take_deliveries", self.inner.take_deliveries(take)).await
    }

    async fn report_delivery(&self, report: DeliveryReport) -> Result<bool> {
        self.through("report_delivery", self.inner.report_delivery(report)).await
    }

    async fn close_windows(&self, now: DateTime<Utc>) -> Result<u64> {
        self.through("close_windows", self.inner.close_windows(now)).await
    }

    async fn redeliver(&self, id: DeliveryId, now: DateTime<Utc>) -> Result<()> {
        self.through("redeliver", self.inner.redeliver(id, now)).await
    }

    async fn forget_deliveries(&self, before: DateTime<Utc>) -> Result<u64> {
        self.through("forget_deliveries", self.inner.forget_deliveries(before)).await
    }
}
