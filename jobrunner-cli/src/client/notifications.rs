use chrono::{DateTime, Utc};
use jobrunner_core::{
    BatchId, DeliveryId, SubscriptionId, UserId,
    notification::{ChannelKind, DeliveryAttempt, DeliveryStatus, EventKind, Gathered},
};
use serde::{Deserialize, Serialize};

use super::{Client, NOTHING, routes};
use crate::exit::Failure;

/// A notification as the API tells it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Notification {
    pub(crate) id: SubscriptionId,
    pub(crate) owner_id: UserId,
    pub(crate) name: String,
    pub(crate) project: Option<String>,
    pub(crate) series: Option<String>,
    pub(crate) batch_name: Option<String>,
    /// A later server may have kinds that are not known here.
    pub(crate) on: Vec<String>,
    pub(crate) channel: Channel,
    pub(crate) window: Option<Window>,
    pub(crate) is_enabled: bool,
    pub(crate) created_at: DateTime<Utc>,
}

/// Where messages go.
#[derive(Serialize, Deserialize)]
pub(crate) struct Channel {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) host: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) to: Option<Vec<String>>,
}

impl Channel {
    /// What people know it by.
    pub(crate) fn place(&self) -> String {
        let to = self.to.as_ref().map(|to| to.join(","));
        self.host.clone().or(to).unwrap_or_default()
    }
}

/// When what happens is told.
#[derive(Serialize, Deserialize)]
pub(crate) struct Window {
    pub(crate) every_minutes: Option<u32>,
    pub(crate) at: Option<String>,
    pub(crate) zone: Option<String>,
}

/// When what happens is to be told.
#[derive(Serialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) enum NewWindow {
    Every { every_minutes: u32 },
    Daily { at: String, zone: String },
}

/// A notification that is wanted.
#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct NewNotification {
    pub(crate) name: String,
    pub(crate) project: Option<String>,
    pub(crate) series: Option<String>,
    pub(crate) batch_name: Option<String>,
    pub(crate) on: Vec<EventKind>,
    pub(crate) channel: NewChannel,
    pub(crate) window: Option<NewWindow>,
    pub(crate) is_enabled: bool,
}

/// Where messages are to go.
#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct NewChannel {
    #[serde(rename = "type")]
    kind: ChannelKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Vec<String>>,
}

impl NewChannel {
    pub(crate) const fn webhook(url: String, secret: String) -> Self {
        Self { kind: ChannelKind::Webhook, url: Some(url), secret: Some(secret), to: None }
    }

    pub(crate) const fn slack(url: String) -> Self {
        Self { kind: ChannelKind::Slack, url: Some(url), secret: None, to: None }
    }

    pub(crate) const fn email(to: Vec<String>) -> Self {
        Self { kind: ChannelKind::Email, url: None, secret: None, to: Some(to) }
    }
}

/// What is to change in a notification.
#[derive(Serialize)]
#[cfg_attr(test, derive(Deserialize))]
pub(crate) struct NotificationChange {
    pub(crate) is_enabled: bool,
}

/// A message as the API tells it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) id: DeliveryId,
    pub(crate) notification_id: SubscriptionId,
    pub(crate) kind: String,
    pub(crate) batch_id: Option<BatchId>,
    pub(crate) batch_name: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) status: DeliveryStatus,
    pub(crate) due_at: Option<DateTime<Utc>>,
    pub(crate) gathered: Option<Gathered>,
    pub(crate) attempts: Vec<DeliveryAttempt>,
}

impl Delivery {
    /// What it tells of.
    pub(crate) fn about(&self) -> Option<String> {
        let gathered = self.gathered.as_ref().map(|gathered| format!("{} events", gathered.total));
        self.batch_name.clone().or(gathered)
    }
}

impl Client {
    pub(crate) async fn create_notification(
        &self,
        new: &NewNotification,
    ) -> Result<Notification, Failure> {
        self.post(&routes::CREATE_NOTIFICATION, &[], Some(new)).await
    }

    pub(crate) async fn update_notification(
        &self,
        id: SubscriptionId,
        change: &NotificationChange,
    ) -> Result<Notification, Failure> {
        self.change(&routes::UPDATE_NOTIFICATION, &[&id.to_string()], change).await
    }

    pub(crate) async fn delete_notification(&self, id: SubscriptionId) -> Result<(), Failure> {
        self.delete(&routes::DELETE_NOTIFICATION, &[&id.to_string()]).await
    }

    pub(crate) async fn test_notification(&self, id: SubscriptionId) -> Result<Delivery, Failure> {
        self.post(&routes::TEST_NOTIFICATION, &[&id.to_string()], NOTHING).await
    }

    /// The newest thousand.
    pub(crate) async fn deliveries(&self, id: SubscriptionId) -> Result<Vec<Delivery>, Failure> {
        let newest = [("limit", "1000".to_owned())];
        let page: jobrunner_core::page::Page<Delivery> =
            self.get(&routes::DELIVERIES, &[&id.to_string()], &newest).await?;
        Ok(page.items)
    }

    pub(crate) async fn redeliver(&self, id: DeliveryId) -> Result<Delivery, Failure> {
        self.post(&routes::REDELIVER, &[&id.to_string()], NOTHING).await
    }
}
