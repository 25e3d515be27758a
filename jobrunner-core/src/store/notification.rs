use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    DeliveryId, Result, SubscriptionId,
    notification::{Delivery, DeliveryReport, Due, Subscription, Take},
    page::{Page, PageRequest},
    user::Scope,
};

/// Subscriptions to notifications, and their deliveries.
///
/// What tells of a batch is stored by the change that it tells of: a job that fails stores a
/// `first_failure`, once of each batch, and the end of a batch one message for each enabled
/// subscription of its owner or of its project that asks for it, of the kind that tells most:
/// `recovered`, `new_failures`, `failed`, `finished`, in this order. For a subscription with a
/// window it is gathered until that ends.
#[async_trait]
pub trait NotificationStore: Send + Sync {
    /// Stores a subscription.
    ///
    /// # Errors
    /// [`Conflict`](crate::Error::Conflict) when its owner has
    /// [as many](crate::notification::MOST_SUBSCRIPTIONS) as an account may.
    async fn create_subscription(&self, subscription: Subscription) -> Result<()>;

    /// A subscription within the scope.
    async fn subscription(&self, id: SubscriptionId, scope: Scope) -> Result<Option<Subscription>>;

    /// Subscriptions within the scope, newest first.
    async fn subscriptions(&self, scope: Scope, page: PageRequest) -> Result<Page<Subscription>>;

    /// Stores a subscription in the place of the one with its id.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    async fn update_subscription(&self, subscription: Subscription) -> Result<()>;

    /// Forgets a subscription with its deliveries. One that is not there is not missed.
    async fn delete_subscription(&self, id: SubscriptionId) -> Result<()>;

    /// Stores a delivery that is about no batch, due when it is made.
    async fn create_delivery(&self, delivery: Delivery) -> Result<()>;

    /// A delivery, whosever it is.
    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>>;

    /// The deliveries of a subscription, newest first.
    async fn deliveries(
        &self,
        subscription: SubscriptionId,
        page: PageRequest,
    ) -> Result<Page<Delivery>>;

    /// Leases deliveries that are due. One whose lease ends without a report is due again.
    async fn take_deliveries(&self, take: Take) -> Result<Vec<Due>>;

    /// Stores how an attempt went. False, and nothing is stored, when its lease is not the one that
    /// the delivery has.
    async fn report_delivery(&self, report: DeliveryReport) -> Result<bool>;

    /// Makes a delivery due now, whatever became of it, with all attempts before it; one that is
    /// being tried is left to that, and what is gathered to its window.
    async fn redeliver(&self, id: DeliveryId, now: DateTime<Utc>) -> Result<()>;

    /// Makes one message of all that was gathered in each window that has ended, once, and begins
    /// the next; answers how many messages. What is gathered without a window, since it was taken
    /// away meanwhile, is told by a message, too.
    async fn close_windows(&self, now: DateTime<Utc>) -> Result<u64>;

    /// Forgets deliveries that were made before and wait for nothing; answers how many.
    async fn forget_deliveries(&self, before: DateTime<Utc>) -> Result<u64>;
}
