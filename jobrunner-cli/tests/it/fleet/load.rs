//! Batches that are submitted one after the other, through one server and the next, whatever
//! happens.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use super::{Fleet, client};

/// A batch that a server has acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) id: String,
    pub(crate) size: usize,
    /// What it was submitted with.
    pub(crate) body: Value,
    pub(crate) key: String,
}

/// How much is submitted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amount {
    pub(crate) batches: usize,
    pub(crate) jobs_each: usize,
    /// The time from one batch to the next.
    pub(crate) every: Duration,
}

impl Fleet {
    /// Submits while the test goes on. The jobs write into the ledger.
    pub(crate) fn load(&self, amount: Amount) -> JoinHandle<Vec<Batch>> {
        let (clients, ledger) = (self.clients.clone(), self.ledger.clone());
        tokio::spawn(async move {
            let mut ticks = interval(amount.every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut batches = Vec::new();
            for n in 0..amount.batches {
                ticks.tick().await;
                let jobs: Vec<Value> =
                    (0..amount.jobs_each).map(|m| ledger.job(n * amount.jobs_each + m)).collect();
                let body = json!({"name": format!("batch {n}"), "jobs": jobs});
                let key = uuid::Uuid::new_v4().to_string();
                let batch = client::submit(&clients, n, &body, &key).await;
                let id = batch["id"].as_str().expect("an id").to_owned();
                batches.push(Batch { id, size: amount.jobs_each, body, key });
            }
            batches
        })
    }
}
