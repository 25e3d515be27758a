use std::sync::Arc;

use chrono::{SubsecRound, Utc};

use super::{Service, audit::Deed};
use crate::{
    Conflict, DeliveryId, Error, ProjectName, Result, SubscriptionId,
    audit::AuditAction,
    authz::{Action, Principal, Thing},
    notification::{
        Delivery, DeliveryStatus, NewSubscription, Subscription, SubscriptionUpdate, TEST,
    },
    page::{Page, PageRequest},
    store::NotificationStore,
    user::Scope,
};

const NO_SUCH: Error = Error::NotFound("notification");

impl Service {
    /// Subscribes to what becomes of the caller's batches, or of those of a project.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden) for viewers, and for a project unless the caller maintains
    /// it; [`NotFound`](Error::NotFound) for a project that they do not see;
    /// [`Invalid`](Error::Invalid), [`Conflict`](Error::Conflict) when the account has too many.
    pub async fn create_notification(
        &self,
        caller: &Principal,
        what: NewSubscription,
    ) -> Result<Subscription> {
        let action = needed(what.project.as_ref());
        self.check_place(caller, action, what.project.as_ref()).await?;
        what.check()?;
        let subscription = Subscription {
            id: SubscriptionId::new(),
            owner_id: caller.id,
            what,
            // What is shown now is what will be read back.
            created_at: Utc::now().trunc_subsecs(3),
        };
        let deed = Deed::on_subscription(AuditAction::CreateNotification, &subscription);
        self.record(caller, deed).await?;
        self.parts.store.create_subscription(subscription.clone()).await?;
        Ok(subscription)
    }

    /// One subscription.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), also for those out of the caller's scope.
    pub async fn notification(
        &self,
        caller: &Principal,
        id: SubscriptionId,
    ) -> Result<Subscription> {
        self.parts.authz.check(caller, Action::Read)?;
        let scope = self.parts.authz.scope(caller);
        self.parts.store.subscription(id, scope).await?.ok_or(NO_SUCH)
    }

    /// The subscriptions within the caller's scope, newest first.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden).
    pub async fn notifications(
        &self,
        caller: &Principal,
        page: PageRequest,
    ) -> Result<Page<Subscription>> {
        self.parts.authz.check(caller, Action::Read)?;
        self.parts.store.subscriptions(self.parts.authz.scope(caller), page).await
    }

    /// Changes a subscription.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Forbidden`](Error::Forbidden) for viewers,
    /// [`Invalid`](Error::Invalid).
    pub async fn update_notification(
        &self,
        caller: &Principal,
        id: SubscriptionId,
        update: SubscriptionUpdate,
    ) -> Result<Subscription> {
        let subscription = self.controlled(caller, id).await?.updated(update)?;
        let deed = Deed::on_subscription(AuditAction::UpdateNotification, &subscription);
        self.record(caller, deed).await?;
        self.parts.store.update_subscription(subscription.clone()).await?;
        Ok(subscription)
    }

    /// Ends a subscription; nothing of it is delivered any more, and its deliveries are forgotten.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`Forbidden`](Error::Forbidden) for viewers.
    pub async fn delete_notification(&self, caller: &Principal, id: SubscriptionId) -> Result<()> {
        let subscription = self.controlled(caller, id).await?;
        let deed = Deed::on_subscription(AuditAction::DeleteNotification, &subscription);
        self.record(caller, deed).await?;
        self.parts.store.delete_subscription(id).await
    }

    /// Delivers a message that says that it is a test.
    ///
    /// # Errors
    /// As [`delete_notification`](Self::delete_notification), and [`Conflict`](Error::Conflict)
    /// while the subscription is disabled.
    pub async fn test_notification(
        &self,
        caller: &Principal,
        id: SubscriptionId,
    ) -> Result<Delivery> {
        let subscription = self.controlled(caller, id).await?;
        check_enabled(&subscription)?;
        let deed = Deed::on_subscription(AuditAction::TestNotification, &subscription);
        self.record(caller, deed).await?;
        let now = Utc::now().trunc_subsecs(3);
        let delivery = Delivery {
            id: DeliveryId::new(),
            subscription_id: id,
            kind: TEST.to_owned(),
            batch_id: None,
            batch_name: None,
            created_at: now,
            due_at: now,
            status: DeliveryStatus::Waiting,
            attempts: Vec::new(),
            tried: 0,
            gathered: None,
        };
        self.parts.store.create_delivery(delivery.clone()).await?;
        Ok(delivery)
    }

    /// What was and is to be delivered to a subscription, newest first.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound).
    pub async fn deliveries(
        &self,
        caller: &Principal,
        id: SubscriptionId,
        page: PageRequest,
    ) -> Result<Page<Delivery>> {
        self.notification(caller, id).await?;
        self.parts.store.deliveries(id, page).await
    }

    /// Tries a delivery now, with the same id, whatever became of it, and as often as a new one.
    ///
    /// # Errors
    /// As [`test_notification`](Self::test_notification).
    pub async fn redeliver(&self, caller: &Principal, id: DeliveryId) -> Result<Delivery> {
        const NO_SUCH: Error = Error::NotFound("delivery");
        let delivery = self.parts.store.delivery(id).await?.ok_or(NO_SUCH)?;
        let subscription = match self.controlled(caller, delivery.subscription_id).await {
            Err(Error::NotFound(_)) => Err(NO_SUCH),
            found => found,
        }?;
        check_enabled(&subscription)?;
        let deed = Deed::on_subscription(AuditAction::Redeliver, &subscription)
            .with("delivery_id", id.to_string());
        self.record(caller, deed).await?;
        self.parts.store.redeliver(id, Utc::now()).await?;
        self.parts.store.delivery(id).await?.ok_or(NO_SUCH)
    }

    /// What is to be delivered, for whoever delivers it: no caller asks for it.
    #[must_use]
    pub fn outbox(&self) -> Arc<dyn NotificationStore> {
        Arc::clone(&self.parts.store) as _
    }

    /// What is told of a batch, for whoever delivers it; `None` when it was deleted.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn batch_to_tell(&self, id: crate::BatchId) -> Result<Option<crate::Batch>> {
        self.parts.store.batch(id, Scope::All).await
    }

    async fn controlled(&self, caller: &Principal, id: SubscriptionId) -> Result<Subscription> {
        let scope = self.parts.authz.scope(caller);
        let subscription = self.parts.store.subscription(id, scope).await?.ok_or(NO_SUCH)?;
        let project = subscription.what.project.as_ref();
        let owner = project.is_none().then_some(subscription.owner_id);
        self.parts.authz.check_on(caller, needed(project), Thing { owner, project })?;
        Ok(subscription)
    }
}

/// What somebody must be allowed to do who changes a subscription of their own, or of a project.
const fn needed(project: Option<&ProjectName>) -> Action {
    if project.is_some() { Action::Manage } else { Action::Control }
}

fn check_enabled(subscription: &Subscription) -> Result<()> {
    match subscription.what.is_enabled {
        true => Ok(()),
        false => Err(Conflict::NotificationDisabled.into()),
    }
}
