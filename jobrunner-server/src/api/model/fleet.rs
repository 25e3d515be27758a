//! Workers, queues, and whether the parts of the service work.

use chrono::{DateTime, Utc};
use jobrunner_core::{lease, queue::Link, service};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Containment, DatabaseHealth, HealthStatus, RedisHealth};
use crate::api::http::body::given;

/// A worker that is alive.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Worker {
    /// Fresh for every start of a worker.
    id: Uuid,
    host: String,
    pid: u32,
    /// How many jobs it runs at one time.
    slots: u32,
    running: u32,
    /// The queues it serves; empty is all.
    queues: Vec<String>,
    /// Whether it takes no new jobs.
    draining: bool,
    /// How it holds together what commands start.
    containment: Containment,
    started_at: DateTime<Utc>,
    seen_at: DateTime<Utc>,
}

impl From<lease::Worker> for Worker {
    fn from(worker: lease::Worker) -> Self {
        let lease::Worker {
            id,
            host,
            pid,
            slots,
            running,
            queues,
            draining,
            containment,
            started_at,
            seen_at,
        } = worker;
        Self {
            id: id.as_uuid(),
            host,
            pid,
            slots,
            running,
            queues,
            draining,
            containment: containment.into(),
            started_at,
            seen_at,
        }
    }
}

/// A queue as it stands.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Queue {
    name: String,
    /// Whether nothing of it is started.
    paused: bool,
    /// Each owner's jobs in it get turns in proportion to it, among that owner's queues.
    weight: f64,
    /// How many of its jobs could be started now.
    waiting: u64,
    running: u64,
    /// When the oldest of those that could be started was accepted.
    oldest_waiting_at: Option<DateTime<Utc>>,
}

impl From<lease::QueueState> for Queue {
    fn from(queue: lease::QueueState) -> Self {
        let lease::QueueState { name, paused, weight, waiting, running, oldest_waiting_at } = queue;
        Self { name, paused, weight, waiting, running, oldest_waiting_at }
    }
}

/// What is to change in a queue; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueueUpdate {
    /// Start nothing of it, or go on.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "bool")]
    paused: Option<bool>,
    /// Above 0, at most 1000.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "f64", range(min = 0, max = 1000), extend("exclusiveMinimum" = true))]
    weight: Option<f64>,
}

impl From<QueueUpdate> for lease::QueueUpdate {
    fn from(update: QueueUpdate) -> Self {
        let QueueUpdate { paused, weight } = update;
        Self { paused, weight }
    }
}

/// Whether the parts work.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Health {
    status: HealthStatus,
    database: DatabaseHealth,
    redis: RedisHealth,
    /// The version of the service.
    version: &'static str,
}

impl From<service::Health> for Health {
    fn from(health: service::Health) -> Self {
        let service::Health { database, queue } = health;
        let works = database && queue != Link::Down;
        Self {
            status: if works { HealthStatus::Ok } else { HealthStatus::Degraded },
            database: if database { DatabaseHealth::Ok } else { DatabaseHealth::Error },
            redis: match queue {
                Link::None => RedisHealth::Disabled,
                Link::Up => RedisHealth::Ok,
                Link::Down => RedisHealth::Error,
            },
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}
