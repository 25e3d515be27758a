//! The `jobrunner` command: everything in one process to try it, and a client for a running
//! service.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod client;
mod commands;
mod credentials;
mod engine;
mod exit;
mod follow;
mod junit;
mod limits;
mod output;
mod password;
mod progress;
mod results;
mod settings;
mod suite;
mod summary;
mod tls;

use std::{io::IsTerminal, process::ExitCode, time::Duration};

use clap::Parser;

use args::{Cli, Command};
use exit::{Context, Exit, Failure};
use jobrunner_core::daemon::{Fatal, Trouble};
use jobrunner_worker::supervised;

/// How long a thread that hangs, on a dead network mount for instance, may hold up the end.
const LAST_WAIT: Duration = Duration::from_secs(2);

const NAME: &str = "jobrunner";

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(refusal) if refusal.use_stderr() => refusal.exit(),
        // Help, or the version: that is what was asked for.
        Err(help) => {
            let text = help.render();
            let shown = if std::io::stdout().is_terminal() {
                text.ansi().to_string()
            } else {
                text.to_string()
            };
            return ended(output::put(shown.as_bytes()).map(|()| Exit::Success));
        }
    };
    match command {
        Command::Up(up) => supervised(NAME, |reaper| run(commands::up::up(up, reaper))),
        Command::Run(suite) => supervised(NAME, |reaper| run(commands::run::run(suite, reaper))),
        Command::Suite(suite) => run(commands::suite::suite(suite)),
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
    let runtime = tokio::runtime::Runtime::new();
    let runtime = match runtime.context(Trouble::Os, || "cannot start".to_owned()) {
        Ok(runtime) => runtime,
        Err(failure) => return failure.tell(NAME),
    };
    let outcome = runtime.block_on(command);
    runtime.shutdown_timeout(LAST_WAIT);
    ended(outcome)
}

fn ended(outcome: Result<Exit, Failure>) -> ExitCode {
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => failure.tell(NAME),
    }
}

/// A process that has nothing to tell but whether it could do its work.
async fn done(process: impl Future<Output = Result<(), Fatal>>) -> Result<Exit, Failure> {
    process.await.map(|()| Exit::Success).map_err(Failure::from)
}
