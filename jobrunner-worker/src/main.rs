//! The worker alone: what `jobrunner worker` does.

use std::process::ExitCode;

use clap::Parser;
use jobrunner_worker::RunWorker;

#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    worker: RunWorker,
}

fn main() -> ExitCode {
    jobrunner_core::daemon::run("jobrunner-worker", Cli::parse().worker.run())
}
