//! The `jobrunner` command: everything in one process to try it, and a client for a running
//! service.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod client;
mod commands;
mod complete;
mod config;
mod credentials;
mod engine;
mod exit;
mod find;
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
mod table;
mod tables;
mod time;
mod tls;
mod usage;

use std::{io::IsTerminal, pin::Pin, process::ExitCode, time::Duration};

use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;

use args::{Cli, Command};
use exit::{Context, Exit, Failure};
use jobrunner_core::daemon::{Fatal, Trouble};
use jobrunner_worker::{Leaving, supervised};

/// How long a thread that hangs, on a dead network mount for instance, may hold up the end.
const LAST_WAIT: Duration = Duration::from_secs(2);

const NAME: &str = "jobrunner";

fn main() -> ExitCode {
    CompleteEnv::with_factory(Cli::command).var(commands::shell::ASKED).completer(NAME).complete();
    // Without any argument the help is shown, as an answer to what is not a command.
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(refusal) if std::env::args_os().len() < 2 => refusal.exit(),
        Err(refusal) if refusal.use_stderr() => return usage::failure(&refusal).tell(NAME),
        // Help, or the version: that is what was asked for.
        Err(help) => {
            let text = help.render();
            let shown = if std::io::stdout().is_terminal() {
                text.ansi().to_string()
            } else {
                text.to_string()
            };
            return ended(output::line(shown.trim_end()).map(|()| Exit::Success));
        }
    };
    if command.is_quiet() {
        output::be_quiet();
    }
    match command {
        Command::Up(up) => {
            supervised(NAME, up.leaving(), |reaper| run(commands::up::up(up, reaper)))
        }
        Command::Run(suite) => {
            supervised(NAME, Leaving::IsTheEnd, |reaper| run(commands::run::run(suite, reaper)))
        }
        Command::Suite(suite) => run(commands::suite::suite(suite)),
        Command::Worker(worker) => {
            supervised(NAME, worker.leaving(), |reaper| run(done(worker.run(reaper))))
        }
        Command::Api(api) => run(done(api.run())),
        Command::InitDb => run(commands::init_db::init_db()),
        Command::Login(login) => run(commands::login::login(login)),
        Command::Logout(remote) => run(commands::login::logout(remote)),
        Command::Whoami(remote) => run(commands::login::whoami(remote)),
        Command::Password(password) => run(commands::password::password(password)),
        Command::Config(config) => ended(commands::config::config(config)),
        Command::Submit(submit) => run(commands::submit::submit(*submit)),
        Command::Batch(batch) => run(commands::batch::batch(batch)),
        Command::Jobs(jobs) => run(commands::jobs::jobs(jobs)),
        Command::Tests(tests) => run(commands::history::tests(tests)),
        Command::Series(series) => run(commands::history::series(series)),
        Command::Cancel(cancel) => run(commands::cancel::cancel(cancel)),
        Command::Queues(queues) => run(commands::queues::queues(queues)),
        Command::Workers(workers) => run(commands::workers::workers(workers)),
        Command::Users(users) => run(commands::users::users(users)),
        Command::Tokens(tokens) => run(commands::tokens::tokens(tokens)),
        Command::KnownIssues(args) => run(commands::known_issues::known_issues(args)),
        Command::Notifications(notifications) => {
            run(commands::notifications::notifications(notifications))
        }
        Command::Projects(projects) => run(commands::projects::projects(projects)),
        Command::Audit(audit) => run(commands::audit::audit(audit)),
        Command::Completions(shell) => ended(commands::shell::completions(&shell)),
        Command::Man(man) => ended(commands::shell::man(&man)),
    }
}

/// Runs a command to its end and says in one line why it failed, if it did.
fn run(command: impl Future<Output = Result<Exit, Failure>>) -> ExitCode {
    run_boxed(Box::pin(command))
}

/// Of one type whatever the command is, lest the runtime is compiled once more for each.
fn run_boxed(command: Pin<Box<dyn Future<Output = Result<Exit, Failure>> + '_>>) -> ExitCode {
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
