//! One job, and its output as it comes.
//!
//! `cargo run -p jobrunner-examples --example follow`

#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::io::{self, Write};

use futures_util::TryStreamExt;
use jobrunner_core::{
    NewJob, Result, Status,
    service::{Followed, LogPlace},
};
use jobrunner_worker::Runner;

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let runner = Runner::embedded(directory.path()).slots(1).start().await?;
    let status = follow(&runner, "for n in 1 2 3; do echo $n; sleep 0.2; done", |bytes| {
        io::stdout().write_all(bytes)
    })
    .await?;
    println!("{status}");
    runner.stop().await?;
    Ok(())
}

/// Submits a script, and passes its output to `write` as it comes, until the script has ended.
async fn follow(
    runner: &Runner,
    script: &str,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<Status> {
    let job = NewJob {
        name: "followed".to_owned(),
        command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        ..NewJob::default()
    };
    let job = runner.submit_job(job).await?;
    let mut place = LogPlace::default();
    loop {
        // A program that was started again goes on from the last place that it has written down.
        let mut events = runner.service().follow(runner.caller(), job.id, place).await?;
        while let Some((next, event)) = events.try_next().await? {
            place = next;
            match event {
                Followed::Output { bytes, .. } => {
                    write(&bytes).map_err(|e| jobrunner_core::Error::internal("writing", e))?;
                }
                Followed::End(status) => return Ok(status),
                Followed::Gap { .. } | Followed::Status(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everything_that_is_written_is_told_in_its_order() {
        let directory = tempfile::tempdir().expect("a directory");
        let runner = Runner::embedded(directory.path()).slots(1).start().await.expect("a runner");
        let mut written = Vec::new();

        let status = follow(&runner, "echo begin; seq 5000; exit 3", |bytes| {
            written.extend_from_slice(bytes);
            Ok(())
        })
        .await
        .expect("a job that ended");

        assert_eq!(status, Status::Failed);
        let numbers: String = (1..=5000).map(|number| format!("{number}\n")).collect();
        assert_eq!(String::from_utf8(written).expect("text"), format!("begin\n{numbers}"));
    }
}
