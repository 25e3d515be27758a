//! The command line.

mod audit;
mod batch;
mod config;
mod history;
mod jobs;
mod known_issues;
mod notifications;
mod projects;
mod queues;
mod run;
mod shell;
mod submit;
mod suite;
mod tokens;
mod users;
mod workers;

use std::{path::PathBuf, time::Duration};

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jobrunner_core::{ProjectName, config::Listen};
use jobrunner_worker::Leaving;

pub(crate) use audit::{Audit, AuditCommand, Events};
pub(crate) use batch::{Batch, BatchCommand, BatchList, BatchSubmit};
pub(crate) use config::{Config, ConfigCommand};
pub(crate) use history::{Of, Part, Series, SeriesCommand, Tests, TestsCommand};
pub(crate) use jobs::{Cases, Jobs, JobsCommand, JobsList, Logs};
pub(crate) use known_issues::{KnownIssues, KnownIssuesCommand};
pub(crate) use notifications::{CreateNotification, Notifications, NotificationsCommand};
pub(crate) use projects::{Projects, ProjectsCommand};
pub(crate) use queues::{Queues, QueuesCommand};
pub(crate) use run::{Run, Selection};
pub(crate) use shell::{Completions, Man};
pub(crate) use submit::{Retry, Submit};
pub(crate) use suite::{Expanded, Format, From, Record, Suite, SuiteCommand, Tool};
pub(crate) use tokens::{OfService, Tokens, TokensCommand};
pub(crate) use users::{Users, UsersCommand};
pub(crate) use workers::{Workers, WorkersCommand};

use crate::{exit::CODES, time};

/// Runs shell-command jobs and batches of tests, and keeps their output and exit codes.
///
/// Try it without a server:   jobrunner run examples/suites/shell.yaml
/// Or start one and look:     jobrunner up --demo
#[derive(Debug, Parser)]
#[command(
    name = "jobrunner",
    version,
    propagate_version = true,
    max_term_width = 100,
    verbatim_doc_comment,
    after_help = CODES
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start everything in one process: API, pages, a worker, a database file
    Up(Up),
    /// Run a suite here and now, without a server
    Run(Run),
    /// Check suites, show what they make, and make them of other tools' tests
    Suite(Suite),
    /// Make the schema of DATABASE_URL, or bring it up to date, and make the first admin account
    ///
    /// Harmless when it is repeated, or run on several machines at once. The password of the
    /// account is JOBRUNNER_ADMIN_PASSWORD, or else made at random and shown once.
    InitDb,
    /// Serve the API and the pages for a team, over PostgreSQL
    Api(jobrunner_server::Api),
    /// Run jobs for a team, over PostgreSQL
    Worker(jobrunner_worker::RunWorker),
    /// Sign in to a server and keep the token; it is asked from now on
    Login(Login),
    /// Forget the token of a server
    Logout(Remote),
    /// Show who you are signed in as
    Whoami(Remote),
    /// Change your password
    Password(Password),
    /// Name servers, and choose the one that is asked
    Config(Config),
    /// Submit one job
    Submit(Box<Submit>),
    /// Submit, list, show, watch, cancel and repeat batches
    #[command(visible_alias = "batches")]
    Batch(Batch),
    /// List, show, cancel and repeat jobs, and read their output
    #[command(visible_alias = "job")]
    Jobs(Jobs),
    /// List tests, show what became of one, and which cannot be relied on
    #[command(visible_alias = "test")]
    Tests(Tests),
    /// List series, and show the runs of one
    Series(Series),
    /// Cancel everything that has not ended
    Cancel(Cancel),
    /// List the queues, pause and weight them
    #[command(visible_alias = "queue")]
    Queues(Queues),
    /// List the workers, and drain them
    Workers(Workers),
    /// List accounts, make and change them
    #[command(visible_alias = "user")]
    Users(Users),
    /// List your access tokens, make and delete them
    #[command(visible_alias = "token")]
    Tokens(Tokens),
    /// List failures that are known, make and change them
    #[command(visible_alias = "known-issue")]
    KnownIssues(KnownIssues),
    /// Tell webhooks and Slack what becomes of your batches
    #[command(visible_alias = "notification")]
    Notifications(Notifications),
    /// List projects, make them, and see to their members
    #[command(visible_alias = "project")]
    Projects(Projects),
    /// Show who asked for what
    Audit(Audit),
    /// Print what makes a shell complete this command
    Completions(Completions),
    /// Write the manual pages
    Man(Man),
}

impl Command {
    /// Whether results alone are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        match self {
            Self::Login(Login { remote, .. })
            | Self::Logout(remote)
            | Self::Whoami(remote)
            | Self::Password(Password { remote, .. })
            | Self::Batch(Batch { remote, .. })
            | Self::Jobs(Jobs { remote, .. })
            | Self::Tests(Tests { remote, .. })
            | Self::Series(Series { remote, .. })
            | Self::Cancel(Cancel { remote, .. })
            | Self::Queues(Queues { remote, .. })
            | Self::Workers(Workers { remote, .. })
            | Self::Users(Users { remote, .. })
            | Self::Tokens(Tokens { remote, .. })
            | Self::KnownIssues(KnownIssues { remote, .. })
            | Self::Notifications(Notifications { remote, .. })
            | Self::Projects(Projects { remote, .. })
            | Self::Audit(Audit { remote, .. }) => remote.quiet,
            Self::Submit(submit) => submit.remote.quiet,
            Self::Config(config) => config.quiet,
            Self::Up(_)
            | Self::Run(_)
            | Self::Suite(_)
            | Self::InitDb
            | Self::Api(_)
            | Self::Worker(_)
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }
}

