//! Notifications: who is told of what became of batches, where, and how that went.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    BatchId, DeliveryId, SubscriptionId, UserId, Violation, error::Result, name, words::words,
};

/// How many subscriptions an account may have.
pub const MOST_SUBSCRIPTIONS: i64 = 100;

/// How many attempts of a delivery are told, the newest.
pub const ATTEMPTS_KEPT: usize = 20;

/// The longest address, in bytes.
const LONGEST_URL: usize = 2048;

/// The kind of a delivery that somebody asked for to see whether it arrives.
pub const TEST: &str = "test";

words! {
    /// What somebody may ask to be told of. They are stored as text, so that more kinds need no
    /// migration.
    EventKind {
        /// All jobs of a batch have ended.
        Finished = "finished",
        /// They have, and one of them failed.
        Failed = "failed",
        /// A job of a batch failed for good, the first one; others may still run.
        FirstFailure = "first_failure",
        /// A batch passed, and the one of this name and owner before it had failed.
        Recovered = "recovered",
    }
}

words! {
    /// What kind of server takes the messages.
    ChannelKind {
        /// One that takes Standard Webhooks.
        Webhook = "webhook",
        /// One that takes messages as Slack does.
        Slack = "slack",
    }
}

words! {
    /// How a delivery stands.
    DeliveryStatus {
        /// It is tried, now or later.
        Waiting = "waiting",
        /// It was taken.
        Delivered = "delivered",
        /// It was not taken, and is not tried again unless somebody asks for it.
        Dead = "dead",
    }
}

/// Where messages go. What lets somebody write there is never shown.
#[derive(Clone, Debug)]
pub enum Channel {
    /// A server that takes Standard Webhooks.
    Webhook {
        /// Where it is.
        url: String,
        /// What messages are signed with: `whsec_` and the Base64 of 24 to 64 bytes.
        secret: SecretString,
    },
    /// A server that takes messages as Slack does.
    Slack {
        /// Where it is; whoever knows it can write there.
        url: SecretString,
    },
}

impl Channel {
    /// Where messages are sent to.
    #[must_use]
    pub fn url(&self) -> &str {
        match self {
            Self::Webhook { url, .. } => url,
            Self::Slack { url } => url.expose_secret(),
        }
    }

    /// Its kind, as callers name it.
    #[must_use]
    pub const fn kind(&self) -> ChannelKind {
        match self {
            Self::Webhook { .. } => ChannelKind::Webhook,
            Self::Slack { .. } => ChannelKind::Slack,
        }
    }

    /// The host that messages are sent to, which is no secret.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        url::Url::parse(self.url()).ok()?.host_str().map(str::to_owned)
    }

    fn check(&self) -> Result<(), Violation> {
        check_url(self.url())?;
        match self {
            Self::Webhook { secret, .. } => key(secret).map(|_| ()).ok_or_else(|| {
                let right = "must be whsec_ followed by the Base64 of 24 to 64 random bytes";
                Violation::new("channel.secret", right)
            }),
            Self::Slack { .. } => Ok(()),
        }
    }
}

/// The bytes that a webhook's secret stands for, if it is one.
#[must_use]
pub fn key(secret: &SecretString) -> Option<Vec<u8>> {
    let digits = secret.expose_secret().strip_prefix("whsec_")?;
    let key = STANDARD.decode(digits).ok()?;
    (24..=64).contains(&key.len()).then_some(key)
}

fn check_url(text: &str) -> Result<(), Violation> {
    let is_right = |url: url::Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && text.len() <= LONGEST_URL
    };
    match url::Url::parse(text).is_ok_and(is_right) {
        true => Ok(()),
        false => Err(Violation::new(
            "channel.url",
            "must be a URL such as https://host/path, without a user, of 2048 bytes at most",
        )),
    }
}

/// What is asked for by somebody who wants to be told.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// What people call it.
    pub name: String,
    /// Only batches with exactly this name; `None` is all of the owner's.
    pub batch_name: Option<String>,
    /// What to tell of: at least one kind.
    pub on: Vec<EventKind>,
    /// Where to.
    pub channel: Channel,
    /// Whether anything is told now.
    pub is_enabled: bool,
}

impl NewSubscription {
    /// Whether it may be made.
    pub(crate) fn check(&self) -> Result<()> {
        let name = name::refusal(&self.name).map(|why| Violation::new("name", why));
        let batch = self.batch_name.as_deref().and_then(name::refusal);
        let batch = batch.map(|why| Violation::new("batch_name", why));
        let on = self.on.is_empty().then(|| Violation::new("on", "must have at least one"));
        let wrong: Vec<Violation> =
            [name, batch, on, self.channel.check().err()].into_iter().flatten().collect();
        if wrong.is_empty() { Ok(()) } else { Err(crate::Error::Invalid(wrong)) }
    }
}

/// What is to change in a subscription; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct SubscriptionUpdate {
    /// Another name.
    pub name: Option<String>,
    /// Other batches; `Some(None)` is all.
    pub batch_name: Option<Option<String>>,
    /// Other kinds.
    pub on: Option<Vec<EventKind>>,
    /// Another channel, with its secret.
    pub channel: Option<Channel>,
    /// Tell, or stop telling.
    pub is_enabled: Option<bool>,
}

