//! Embeds all of JobRunner in one program: a store in a directory, the service, a worker.
//!
//! `cargo run -p jobrunner-examples --example embed`

#![expect(clippy::print_stdout, reason = "an example prints what it did")]

use std::{error::Error, sync::Arc};

use futures_util::StreamExt;
use jobrunner_core::{
    NewBatch, NewJob,
    config::Settings,
    connect,
    executor::{ProcessExecutor, ProcessSettings},
};
use jobrunner_worker::{Worker, WorkerConfig};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let settings = Settings::from_vars(|name| std::env::var(name).ok())
        .map_err(|wrong| format!("wrong settings: {wrong:?}"))?;
    let embedded = connect::embedded(directory.path(), &settings).await?;
    let service = &embedded.service;
    service.create_first_admin("me@example.com", connect::random_password()?).await?;
    let caller = service.local_admin().await?.ok_or("there is no admin")?;

    let executor = ProcessExecutor::new(ProcessSettings {
        grace: settings.kill_grace,
        allowed_roots: settings.allowed_workdirs.clone(),
    });
    let config = WorkerConfig {
        slots: 2,
        queues: Vec::new(),
        lease_ttl: settings.lease_ttl,
        drain: settings.drain,
        max_output_bytes: settings.max_output_bytes,
    };
    let (store, queue) = (Arc::clone(&embedded.store), Arc::clone(&embedded.queue));
    let stop = CancellationToken::new();
    let worker = Worker::new(store, queue, Arc::new(executor), config).run(stop.clone());
    let worker = tokio::spawn(worker);

    let mut changes = service.changes();
    let job = |name: &str, command: &[&str]| NewJob {
        name: name.to_owned(),
        command: command.iter().map(|part| (*part).to_owned()).collect(),
        ..NewJob::default()
    };
    let jobs = vec![
        job("passes", &["true"]),
        job("prints", &["echo", "hello"]),
        job("fails", &["sh", "-c", "exit 3"]),
    ];
    let new = NewBatch { name: "embedded".to_owned(), ..NewBatch::default() };
    let mut batch = service.submit_batch(&caller, new, Arc::new(jobs), None).await?;
    while !batch.status.is_terminal() {
        changes.next().await;
        batch = service.batch(&caller, batch.id).await?;
    }
    println!("{}: {} passed, {} failed", batch.status, batch.counts.passed, batch.counts.failed);

    stop.cancel();
    worker.await??;
    Ok(())
}
