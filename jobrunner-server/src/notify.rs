//! Delivers notifications: takes what is due from the outbox, sends it, and stores how that went.
//!
//! Any number of processes may do this over one store. A delivery is leased by one of them; when
//! that one dies before it has reported, another sends it again, with the same id. Messages of one
//! subscription wait for its own server alone: a few of it are under way at one time, and nothing
//! else waits for them.

mod address;
mod mail;
mod message;
mod send;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use chrono::{TimeDelta, Utc};
use futures_util::future::BoxFuture;
use jobrunner_core::{
    Result, Service, SubscriptionId,
    config::Notify,
    notification::{
        ATTEMPTS_KEPT, Delivery, DeliveryAttempt, DeliveryReport, DeliveryStatus, Due, Event, Take,
        pause_after,
    },
};
use tokio::{
    task::{Id, JoinSet},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use self::{
    message::Happened,
    send::{Outcome, Sender},
};

/// How often the outbox is looked into while nothing happens here.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many messages of one subscription are under way at one time.
const OF_EACH: u32 = 4;

/// How many messages are under way at one time.
const MOST: u32 = 256;

/// How long a delivery is left to whoever has taken it: several times what an attempt takes.
const LEASE: TimeDelta = TimeDelta::seconds(30);

/// How long is told what was delivered.
const KEPT: TimeDelta = TimeDelta::days(30);

/// How often older ones are forgotten.
const TIDY: Duration = Duration::from_secs(3600);

/// Delivers notifications until `shutdown` is canceled, and then lets attempts end, which takes
/// ten seconds at most.
#[must_use]
pub fn run(
    service: Service,
    settings: Notify,
    shutdown: CancellationToken,
) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        match Sender::new(settings) {
            Ok(sender) => deliver(&service, &sender, &shutdown).await,
            Err(error) => {
                let error = &*error as &dyn std::error::Error;
                tracing::error!(error, "notifications are not delivered: they cannot be sent");
            }
        }
    })
}

async fn deliver(service: &Service, sender: &Sender, shutdown: &CancellationToken) {
    let mut attempts = JoinSet::new();
    let mut busy: HashMap<Id, SubscriptionId> = HashMap::new();
    let mut tidied: Option<Instant> = None;
    while !shutdown.is_cancelled() {
        if tidied.is_none_or(|at| at.elapsed() >= TIDY) {
            tidied = Some(Instant::now());
            note(service.outbox().forget_deliveries(Utc::now() - KEPT).await.map(|_| ()));
        }
        note(service.outbox().close_windows(Utc::now()).await.map(|_| ()));
        note(take(service, sender, &mut attempts, &mut busy).await);
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = sleep(INTERVAL) => {}
            Some(ended) = attempts.join_next_with_id() => {
                // One that has panicked is over, too.
                busy.remove(&ended.map_or_else(|panic| panic.id(), |(id, ())| id));
            }
        }
    }
    while attempts.join_next().await.is_some() {}
}

/// Begins an attempt of what is due. The attempts of one subscription are one task.
async fn take(
    service: &Service,
    sender: &Sender,
    attempts: &mut JoinSet<()>,
    busy: &mut HashMap<Id, SubscriptionId>,
) -> Result<()> {
    let most = MOST.saturating_sub(OF_EACH * attempts.len() as u32);
    if most == 0 {
        return Ok(());
    }
    let now = Utc::now();
    let but = busy.values().copied().collect();
    let take = Take { now, until: now + LEASE, of_each: OF_EACH, most, but };
    let mut due = service.outbox().take_deliveries(take).await?;
    due.sort_by_key(|due| due.subscription.id);
    for group in due.chunk_by(|one, other| one.subscription.id == other.subscription.id) {
        let of = group[0].subscription.id;
        let (group, service, sender) = (group.to_vec(), service.clone(), sender.clone());
        let task = attempts.spawn(async move {
            let all = group.into_iter().map(|due| attempt(&service, &sender, due));
            futures_util::future::join_all(all).await;
        });
        busy.insert(task.id(), of);
    }
    Ok(())
}

async fn attempt(service: &Service, sender: &Sender, due: Due) {
    let begun = Instant::now();
    let at = Utc::now();
    let outcome = match happened(service, &due.delivery).await {
        Ok(happened) => sender.send(&due, &happened, at).await,
        // Left to the end of the lease, as if nobody had taken it.
        Err(error) => return note(Err(error)),
    };
    let Outcome { status, error, is_final } = outcome;
    let has_arrived = error.is_none();
    let mut attempts = due.delivery.attempts;
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    attempts.push(DeliveryAttempt { at, duration_ms, status, error });
    let tried = due.delivery.tried.saturating_add(1);
    let pause = pause_after(tried, rand::random()).filter(|_| !is_final && !has_arrived);
    attempts.drain(..attempts.len().saturating_sub(ATTEMPTS_KEPT));
    let report = DeliveryReport {
        id: due.delivery.id,
        lease: due.lease,
        attempts,
        tried,
        status: match pause {
            _ if has_arrived => DeliveryStatus::Delivered,
            Some(_) => DeliveryStatus::Waiting,
            None => DeliveryStatus::Dead,
        },
        due_at: Utc::now() + pause.unwrap_or_default(),
    };
    note(service.outbox().report_delivery(report).await.map(|_| ()));
}

/// What a delivery tells of, with the batches as they are now.
async fn happened(service: &Service, delivery: &Delivery) -> Result<Vec<Happened>> {
    let one = delivery.batch_id.map(|batch_id| Event {
        kind: delivery.kind.clone(),
        batch_id,
        batch_name: delivery.batch_name.clone().unwrap_or_default(),
    });
    let gathered = delivery.gathered.iter().flat_map(|gathered| gathered.told.iter().cloned());
    let mut happened = Vec::new();
    for event in one.into_iter().chain(gathered) {
        let batch = service.batch_to_tell(event.batch_id).await?;
        happened.push(Happened { event, batch });
    }
    Ok(happened)
}

/// What fails here is tried again by itself.
fn note(done: Result<()>) {
    if let Err(error) = done {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "cannot deliver notifications now; tried again");
    }
}
