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
use jobrunner_core::daemon::Fatal;
use jobrunner_worker::supervised;

/// How long a thread that hangs, on a dead network mount for instance, may hold up the end.
const LAST_WAIT: Duration = Duration::from_secs(2);

const NAME: &str = "jobrunner";

fn main() -> ExitCode {
    end_quietly_without_readers();
    match Cli::parse().command {
        Command::Up(up) => supervised(NAME, |reaper| run(commands::up::up(up, reaper))),
        Command::Run(suite) => supervised(NAME, |reaper| run(commands::run::run(suite, reaper))),
        Command::Worker(worker) => supervised(NAME, |reaper| run(done(worker.run(reaper)))),
        Command::Api(api) => run(done(api.run())),
        Command::InitDb => run(commands::init_db::init_db()),
        Command::Login(login) => run(commands::login::login(login)),
        Command::Logout(server) => run(commands::login::logout(server)),
        Command::Whoami(server) => run(commands::login::whoami(server)),
        Command::Submit(submit) => run(commands::submit::submit(*submit)),
        Command::Batch(batch) => run(commands::batch::batch(batch)),
        Command::Jobs(jobs) => run(commands::jobs::jobs(jobs)),
        Command::Workers(workers) => run(commands::workers::workers(workers)),
        Command::Audit(audit) => run(commands::audit::audit(audit)),
        Command::Users(users) => run(commands::users::users(users)),
    }
}

/// Runs a command to its end and says in one line why it failed, if it did.
fn run(command: impl Future<Output = Result<Exit, Failure>>) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{NAME}: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(command);
    runtime.shutdown_timeout(LAST_WAIT);
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("{NAME}: {failure}");
            ExitCode::from(failure.exit())
        }
    }
}

/// A process that has nothing to tell but whether it could do its work.
async fn done(process: impl Future<Output = Result<(), Fatal>>) -> Result<Exit, Failure> {
    process.await.map(|()| Exit::Success).map_err(Failure::from)
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
