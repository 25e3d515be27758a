//! Notifications.

use chrono::{DateTime, Utc};
use jobrunner_core::{Violation, notification};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ChannelType, DeliveryStatus, EventKind, pattern};
use crate::api::http::body::given;

/// Whom to tell of what.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Notification {
    id: Uuid,
    owner_id: Uuid,
    name: String,
    /// Only batches of exactly this name; null is all of the owner's.
    batch_name: Option<String>,
    /// What is told. The end of a batch is one message, of the kind that tells most of those that
    /// are listed: `recovered`, `failed`, `finished`.
    on: Vec<EventKind>,
    channel: Channel,
    is_enabled: bool,
    created_at: DateTime<Utc>,
}

impl From<notification::Subscription> for Notification {
    fn from(subscription: notification::Subscription) -> Self {
        let notification::Subscription { id, owner_id, what, created_at } = subscription;
        let notification::NewSubscription { name, batch_name, on, channel, is_enabled } = what;
        Self {
            id: id.as_uuid(),
            owner_id: owner_id.as_uuid(),
            name,
            batch_name,
            on: on.into_iter().map(Into::into).collect(),
            channel: channel.into(),
            is_enabled,
            created_at,
        }
    }
}

/// Where messages go, without what lets somebody write there.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Channel {
    #[serde(rename = "type")]
    kind: ChannelType,
    host: String,
    /// Null for Slack, whose URL is a secret.
    url: Option<String>,
}

impl From<notification::Channel> for Channel {
    fn from(channel: notification::Channel) -> Self {
        let host = channel.host().unwrap_or_default();
        let kind = channel.kind().into();
        let url = match channel {
            notification::Channel::Webhook { url, .. } => Some(url),
            notification::Channel::Slack { .. } => None,
        };
        Self { kind, host, url }
    }
}

/// Where messages are to go.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewChannel {
    #[serde(rename = "type")]
    #[schemars(with = "ChannelType")]
    kind: notification::ChannelKind,
    /// Where to, by HTTP or HTTPS. Its host must have a public address, unless the operator allows
    /// others.
    #[schemars(length(max = 2048), regex(pattern = pattern::HTTP_URL))]
    url: String,
    /// For a webhook: what messages are signed with, `whsec_` and the Base64 of 24 to 64 random
    /// bytes. It is never answered.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", regex(pattern = pattern::WEBHOOK_SECRET))]
    secret: Option<SecretString>,
}

impl TryFrom<NewChannel> for notification::Channel {
    type Error = Violation;

    fn try_from(new: NewChannel) -> Result<Self, Violation> {
        let NewChannel { kind, url, secret } = new;
        match (kind, secret) {
            (notification::ChannelKind::Webhook, Some(secret)) => Ok(Self::Webhook { url, secret }),
            (notification::ChannelKind::Webhook, None) => {
                Err(Violation::new("channel.secret", "is needed for a webhook"))
            }
            (notification::ChannelKind::Slack, None) => Ok(Self::Slack { url: url.into() }),
            (notification::ChannelKind::Slack, Some(_)) => {
                Err(Violation::new("channel.secret", "is for webhooks alone"))
            }
        }
    }
}

/// Whom to tell of what, as it is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNotification {
    /// What people call it. 1 to 255 bytes of UTF-8.
    #[schemars(length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    name: String,
    /// Only batches of exactly this name; all of the caller's, if left out or null.
    #[schemars(length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    batch_name: Option<String>,
    /// What to tell. The end of a batch is one message, of the kind that tells most of those that
    /// are listed: `recovered`, `failed`, `finished`.
    #[schemars(with = "Vec<EventKind>", length(min = 1))]
    on: Vec<notification::EventKind>,
    channel: NewChannel,
    /// Whether anything is told now; true if left out.
    #[serde(default = "enabled")]
    #[schemars(with = "bool")]
    is_enabled: bool,
}

const fn enabled() -> bool {
    true
}

impl TryFrom<NewNotification> for notification::NewSubscription {
    type Error = Violation;

    fn try_from(new: NewNotification) -> Result<Self, Violation> {
        let NewNotification { name, batch_name, on, channel, is_enabled } = new;
        Ok(Self { name, batch_name, on, channel: channel.try_into()?, is_enabled })
    }
}

/// What is to change; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotificationUpdate {
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    name: Option<String>,
    /// null is all of the owner's.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>", length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    batch_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Vec<EventKind>", length(min = 1))]
    on: Option<Vec<notification::EventKind>>,
    /// With its secret, if it has one.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "NewChannel")]
    channel: Option<NewChannel>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "bool")]
    is_enabled: Option<bool>,
}

impl TryFrom<NotificationUpdate> for notification::SubscriptionUpdate {
    type Error = Violation;

    fn try_from(update: NotificationUpdate) -> Result<Self, Violation> {
        let NotificationUpdate { name, batch_name, on, channel, is_enabled } = update;
        let channel = channel.map(TryInto::try_into).transpose()?;
        Ok(Self { name, batch_name, on, channel, is_enabled })
    }
}

/// A message to a subscriber. It arrives at least once, always with its id as `webhook-id`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Delivery {
    id: Uuid,
    notification_id: Uuid,
    /// What it tells: one of the kinds that a notification may ask for, or `test`.
    kind: String,
    /// Null for a test.
    batch_id: Option<Uuid>,
    /// What the batch was called; null for a test.
    batch_name: Option<String>,
    created_at: DateTime<Utc>,
    status: DeliveryStatus,
    /// When it is tried next, if it waits.
    due_at: Option<DateTime<Utc>>,
    /// The newest 20, oldest first.
    attempts: Vec<DeliveryAttempt>,
}

impl From<notification::Delivery> for Delivery {
    fn from(delivery: notification::Delivery) -> Self {
        let notification::Delivery {
            id,
            subscription_id,
            kind,
            batch_id,
            batch_name,
            created_at,
            due_at,
            status,
            attempts,
        } = delivery;
        let waits = status == notification::DeliveryStatus::Waiting;
        Self {
            id: id.as_uuid(),
            notification_id: subscription_id.as_uuid(),
            kind,
            batch_id: batch_id.map(|id| id.as_uuid()),
            batch_name,
            created_at,
            status: status.into(),
            due_at: waits.then_some(due_at),
            attempts: attempts.into_iter().map(Into::into).collect(),
        }
    }
}

/// One attempt to deliver.
#[derive(Serialize, JsonSchema)]
pub(crate) struct DeliveryAttempt {
    at: DateTime<Utc>,
    duration_ms: u64,
    /// That of the answer; null if there was none.
    status: Option<u16>,
    /// Why the message was not taken; null if it was.
    error: Option<String>,
}

impl From<notification::DeliveryAttempt> for DeliveryAttempt {
    fn from(attempt: notification::DeliveryAttempt) -> Self {
        let notification::DeliveryAttempt { at, duration_ms, status, error } = attempt;
        Self { at, duration_ms, status, error }
    }
}
