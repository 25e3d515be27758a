use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// Why a job that waits is not started yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The kind of reason.
    pub reason: HoldReason,
    /// One sentence for people, with what ends it.
    pub message: String,
    /// When it ends by itself; `None` if that is not known.
    pub until: Option<DateTime<Utc>>,
}

/// The kinds of reasons why a job is not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// The account of its owner is disabled.
    OwnerDisabled,
    /// Its queue is paused.
    QueuePaused,
    /// Its owner has as many jobs running as they may have.
    AccountLimit,
    /// It was submitted for a later time.
    Scheduled,
    /// An attempt failed, and the pause before the next one is not over.
    RetryDelay,
    /// No worker that takes jobs serves its queue.
    NoWorker,
    /// It has lost so many workers that it runs alone, when no other job waits.
    Suspect,
    /// Nothing but its turn: every slot is taken by jobs before it.
    Turn,
}

impl Hold {
    pub(crate) fn owner_disabled() -> Self {
        let message =
            "the account of its owner is disabled; it starts when an admin enables the account";
        Self::new(HoldReason::OwnerDisabled, message)
    }

    pub(crate) fn queue_paused(queue: &str) -> Self {
        let message = format!("its queue {queue:?} is paused; it starts when an admin resumes it");
        Self::new(HoldReason::QueuePaused, message)
    }

    pub(crate) fn account_limit(limit: u32) -> Self {
        let message = match limit {
            0 => "its owner may run no jobs; it starts when an admin raises the limit".to_owned(),
            _ => format!(
                "its owner has {} running, as many as allowed; it starts when one has ended",
                count(u64::from(limit), "job")
            ),
        };
        Self::new(HoldReason::AccountLimit, message)
    }

    pub(crate) fn scheduled(at: DateTime<Utc>) -> Self {
        let message = format!("it was submitted for {}", shown(at));
        Self { until: Some(at), ..Self::new(HoldReason::Scheduled, message) }
    }

    pub(crate) fn retry_delay(attempt: u32, until: DateTime<Utc>) -> Self {
        let message =
            format!("attempt {attempt} failed; the next one starts after {}", shown(until));
        Self { until: Some(until), ..Self::new(HoldReason::RetryDelay, message) }
    }

    /// `draining` workers serve the queue and take no new jobs; `elsewhere` do not serve it.
    pub(crate) fn no_worker(queue: &str, draining: usize, elsewhere: usize) -> Self {
        let message = match (draining, elsewhere) {
            (0, 0) => "no worker is running; it starts when one does".to_owned(),
            (0, _) => format!("no worker serves its queue {queue:?}; it starts when one does"),
            _ => {
                format!("every worker of its queue {queue:?} is draining; a new one would start it")
            }
        };
        Self::new(HoldReason::NoWorker, message)
    }

    /// It has lost so many workers.
    pub(crate) fn suspect(lost: usize) -> Self {
        let message = format!(
            "it has lost its worker {lost} times, and may have ended it; it runs alone, when a \
             worker runs nothing else and no other job waits"
        );
        Self::new(HoldReason::Suspect, message)
    }

    /// `before` is how many jobs its queue holds, if the one who asks may know.
    pub(crate) fn turn(queue: &str, slots: u64, waiting: Option<u64>) -> Self {
        let verb = if slots == 1 { "serves" } else { "serve" };
        let slots = count(slots, "slot");
        let mut message = format!("its turn has not come; {slots} {verb} its queue {queue:?}");
        if let Some(waiting) = waiting {
            message += &format!(", in which {} could start now", count(waiting, "job"));
        }
        message += "; owners take turns, and the queues of each share its turns";
        Self::new(HoldReason::Turn, message)
    }

    fn new(reason: HoldReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), until: None }
    }
}

fn shown(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
