//! The command line.

mod audit;
mod run;
mod submit;
mod suite;
mod users;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use jobrunner_core::{
    BatchId, JobId, SessionId, Status,
    batch::RerunOnly,
    config::Listen,
    job::{Order, Reason},
};

pub(crate) use audit::{Audit, AuditCommand, Events};
pub(crate) use run::{Run, Selection};
pub(crate) use submit::{Retry, Submit};
pub(crate) use suite::{Expanded, Format, From, Record, Suite, SuiteCommand, Tool};
pub(crate) use users::{Users, UsersCommand};

/// Runs shell-command jobs and batches of tests, and keeps their output and exit codes.
///
/// Try it without a server:   jobrunner run examples/suites/shell.yaml
/// Or start one and look:     jobrunner up --demo
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100, verbatim_doc_comment)]
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
    /// Sign in to a server and keep the token
    Login(Login),
    /// Forget the token of a server
    Logout(Server),
    /// Show who you are signed in as
    Whoami(Server),
    /// Submit one job
    Submit(Box<Submit>),
    /// Submit, list, show, watch, cancel and repeat batches
    Batch(Batch),
    /// List, show and cancel jobs, and read their output
    Jobs(Jobs),
    /// List the workers, and drain them
    Workers(Workers),
    /// List accounts, make and change them
    Users(Users),
    /// Show who asked for what
    Audit(Audit),
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
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Server {
    /// The server's URL [default: http://127.0.0.1:8000] [env: JOBRUNNER_SERVER]
    #[arg(long = "server", value_name = "URL", global = true)]
    pub(crate) url: Option<String>,
}

/// The password is asked for, unless it is given by --password-stdin or JOBRUNNER_PASSWORD.
#[derive(Debug, Args)]
pub(crate) struct Login {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Your email address; asked for if it is left out
    #[arg(long)]
    pub(crate) email: Option<String>,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Wait {
    /// Wait for the end: exit 0 passed, 1 failed, 3 canceled, 69 server unreachable, 124 gave up
    #[arg(long)]
    pub(crate) wait: bool,
    /// Give up waiting after so long, as in 90s or 2h; what was submitted goes on
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, requires = "wait")]
    pub(crate) wait_timeout: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct Batch {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(subcommand)]
    pub(crate) command: BatchCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BatchCommand {
    /// Submit a suite as a batch
    Submit(BatchSubmit),
    /// List batches, newest first
    List(BatchList),
    /// Show a batch and what failed in it
    Show {
        /// Which batch
        id: BatchId,
        /// How to show it
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Watch a batch until it has ended
    Watch {
        /// Which batch
        id: BatchId,
        /// Give up watching after so long, as in 90s or 2h; the batch goes on
        #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
        wait_timeout: Option<Duration>,
        /// How to show the batch when it has ended
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Cancel every job of a batch that has not ended
    Cancel {
        /// Which batch
        id: BatchId,
    },
    /// Write the results of a batch as JUnit XML
    Junit {
        /// Which batch
        id: BatchId,
        /// Where to [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Submit jobs of a batch again, as a new batch
    Rerun {
        /// Which batch
        id: BatchId,
        /// Which of its jobs: failed (and canceled), or all
        #[arg(long, default_value_t = RerunOnly::Failed)]
        only: RerunOnly,
        #[command(flatten)]
        wait: Wait,
        /// How to show the new batch
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
}

#[derive(Debug, Args)]
pub(crate) struct BatchSubmit {
    /// The suite, a YAML file; - reads it from standard input
    pub(crate) suite: PathBuf,
    /// Give a variable of the suite another value; can be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
    /// Show what would be submitted, and submit nothing
    #[arg(long, conflicts_with = "wait")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) wait: Wait,
    /// How to show the batch
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct BatchList {
    /// Only those that stand so
    #[arg(long)]
    pub(crate) status: Option<Status>,
    /// Only those of this name; * stands for any text
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) list: List,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct List {
    /// How many to show
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Show all of them
    #[arg(long, conflicts_with = "limit")]
    pub(crate) all: bool,
    /// How to show them
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Jobs {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(subcommand)]
    pub(crate) command: JobsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// List jobs, newest first
    List(JobsList),
    /// Show a job and its attempts
    Show {
        /// Which job
        id: JobId,
        /// How to show it
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Tell why a job is where it is: what a waiting one waits for, why a failed one failed
    Why {
        /// Which job
        id: JobId,
        /// How to show it
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Cancel jobs
    Cancel {
        /// Which jobs
        #[arg(required = true)]
        ids: Vec<JobId>,
    },
    /// Print a job's output: what it wrote to stdout and to stderr, each to the same stream here
    Logs {
        /// Which job
        id: JobId,
        /// Go on until the job has ended
        #[arg(short, long)]
        follow: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct JobsList {
    /// Only those that stand so
    #[arg(long)]
    pub(crate) status: Option<Status>,
    /// Only those of this batch
    #[arg(long, value_name = "ID")]
    pub(crate) batch: Option<BatchId>,
    /// Only those of this queue
    #[arg(long)]
    pub(crate) queue: Option<String>,
    /// Only those of this name; * stands for any text
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Only those that ended for this reason, such as timeout
    #[arg(long)]
    pub(crate) reason: Option<Reason>,
    /// Those of a batch in this order: created_at, name or duration, with - in front of it from the
    /// largest down, as in --sort=-duration
    #[arg(long, requires = "batch", allow_hyphen_values = true)]
    pub(crate) sort: Option<Order>,
    #[command(flatten)]
    pub(crate) list: List,
}

#[derive(Debug, Args)]
pub(crate) struct Workers {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(subcommand)]
    pub(crate) command: WorkersCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkersCommand {
    /// List the workers that are alive
    List {
        /// How to show them
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Let workers take no new jobs; what they run goes on
    Drain {
        /// Which workers
        #[arg(required = true)]
        ids: Vec<SessionId>,
    },
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
