//! The `jobrunner` command: everything in one process to try it, and a client for a running service.

#![expect(clippy::print_stdout, reason = "results of a command go to standard output")]

mod args;
mod client;
mod commands;
mod credentials;
mod engine;
mod exit;
mod follow;
mod junit;
mod output;
mod password;
mod progress;
mod results;
mod settings;
mod suite;
mod summary;

use std::{process::ExitCode, time::Duration};

use clap::Parser;

use args::{Cli, Command};
use exit::{Exit, Failure};

/// How long a thread that hangs, on a dead network mount for instance, may hold up the end.
const LAST_WAIT: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    end_quietly_without_readers();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("jobrunner: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(dispatch(cli));
    runtime.shutdown_timeout(LAST_WAIT);
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("jobrunner: {failure}");
            ExitCode::from(failure.exit())
        }
    }
}

async fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Up(up) => commands::up::up(up).await,
        Command::Run(run) => commands::run::run(run).await,
        Command::InitDb => commands::init_db::init_db().await,
        Command::Api(api) => api.run().await.map(|()| Exit::Success).map_err(Failure::from),
        Command::Worker(worker) => {
            worker.run().await.map(|()| Exit::Success).map_err(Failure::from)
        }
        Command::Login(login) => commands::login::login(login).await,
        Command::Logout(server) => commands::login::logout(&server),
        Command::Whoami(server) => commands::login::whoami(server).await,
        Command::Submit(submit) => commands::submit::submit(submit).await,
        Command::Batch(batch) => commands::batch::batch(batch).await,
        Command::Jobs(jobs) => commands::jobs::jobs(jobs).await,
        Command::Workers(workers) => commands::workers::workers(workers).await,
    }
}

/// Ends the process without a word when what it prints to is closed, as `head` does: `println!` panics
/// then, and only a panic hook hears of it.
fn end_quietly_without_readers() {
    /// What a shell reports of a process that SIGPIPE ended.
    const BROKEN_PIPE: i32 = 128 + 13;
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or_default();
        if text.starts_with("failed printing to std") && text.contains("Broken pipe") {
            std::process::exit(BROKEN_PIPE);
        }
        report(panic);
    }));
}
