//! JobRunner inside a program of your own: a service and a worker, without a server.
//!
//! `cargo run -p jobrunner-examples --example embed`

#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::path::Path;

use jobrunner_core::{Batch, NewJob, Result};
use jobrunner_worker::Runner;

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let batch = run_three(directory.path()).await?;
    println!("{}: {} passed, {} failed", batch.status, batch.counts.passed, batch.counts.failed);
    Ok(())
}

/// Submits a batch of three commands, and returns it when it has ended.
async fn run_three(directory: &Path) -> Result<Batch> {
    let jobs = ["true", "echo it works", "exit 3"].map(shell).to_vec();
    let runner = Runner::embedded(directory).slots(2).start().await?;
    let batch = runner.submit_batch("three", jobs).await?;
    let ended = runner.wait(batch.id).await?;
    runner.stop().await?;
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
