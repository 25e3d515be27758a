//! Subscriptions and what is delivered to them.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sqlx_macros::FromRow;
use uuid::Uuid;

use super::super::values::{damaged, parse, project, render, time};
use crate::{
    Result,
    notification::{Channel, Delivery, DeliveryStatus, NewSubscription, Subscription},
};

/// A subscription.
#[derive(Debug, FromRow)]
pub struct SubscriptionRow {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub name: String,
    pub project: Option<String>,
    pub series: Option<String>,
    pub batch_name: Option<String>,
    pub kinds: String,
    pub channel: String,
    pub digest: Option<String>,
    pub is_enabled: bool,
    pub created_at: i64,
}

impl SubscriptionRow {
    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word or a structure that is not known.
    pub fn into_subscription(self) -> Result<Subscription> {
        Ok(Subscription {
            id: self.id.into(),
            owner_id: self.owner_id.into(),
            what: NewSubscription {
                name: self.name,
                project: self.project.as_deref().map(project).transpose()?,
                series: self.series,
                batch_name: self.batch_name,
                on: parse(&self.kinds)?,
                channel: parse::<StoredChannel>(&self.channel)?.into(),
                window: self.digest.as_deref().map(parse).transpose()?,
                is_enabled: self.is_enabled,
            },
            created_at: time(self.created_at)?,
        })
    }
}

/// A channel as it is stored, with its secret.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum StoredChannel {
    Webhook { url: String, secret: String },
    Slack { url: String },
    Email { to: Vec<String> },
}

/// A channel as it is stored, with its secret.
///
/// # Errors
/// It has no JSON.
pub fn stored_channel(channel: &Channel) -> Result<String> {
    render(&match channel {
        Channel::Webhook { url, secret } => {
            StoredChannel::Webhook { url: url.clone(), secret: secret.expose_secret().to_owned() }
        }
        Channel::Slack { url } => StoredChannel::Slack { url: url.expose_secret().to_owned() },
        Channel::Email { to } => StoredChannel::Email { to: to.clone() },
    })
}

impl From<StoredChannel> for Channel {
    fn from(stored: StoredChannel) -> Self {
        match stored {
            StoredChannel::Webhook { url, secret } => Self::Webhook { url, secret: secret.into() },
            StoredChannel::Slack { url } => Self::Slack { url: SecretString::from(url) },
            StoredChannel::Email { to } => Self::Email { to },
        }
    }
}

/// A delivery.
#[derive(Debug, FromRow)]
pub struct DeliveryRow {
    pub id: Uuid,
    pub subscription_id: Uuid,
    pub kind: String,
    pub batch_id: Option<Uuid>,
    pub batch_name: Option<String>,
    pub created_at: i64,
    pub due_at: i64,
    pub state: i64,
    pub attempts: String,
    pub tried: i64,
    pub gathered: Option<String>,
}

impl DeliveryRow {
    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a structure that is not known.
    pub fn into_delivery(self) -> Result<Delivery> {
        let status = DeliveryStatus::ALL.into_iter().find(|s| state(*s) == self.state);
        Ok(Delivery {
            id: self.id.into(),
            subscription_id: self.subscription_id.into(),
            kind: self.kind,
            batch_id: self.batch_id.map(Into::into),
            batch_name: self.batch_name,
            created_at: time(self.created_at)?,
            due_at: time(self.due_at)?,
            status: status.ok_or_else(|| damaged("a delivery", "unknown state"))?,
            attempts: parse(&self.attempts)?,
            tried: u32::try_from(self.tried).map_err(|_| damaged("a delivery", "out of range"))?,
            gathered: self.gathered.as_deref().map(parse).transpose()?,
        })
    }
}

/// How the state of a delivery is stored.
#[must_use]
pub const fn state(status: DeliveryStatus) -> i64 {
    match status {
        DeliveryStatus::Waiting => 0,
        DeliveryStatus::Delivered => 1,
        DeliveryStatus::Dead => 2,
        DeliveryStatus::Gathered => 3,
    }
}
