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
    /// Of batches that belong to this project, whoever submits them; null is of the owner's.
    project: Option<String>,
    /// Only runs of the series of exactly this name; null is all.
    series: Option<String>,
    /// Only batches of exactly this name; null is all.
    batch_name: Option<String>,
    /// What is told. The end of a batch is one message, of the kind that tells most of those that
    /// are listed: `recovered`, `new_failures`, `failed`, `finished`.
    on: Vec<EventKind>,
    channel: Channel,
    /// All that happens within such a time is one message, at its end; null is each by itself.
    window: Option<Window>,
    is_enabled: bool,
    created_at: DateTime<Utc>,
}

impl From<notification::Subscription> for Notification {
    fn from(subscription: notification::Subscription) -> Self {
        let notification::Subscription { id, owner_id, what, created_at } = subscription;
        let notification::NewSubscription {
            name,
            project,
            series,
            batch_name,
            on,
            channel,
            window,
            is_enabled,
        } = what;
        Self {
            id: id.as_uuid(),
            owner_id: owner_id.as_uuid(),
            name,
            project: project.map(Into::into),
            series,
            batch_name,
            on: on.into_iter().map(Into::into).collect(),
            channel: channel.into(),
            window: window.map(Into::into),
            is_enabled,
            created_at,
        }
    }
}

/// Where messages go, without what lets somebody write there.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Channel {
    #[serde(rename = "type")]
    pub(super) kind: ChannelType,
    /// Null by email.
    pub(super) host: Option<String>,
    /// Of a webhook alone: the URL of Slack is a secret.
    pub(super) url: Option<String>,
    /// By email: for whom.
    pub(super) to: Option<Vec<String>>,
}

impl From<notification::Channel> for Channel {
    fn from(channel: notification::Channel) -> Self {
        let host = channel.host();
        let kind = channel.kind().into();
        let (url, to) = match channel {
            notification::Channel::Webhook { url, .. } => (Some(url), None),
            notification::Channel::Slack { .. } => (None, None),
            notification::Channel::Email { to } => (None, Some(to)),
        };
        Self { kind, host, url, to }
    }
}

/// Times at whose end one message tells all that happened in them: so many minutes, or days that
/// end at a time.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Window {
    /// Counted from 1970 UTC.
    pub(super) every_minutes: Option<u32>,
    /// A time of the day, as in `07:30`.
    pub(super) at: Option<String>,
    /// By whose clocks, as in `Europe/Berlin`.
    pub(super) zone: Option<String>,
}

impl From<notification::Window> for Window {
    fn from(window: notification::Window) -> Self {
        match window {
            notification::Window::Every { every_minutes } => {
                Self { every_minutes: Some(every_minutes), at: None, zone: None }
            }
            notification::Window::Daily { at, zone } => {
                Self { every_minutes: None, at: Some(at.into()), zone: Some(zone.into()) }
            }
        }
    }
}

/// Times at whose end one message tells all that happened in them: `every_minutes`, or `at` and
/// `zone`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(crate) struct NewWindow {
    /// Counted from 1970 UTC.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "u32", range(min = 1, max = 10080))]
    every_minutes: Option<u32>,
    /// A time of the day, as in `07:30`.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", regex(pattern = pattern::TIME_OF_DAY))]
    at: Option<String>,
    /// By whose clocks: a name of IANA's database, as in `Europe/Berlin`.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", length(min = 1, max = 64))]
    zone: Option<String>,
}

impl TryFrom<NewWindow> for notification::Window {
    type Error = Violation;

    fn try_from(new: NewWindow) -> Result<Self, Violation> {
        let every = new.every_minutes.map(Self::every).transpose()?;
        let at = new.at.map(|at| at.parse()).transpose()?;
        let zone = new.zone.map(|zone| zone.parse()).transpose()?;
        match (every, at, zone) {
            (Some(every), None, None) => Ok(every),
            (None, Some(at), Some(zone)) => Ok(Self::Daily { at, zone }),
            _ => Err(Violation::new("window", "needs every_minutes, or at and zone")),
        }
    }
}

/// Where messages are to go.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewChannel {
    #[serde(rename = "type")]
    #[schemars(with = "ChannelType")]
    kind: notification::ChannelKind,
    /// For a webhook and for Slack: where to, by HTTP or HTTPS. Its host must have a public
    /// address, unless the operator allows others.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", length(max = 2048), regex(pattern = pattern::HTTP_URL))]
    url: Option<String>,
    /// For a webhook: what messages are signed with, `whsec_` and the Base64 of 24 to 64 random
    /// bytes. It is never answered.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", regex(pattern = pattern::WEBHOOK_SECRET))]
    secret: Option<SecretString>,
    /// By email: for whom.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Vec<EmailText>", length(min = 1, max = 20))]
    to: Option<Vec<String>>,
}

/// An address.
#[derive(JsonSchema)]
#[schemars(inline)]
struct EmailText(
    #[expect(dead_code, reason = "it is there for its schema")]
    #[schemars(length(max = 254), regex(pattern = pattern::EMAIL_EXACTLY))]
    String,
);

impl TryFrom<NewChannel> for notification::Channel {
    type Error = Violation;

