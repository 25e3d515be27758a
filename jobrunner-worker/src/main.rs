//! The worker alone: what `jobrunner worker` does.

use std::process::ExitCode;

use clap::Parser;
use jobrunner_core::daemon;
use jobrunner_worker::{RunWorker, supervised};

#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    worker: RunWorker,
}

fn main() -> ExitCode {
    const NAME: &str = "jobrunner-worker";
    let cli = Cli::parse();
    supervised(NAME, cli.worker.leaving(), |reaper| daemon::run(NAME, cli.worker.run(reaper)))
}