/// Whom to tell of what, and where.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Which one.
    pub id: SubscriptionId,
    /// Whose: it tells of their batches.
    pub owner_id: UserId,
    /// What is told and where.
    pub what: NewSubscription,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Subscription {
    /// The same after an update.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid).
    pub(crate) fn updated(mut self, update: SubscriptionUpdate) -> Result<Self> {
        let what = &mut self.what;
        what.name = update.name.unwrap_or_else(|| what.name.clone());
        what.batch_name = update.batch_name.unwrap_or_else(|| what.batch_name.clone());
        what.on = update.on.unwrap_or_else(|| what.on.clone());
        what.channel = update.channel.unwrap_or_else(|| what.channel.clone());
        what.is_enabled = update.is_enabled.unwrap_or(what.is_enabled);
        what.check().map(|()| self)
    }
}

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryAttempt {
    /// When it was begun.
    pub at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The status of the answer; `None` if there was none.
    pub status: Option<u16>,
    /// Why it was not taken; `None` if it was.
    pub error: Option<String>,
}

/// A message to a subscription. It arrives at least once, always with the same id.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Which one.
    pub id: DeliveryId,
    /// Whom it is for.
    pub subscription_id: SubscriptionId,
    /// The [kind](EventKind) of event, or [`TEST`].
    pub kind: String,
    /// What it is about; `None` for a test.
    pub batch_id: Option<BatchId>,
    /// What that was called.
    pub batch_name: Option<String>,
    /// When it happened.
    pub created_at: DateTime<Utc>,
    /// When it is tried next, if it waits.
    pub due_at: DateTime<Utc>,
    /// How it stands.
    pub status: DeliveryStatus,
    /// The attempts, oldest first: the newest [`ATTEMPTS_KEPT`].
    pub attempts: Vec<DeliveryAttempt>,
}

/// Which deliveries somebody is ready to try.
#[derive(Clone, Debug)]
pub struct Take {
    /// Those due at this moment.
    pub now: DateTime<Utc>,
    /// Nobody else tries them until then.
    pub until: DateTime<Utc>,
    /// How many of each subscription.
    pub of_each: u32,
    /// How many of all.
    pub most: u32,
    /// None of these subscriptions.
    pub but: Vec<SubscriptionId>,
}

/// A delivery to be tried now.
#[derive(Clone, Debug)]
pub struct Due {
    /// What to deliver.
    pub delivery: Delivery,
    /// To whom.
    pub subscription: Subscription,
    /// Names whoever tries it: a [report](DeliveryReport) with another lease changes nothing.
    pub lease: uuid::Uuid,
}

/// How an attempt went.
#[derive(Clone, Debug)]
pub struct DeliveryReport {
    /// Which delivery.
    pub id: DeliveryId,
    /// By whose attempt.
    pub lease: uuid::Uuid,
    /// All attempts that are told.
    pub attempts: Vec<DeliveryAttempt>,
    /// How it stands now.
    pub status: DeliveryStatus,
    /// When it is tried again, if it waits.
    pub due_at: DateTime<Utc>,
}

/// When to try again after so many attempts that failed; `None` is never. The pauses are those that
/// Standard Webhooks recommends, 31 hours in all, each up to a fifth longer by `jitter` (0 to 1):
/// what failed together does not come back together.
#[must_use]
pub fn pause_after(attempts: usize, jitter: f64) -> Option<Duration> {
    const SECONDS: [u64; 7] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400];
    let pause = SECONDS.get(attempts.checked_sub(1)?)?;
    Some(Duration::from_secs(*pause).mul_f64(1.0 + 0.2 * jitter.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(url: &str, secret: &str) -> Channel {
        Channel::Webhook { url: url.to_owned(), secret: secret.into() }
    }

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn where_messages_go_is_a_url_of_a_host_without_a_user() {
        for url in ["https://a.example/b?c=d", "http://192.0.2.1:8080", "https://[2001:db8::1]/"] {
            assert_eq!(webhook(url, SECRET).check(), Ok(()), "{url}");
        }
        let long = format!("https://a.example/{}", "x".repeat(LONGEST_URL));
        for url in ["", "a.example", "ftp://a", "file:///etc", "https://u:p@a", "https://", &long] {
            let wrong = webhook(url, SECRET).check().expect_err(url);
            assert_eq!(wrong.field, "channel.url");
        }
    }

    #[test]
    fn a_secret_is_24_to_64_bytes_of_base64_after_its_prefix() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for secret in [SECRET, &of(24), &of(64)] {
            assert_eq!(webhook("https://a.example", secret).check(), Ok(()));
        }
        for secret in ["", "whsec_", &SECRET[6..], &of(23), &of(65), "whsec_####", "whsec_a b"] {
            let wrong = webhook("https://a.example", secret).check().expect_err(secret);
            assert_eq!(wrong.field, "channel.secret");
        }
    }

    #[test]
    fn pauses_grow_for_a_day_and_then_there_is_none() {
        let pauses: Vec<Duration> = (1..).map_while(|n| pause_after(n, 0.0)).collect();
        assert!(pauses.is_sorted() && pauses.len() == 7, "{pauses:?}");
        assert_eq!(pause_after(1, 1.0), Some(Duration::from_secs(6)));
        assert_eq!(pause_after(0, 0.0), None);
        let total: Duration = pauses.iter().sum();
        assert!((24..48).contains(&(total.as_secs() / 3600)), "{total:?}");
    }
}
