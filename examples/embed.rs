//! JobRunner inside a program of your own: a service and a worker, without a server.
//!
//! `cargo run -p jobrunner-examples --example embed`

#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::{error::Error, path::Path, sync::Arc};

use futures_util::StreamExt;
use jobrunner_core::{
    Batch, NewBatch, NewJob,
    config::Settings,
    connect,
    executor::{ProcessExecutor, ProcessSettings},
};
use jobrunner_worker::{Worker, WorkerConfig};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let batch = run_three(directory.path()).await?;
    println!("{}: {} passed, {} failed", batch.status, batch.counts.passed, batch.counts.failed);
    Ok(())
}

/// Submits a batch of three commands, runs a worker until it has ended, and answers the batch.
async fn run_three(directory: &Path) -> Result<Batch, Box<dyn Error>> {
    // Every setting at its default, the data in the given directory.
    let settings = Settings::from_vars(|_| None).map_err(jobrunner_core::Error::Invalid)?;
    let embedded = connect::embedded(directory, &settings).await?;
    let service = &embedded.service;
    service.create_first_admin("me@example.com", connect::random_password()?).await?;
    let me = service.local_admin().await?.ok_or("there is no admin")?;

    let jobs = ["true", "echo it works", "exit 3"].map(shell).to_vec();
    let batch = NewBatch { name: "three".to_owned(), ..NewBatch::default() };
    let batch = service.submit_batch(&me, batch, Arc::new(jobs), None).await?;

    let executor = ProcessExecutor::new(ProcessSettings {
        grace: settings.kill_grace,
        allowed_roots: settings.allowed_workdirs.clone(),
        loading_variables: settings.loading_variables.clone(),
        // Only for a process that runs commands and nothing else.
        reaper: None,
        cgroups: None,
    });
    let config = WorkerConfig {
        slots: 2,
        queues: Vec::new(),
        host: None,
        lease_ttl: settings.lease_ttl,
        drain: settings.drain,
        max_output_bytes: settings.max_output_bytes,
    };
    let (store, queue) = (Arc::clone(&embedded.store), Arc::clone(&embedded.queue));
    let worker = Worker::new(store, queue, Arc::new(executor), config);

    let stop = CancellationToken::new();
    let until_ended = async {
        // The worker stops with the end of this block, however it comes.
        let _stop = stop.clone().drop_guard();
        let mut changes = service.changes();
        loop {
            let now = service.batch(&me, batch.id).await?;
            if now.status.is_terminal() {
                return Ok(now);
            }
            changes.next().await;
        }
    };
    let ((), ended) = tokio::try_join!(worker.run(stop.clone()), until_ended)?;
    Ok(ended)
}

fn shell(script: &str) -> NewJob {
    NewJob {
        name: script.to_owned(),
        command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        ..NewJob::default()
    }
}

#[cfg(test)]
mod tests {
    use jobrunner_core::batch::BatchStatus;

    use super::*;

    #[tokio::test]
    async fn the_example_runs_its_batch_to_the_end() {
        let directory = tempfile::tempdir().expect("a directory");

        let batch = run_three(directory.path()).await.expect("a batch that ran");

        assert_eq!(batch.status, BatchStatus::Failed);
        assert_eq!((batch.counts.passed, batch.counts.failed), (2, 1));
    }

    #[test]
    fn what_the_readme_shows_stands_in_this_example() {
        let readme = include_str!("../README.md");
        let (_, after) = readme.split_once("```rust\n").expect("a block of Rust");
        let (shown, _) = after.split_once("```").expect("the end of the block");

        let unindented: Vec<&str> = include_str!("embed.rs").lines().map(str::trim).collect();
        for line in shown.lines().map(str::trim).filter(|line| !line.is_empty()) {
            assert!(unindented.contains(&line), "the example has no line {line:?}");
        }
    }
}
