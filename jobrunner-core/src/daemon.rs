//! What every process of JobRunner does at its start and its end: it reads its settings, starts its log,
//! stops when it is told to, and says in one line why it could not.

use std::{
    error::Error as StdError,
    fmt,
    io::{self, IsTerminal, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

use rustix::{
    fs::Mode,
    process::{DumpableBehavior, set_dumpable_behavior},
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;

/// How long a thread that hangs, on a dead network mount for instance, may hold up the end.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// What ends a process early, in one line that says what to do next.
pub type Fatal = Box<dyn StdError + Send + Sync>;

/// Runs a process to its end; `name` begins the line that says why it failed.
pub fn run(name: &str, process: impl Future<Output = Result<(), Fatal>>) -> ExitCode {
    let outcome = match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let outcome = runtime.block_on(process);
            runtime.shutdown_timeout(LAST_WAIT);
            outcome
        }
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// An error with what caused it, on one line.
#[must_use]
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Some errors name their cause in their own text.
        let cause_text = cause.to_string();
        if !line.ends_with(&cause_text) {
            line = format!("{line}: {cause_text}");
        }
        source = cause.source();
    }
    line.replace(['\n', '\t'], " ")
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file `.env` of the working directory is there but not readable.
    #[error("cannot read the file .env: {0}")]
    File(#[source] dotenvy::Error),
    /// Variables with values that make no sense.
    #[error("wrong settings: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Values(Vec<crate::Violation>),
    /// `JOBRUNNER_LOG` is not a filter.
    #[error("JOBRUNNER_LOG is not a filter such as info or jobrunner=debug: {0}")]
    LogFilter(String),
    /// `JOBRUNNER_LOG_FORMAT` is neither of the two.
    #[error("JOBRUNNER_LOG_FORMAT must be text or json, not {0}")]
    LogFormat(String),
}

/// The settings of this process: its environment over the file `.env` of its directory.
///
/// # Errors
/// The file cannot be read, or values cannot be used.
pub fn settings() -> Result<Settings, SettingsError> {
    match dotenvy::dotenv() {
        Ok(_) => {}
        Err(error) if error.not_found() => {}
        Err(error) => return Err(SettingsError::File(error)),
    }
    Settings::from_vars(|name| std::env::var(name).ok()).map_err(SettingsError::Values)
}

/// Sends the log to stderr, as `JOBRUNNER_LOG` and `JOBRUNNER_LOG_FORMAT` ask for; `default` is the filter
/// where nothing is asked for.
///
/// # Errors
/// One of the two cannot be used.
pub fn start_log(default: &str) -> Result<(), SettingsError> {
    let filter = std::env::var("JOBRUNNER_LOG").unwrap_or_else(|_| default.to_owned());
    let filter = tracing_subscriber::EnvFilter::try_new(&filter)
        .map_err(|error| SettingsError::LogFilter(error.to_string()))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match std::env::var("JOBRUNNER_LOG_FORMAT").as_deref() {
        Ok("json") => log.json().init(),
        Ok("text" | "") | Err(_) => log.init(),
        Ok(other) => return Err(SettingsError::LogFormat(other.to_owned())),
    }
    Ok(())
}

/// Keeps other processes of the same account, such as the commands of jobs, from reading this one's
/// memory and environment, where secrets are. Root reads them all the same.
///
/// # Errors
/// The kernel refuses, which it has no reason to.
pub fn keep_to_itself() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(io::Error::from)
}

/// Sets the file mode creation mask of this process, which commands inherit: only the bits of `0o777`.
pub fn set_umask(mask: u32) {
    rustix::process::umask(Mode::from_bits_truncate(mask));
}

/// Tells the person at the terminal, if anybody reads it. Unlike `eprintln!` it never ends the process.
pub fn say(line: &str) {
    if let Err(error) = writeln!(io::stderr(), "{line}") {
        tracing::trace!(%error, "nobody reads the messages");
    }
}

/// Whether this process was told to go on when its terminal is closed, as nohup(1) does.
#[must_use]
pub fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Signal n is bit n - 1, and SIGHUP is the first.
    mask.is_some_and(|mask| mask & 1 == 1)
}

/// How soon after the first a signal counts as the same request. A terminal and `systemctl stop` signal
/// every process of a group, and a supervisor passes on what it was sent.
const SAME_REQUEST: Duration = Duration::from_millis(300);

/// A token that the first SIGINT, SIGTERM or SIGHUP cancels; the second one, 0.3 seconds later at the
/// earliest, ends the process at once. SIGHUP is left alone where it is ignored.
///
/// # Errors
/// The signals cannot be listened for.
pub fn stop_on_signals() -> io::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
    let stop = CancellationToken::new();
    let token = stop.clone();
    // Ends with the process.
    tokio::spawn(async move {
        let mut next = async || {
            let hung_up = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hung_up => {}
            }
        };
        next().await;
        let first = Instant::now();
        // First of all: who reads the messages may be gone, and that must not keep the process.
        token.cancel();
        say("stopping; once more to stop at once");
        while {
            next().await;
            first.elapsed() < SAME_REQUEST
        } {}
        std::process::exit(130);
    });
    Ok(stop)
}

/// A reason to end that is not another error.
#[derive(Debug)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Refusal {}
