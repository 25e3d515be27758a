//! What every process of JobRunner does at its start and its end: it reads its settings, starts its
//! log, stops when it is told to, and says in one line why it could not.

mod file;
mod file_parser;
mod settings;
mod trouble;

use std::{
    error::Error as StdError,
    fmt,
    io::{self, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

use rustix::{
    fs::Mode,
    process::{DumpableBehavior, set_dumpable_behavior},
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub use file::FileError;
pub use settings::{SettingsError, Variables};
pub use trouble::Trouble;

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
            say(&format!("{name}: {}", chain(error.as_ref())));
            Trouble::from(error.as_ref()).into()
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

/// Keeps other processes of the same account, such as the commands of jobs, from reading this one's
/// memory and environment, where secrets are. Root reads them all the same.
///
/// # Errors
/// The kernel refuses, which it has no reason to.
pub fn keep_to_itself() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(io::Error::from)
}

/// Sets the file mode creation mask of this process, which commands inherit: only the bits of
/// `0o777`.
pub fn set_umask(mask: u32) {
    rustix::process::umask(Mode::from_bits_truncate(mask));
}

/// Tells the person at the terminal, if anybody reads it. Unlike `eprintln!` it never ends the
/// process.
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

/// How soon after the first a signal counts as the same request. A terminal and `systemctl stop`
/// signal every process of a group, and a supervisor passes on what it was sent.
const SAME_REQUEST: Duration = Duration::from_millis(300);

/// A token that the first SIGINT, SIGTERM or SIGHUP cancels; the second one, 0.3 seconds later at
/// the earliest, ends the process at once. SIGHUP is left alone where it is ignored.
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