    fn try_from(new: NewChannel) -> Result<Self, Violation> {
        use notification::ChannelKind::{Email, Slack, Webhook};
        let wrong = |field: &str, why| Err(Violation::new(format!("channel.{field}"), why));
        let NewChannel { kind, url, secret, to } = new;
        match (kind, url, secret, to) {
            (Webhook, Some(url), Some(secret), None) => Ok(Self::Webhook { url, secret }),
            (Slack, Some(url), None, None) => Ok(Self::Slack { url: url.into() }),
            (Email, None, None, Some(to)) => Ok(Self::Email { to }),
            (Webhook | Slack, _, _, Some(_)) => wrong("to", "is for email alone"),
            (Webhook | Slack, None, _, _) => wrong("url", "is needed for a webhook and for Slack"),
            (Webhook, _, None, _) => wrong("secret", "is needed for a webhook"),
            (Slack | Email, _, Some(_), _) => wrong("secret", "is for webhooks alone"),
            (Email, Some(_), _, _) => wrong("url", "is not for email"),
            (Email, _, _, None) => wrong("to", "is needed for email"),
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
    /// Of batches that belong to this project, whoever submits them: for its maintainers. Of the
    /// caller's, if left out or null.
    #[schemars(length(min = 1, max = 63), regex(pattern = pattern::PROJECT))]
    project: Option<String>,
    /// Only runs of the series of exactly this name; all, if left out or null.
    #[schemars(length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    series: Option<String>,
    /// Only batches of exactly this name; all, if left out or null.
    #[schemars(length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    batch_name: Option<String>,
    /// What to tell. The end of a batch is one message, of the kind that tells most of those that
    /// are listed: `recovered`, `new_failures`, `failed`, `finished`.
    #[schemars(with = "Vec<EventKind>", length(min = 1))]
    on: Vec<notification::EventKind>,
    channel: NewChannel,
    /// Tell all that happens within such a time by one message, at its end; each by itself, if left
    /// out or null.
    window: Option<NewWindow>,
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
        let NewNotification { name, project, series, batch_name, on, channel, window, is_enabled } =
            new;
        let project = project
            .map(|name| name.parse())
            .transpose()
            .map_err(|wrong: Violation| Violation::new("project", wrong.message))?;
        let window = window.map(TryInto::try_into).transpose()?;
        let channel = channel.try_into()?;
        Ok(Self { name, project, series, batch_name, on, channel, window, is_enabled })
    }
}

/// What is to change; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotificationUpdate {
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    name: Option<String>,
    /// null is all.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>", length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    series: Option<Option<String>>,
    /// null is all.
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
    /// null is each by itself.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<NewWindow>")]
    window: Option<Option<NewWindow>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "bool")]
    is_enabled: Option<bool>,
}

impl TryFrom<NotificationUpdate> for notification::SubscriptionUpdate {
    type Error = Violation;

    fn try_from(update: NotificationUpdate) -> Result<Self, Violation> {
        let NotificationUpdate { name, series, batch_name, on, channel, window, is_enabled } =
            update;
        let channel = channel.map(TryInto::try_into).transpose()?;
        let window = window.map(|window| window.map(TryInto::try_into).transpose()).transpose()?;
        Ok(Self { name, series, batch_name, on, channel, window, is_enabled })
    }
}

/// A message to a subscriber. It arrives at least once, always with its id as `webhook-id`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Delivery {
    id: Uuid,
    notification_id: Uuid,
    /// What it tells: one of the kinds that a notification may ask for, `test` or `window`.
    kind: String,
    /// Null for a test and for a window.
    batch_id: Option<Uuid>,
    /// What the batch was called; null for a test and for a window.
    batch_name: Option<String>,
    created_at: DateTime<Utc>,
    status: DeliveryStatus,
    /// When it is tried next, if it waits; when its window ends, if it is gathered.
    due_at: Option<DateTime<Utc>>,
    /// What happened within a window, for a message that tells of one.
    gathered: Option<Gathered>,
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
            tried: _,
            gathered,
        } = delivery;
        let waits = matches!(
            status,
            notification::DeliveryStatus::Waiting | notification::DeliveryStatus::Gathered
        );
        Self {
            id: id.as_uuid(),
            notification_id: subscription_id.as_uuid(),
            kind,
            batch_id: batch_id.map(|id| id.as_uuid()),
            batch_name,
            created_at,
            status: status.into(),
            due_at: waits.then_some(due_at),
            gathered: gathered.map(Into::into),
            attempts: attempts.into_iter().map(Into::into).collect(),
        }
    }
}

/// What happened within a window.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Gathered {
    /// How many events.
    total: u64,
    /// The first 200 of them, in the order in which they happened.
    told: Vec<Event>,
}

impl From<notification::Gathered> for Gathered {
    fn from(gathered: notification::Gathered) -> Self {
        let notification::Gathered { total, told } = gathered;
        Self { total, told: told.into_iter().map(Into::into).collect() }
    }
}

/// Something that happened to a batch.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Event {
    kind: String,
    batch_id: Uuid,
    batch_name: String,
}

impl From<notification::Event> for Event {
    fn from(event: notification::Event) -> Self {
        let notification::Event { kind, batch_id, batch_name } = event;
        Self { kind, batch_id: batch_id.as_uuid(), batch_name }
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
