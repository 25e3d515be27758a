use jobrunner_core::{DeliveryId, Service, SubscriptionId};
use poem::web::Data;
use poem_openapi::{OpenApi, param::Path};
use uuid::Uuid;

use super::{
    Tag,
    auth::Caller,
    http::{
        answer::{Answer, Done, Result},
        body::JsonBody,
        page::{Cursor, Limit, page},
    },
    model,
};

pub(crate) struct NotificationsApi;

#[OpenApi(tag = "Tag::Notifications")]
impl NotificationsApi {
    /// Ask to be told of what becomes of one's batches
    #[oai(path = "/notifications", method = "post", operation_id = "create_notification")]
    async fn create(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        body: JsonBody<model::NewNotification>,
    ) -> Result<Answer<model::Notification, 201>> {
        Answer::of(service.create_notification(&caller, body.value.try_into()?).await?)
    }

    /// Whom the caller may see being told, newest first
    #[oai(path = "/notifications", method = "get", operation_id = "list_notifications")]
    async fn list(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::Notification>>> {
        Answer::of(service.notifications(&caller, page(limit, cursor)?).await?)
    }

    /// One notification
    #[oai(path = "/notifications/:id", method = "get", operation_id = "get_notification")]
    async fn get(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Notification>> {
        Answer::of(service.notification(&caller, SubscriptionId::from(id.0)).await?)
    }

    /// Change a notification
    #[oai(path = "/notifications/:id", method = "patch", operation_id = "update_notification")]
    async fn update(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        body: JsonBody<model::NotificationUpdate>,
    ) -> Result<Answer<model::Notification>> {
        let (id, update) = (SubscriptionId::from(id.0), body.value.try_into()?);
        Answer::of(service.update_notification(&caller, id, update).await?)
    }

    /// End a notification
    ///
    /// Nothing of it is delivered any more, and what was delivered is forgotten.
    #[oai(path = "/notifications/:id", method = "delete", operation_id = "delete_notification")]
    async fn delete(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Done> {
        service.delete_notification(&caller, SubscriptionId::from(id.0)).await?;
        Ok(Done)
    }

    /// Deliver a message that says that it is a test
    ///
    /// How it went is told by its deliveries.
    #[oai(path = "/notifications/:id/test", method = "post", operation_id = "test_notification")]
    async fn test(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Delivery, 202>> {
        Answer::of(service.test_notification(&caller, SubscriptionId::from(id.0)).await?)
    }

    /// What was and is to be delivered, newest first
    ///
    /// Kept for 30 days.
    #[oai(path = "/notifications/:id/deliveries", method = "get", operation_id = "list_deliveries")]
    async fn deliveries(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::Delivery>>> {
        let id = SubscriptionId::from(id.0);
        Answer::of(service.deliveries(&caller, id, page(limit, cursor)?).await?)
    }

    /// Deliver a message once more, with the same id
    #[oai(path = "/deliveries/:id/redeliver", method = "post", operation_id = "redeliver")]
    async fn redeliver(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Delivery, 202>> {
        Answer::of(service.redeliver(&caller, DeliveryId::from(id.0)).await?)
    }
}
