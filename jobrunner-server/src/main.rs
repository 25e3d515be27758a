//! The server alone: what `jobrunner api` does.

use std::process::ExitCode;

use clap::Parser;
use jobrunner_server::Api;

#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    api: Api,
}

fn main() -> ExitCode {
    jobrunner_core::daemon::run("jobrunner-server", Cli::parse().api.run())
}
