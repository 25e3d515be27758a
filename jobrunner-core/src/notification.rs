//! Notifications: who is told of what became of batches, where, and how that went.

mod channel;
mod window;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    BatchId, DeliveryId, ProjectName, SubscriptionId, UserId, Violation, error::Result, name,
    words::words,
};

pub use channel::{Channel, ChannelKind, MOST_ADDRESSES, key};
pub use window::{MOST_MINUTES, TimeOfDay, Window, Zone};

/// How many subscriptions an account may have.
pub const MOST_SUBSCRIPTIONS: i64 = 100;

/// How many attempts of a delivery are told, the newest.
pub const ATTEMPTS_KEPT: usize = 20;

/// Of how many events a message of a window tells; of the others it tells how many they are.
pub const MOST_TOLD: usize = 200;

/// The kind of a delivery that somebody asked for to see whether it arrives.
pub const TEST: &str = "test";

/// The kind of a delivery that tells of all that happened within a window.
pub const WINDOW: &str = "window";

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
        /// A batch has ended, and tests of it failed that had not failed before, or not so.
        NewFailures = "new_failures",
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
        /// It waits for the end of its window, and is told together with what else happens in it.
        Gathered = "gathered",
    }
}

/// What is asked for by somebody who wants to be told.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// What people call it.
    pub name: String,
    /// Of batches that belong to this project, whoever submits them; `None` is of the owner's.
    pub project: Option<ProjectName>,
    /// Only batches that are runs of the series of exactly this name; `None` is all.
    pub series: Option<String>,
    /// Only batches with exactly this name; `None` is all.
    pub batch_name: Option<String>,
    /// What to tell of: at least one kind.
    pub on: Vec<EventKind>,
    /// Where to.
    pub channel: Channel,
    /// Tell all that happens within such a time by one message, at its end; `None` is each by
    /// itself, at once.
    pub window: Option<Window>,
    /// Whether anything is told now.
    pub is_enabled: bool,
}

impl NewSubscription {
    /// Whether it may be made.
    pub(crate) fn check(&self) -> Result<()> {
        let name = name::refusal(&self.name).map(|why| Violation::new("name", why));
        let batch = self.batch_name.as_deref().and_then(name::refusal);
        let batch = batch.map(|why| Violation::new("batch_name", why));
        let series = self.series.as_deref().and_then(name::refusal);
        let series = series.map(|why| Violation::new("series", why));
        let on = self.on.is_empty().then(|| Violation::new("on", "must have at least one"));
        let wrong: Vec<Violation> =
            [name, series, batch, on, self.channel.check().err()].into_iter().flatten().collect();
        if wrong.is_empty() { Ok(()) } else { Err(crate::Error::Invalid(wrong)) }
    }
}

/// What is to change in a subscription; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct SubscriptionUpdate {
    /// Another name.
    pub name: Option<String>,
    /// Runs of another series; `Some(None)` is all.
    pub series: Option<Option<String>>,
    /// Other batches; `Some(None)` is all.
    pub batch_name: Option<Option<String>>,
    /// Other kinds.
    pub on: Option<Vec<EventKind>>,
    /// Another channel, with its secret.
    pub channel: Option<Channel>,
    /// Another window; `Some(None)` is none.
    pub window: Option<Option<Window>>,
    /// Tell, or stop telling.
    pub is_enabled: Option<bool>,
}

/// Whom to tell of what, and where.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Which one.
    pub id: SubscriptionId,
    /// Who made it; it tells of their batches, unless it tells of those of a project.
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
        what.series = update.series.unwrap_or_else(|| what.series.clone());
        what.on = update.on.unwrap_or_else(|| what.on.clone());
        what.channel = update.channel.unwrap_or_else(|| what.channel.clone());
        what.window = update.window.unwrap_or_else(|| what.window.clone());
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
    /// The [kind](EventKind) of event, [`TEST`] or [`WINDOW`].
    pub kind: String,
    /// What it is about; `None` for a test and for a window.
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
    /// How many there were since it was asked for the last time, or since it was made.
    pub tried: u32,
    /// What happened within a window, for a message that tells of one.
    pub gathered: Option<Gathered>,
}

/// What happened within a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gathered {
    /// How many events.
    pub total: u64,
    /// The first [`MOST_TOLD`] of them, in the order in which they happened.
    pub told: Vec<Event>,
}

/// Something that happened to a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What did.
    pub kind: String,
    /// Which batch.
    pub batch_id: BatchId,
    /// What it was called.
    pub batch_name: String,
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
    /// How many there were since it was asked for the last time.
    pub tried: u32,
    /// How it stands now.
    pub status: DeliveryStatus,
    /// When it is tried again, if it waits.
    pub due_at: DateTime<Utc>,
}

/// When to try again after so many attempts that failed; `None` is never. The pauses are those that
/// Standard Webhooks recommends, 31 hours in all, each up to a fifth longer by `jitter` (0 to 1):
/// what failed together does not come back together.
#[must_use]
pub fn pause_after(attempts: u32, jitter: f64) -> Option<Duration> {
    const SECONDS: [u64; 7] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400];
    let pause = SECONDS.get(attempts.checked_sub(1)? as usize)?;
    Some(Duration::from_secs(*pause).mul_f64(1.0 + 0.2 * jitter.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