/// Settings are read from the environment and from a file `.env` here; see the README for all of
/// them.
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Where to listen [default: 127.0.0.1:8000] [env: JOBRUNNER_LISTEN]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Option<Listen>,
    /// Where to keep the database and the secret [default: jobrunner in your data directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// How many jobs to run at one time, 0 for none [default: number of CPUs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=4096))]
    pub(crate) workers: Option<u32>,
    /// Submit a sample suite once the service is up
    #[arg(long)]
    pub(crate) demo: bool,
    /// End when the process that does the work is killed, rather than start another
    #[arg(long)]
    pub(crate) no_restart: bool,
}

impl Up {
    /// What becomes of the service when its runner is killed.
    pub(crate) const fn leaving(&self) -> Leaving {
        if self.no_restart { Leaving::IsTheEnd } else { Leaving::IsRestarted }
    }
}

/// What holds for every command that talks to a server.
#[derive(Clone, Debug, Args)]
pub(crate) struct Remote {
    /// The server: a URL, or a name given by jobrunner config [env: JOBRUNNER_SERVER] [default: the
    /// one last signed in to, else http://127.0.0.1:8000]
    #[arg(short, long, value_name = "NAME|URL", global = true, help_heading = "Everywhere")]
    pub(crate) server: Option<String>,
    /// How to show results
    #[arg(short, long, value_enum, default_value_t, global = true, help_heading = "Everywhere")]
    pub(crate) output: Output,
    /// The project: what is submitted belongs to it, and lists show what does [env:
    /// JOBRUNNER_PROJECT]
    #[arg(long, value_name = "NAME", global = true, value_parser = projects::project, help_heading = "Everywhere")]
    pub(crate) project: Option<ProjectName>,
    /// Print ids alone instead of tables, and no hints or progress
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub(crate) quiet: bool,
}

/// The password is asked for, unless it is given by --password-stdin or JOBRUNNER_PASSWORD.
#[derive(Debug, Args)]
pub(crate) struct Login {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Your email address; asked for if it is left out
    #[arg(short, long)]
    pub(crate) email: Option<String>,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

/// The current password and the new one are asked for. All your other sign-ins end; this one goes
/// on.
#[derive(Debug, Args)]
pub(crate) struct Password {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// Read both from standard input: the current password from the first line, the new one from
    /// the second
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

/// One request, however many there are. Those that wait end at once, those that run are killed by
/// their workers.
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(flatten)]
    pub(crate) whose: Whose,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Whose {
    /// All of yours
    #[arg(long)]
    pub(crate) mine: bool,
    /// All that you may cancel: for admins, everybody's
    #[arg(long)]
    pub(crate) all: bool,
    /// All of this account, by its address; for admins
    #[arg(long, value_name = "EMAIL")]
    pub(crate) owner: Option<String>,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Wait {
    /// Wait for the end, and exit with the result
    #[arg(short, long)]
    pub(crate) wait: bool,
    /// Give up waiting after so long, as in 90s or 2h; what was submitted goes on
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "wait")]
    pub(crate) wait_timeout: Option<Duration>,
}

/// Which part of a list is shown, and how.
#[derive(Clone, Debug, Args)]
pub(crate) struct List {
    /// How many to show
    #[arg(short = 'n', long, default_value_t = 50, value_parser = count)]
    pub(crate) limit: u32,
    /// Show all of them
    #[arg(short, long, conflicts_with = "limit")]
    pub(crate) all: bool,
    /// Only what was made since: 2h, 3days, 22:30, 2026-11-27, "2026-11-27 22:30"
    #[arg(long, value_name = "TIME", value_parser = time::past)]
    pub(crate) since: Option<DateTime<Utc>>,
    /// Which columns to show; a wrong one makes it tell which there are
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// Show it again every two seconds, until Ctrl-C
    #[arg(short, long)]
    pub(crate) watch: bool,
}

/// Whose things are listed.
#[derive(Clone, Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Owner {
    /// Only yours
    #[arg(short, long)]
    pub(crate) mine: bool,
    /// Only those of this account, by its address
    #[arg(long, value_name = "EMAIL")]
    pub(crate) owner: Option<String>,
}

/// How something is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

/// How long somebody waits.
fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "must be a duration such as 90s or 2h".to_owned())
}

/// How many, one at least.
fn count(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "must be a whole number, 1 or more".to_owned())
}

/// What may stand in a header.
fn key(text: &str) -> Result<String, String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if is_plain && !text.trim().is_empty() {
        return Ok(text.to_owned());
    }
    Err("must be letters, digits and signs of ASCII".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("must look like NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
