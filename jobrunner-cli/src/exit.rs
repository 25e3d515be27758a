//! How the command ends: the one place that decides its exit code.

use std::{fmt, process::ExitCode};

use jobrunner_core::{
    Conflict, Error, Status,
    daemon::{self, Trouble},
    terminal,
};

use crate::output;

/// What the exit codes mean, for `--help` and the manual page.
pub(crate) const CODES: &str = "\
Exit codes:
  0        done; where something is waited for: passed
  1        a job or a batch failed, and nothing else ends so
  2        the command line makes no sense
  3        a job or a batch was canceled, and nothing failed
  65       what was given is wrong: a suite, or a request that the server refuses
  66, 67   what was named is not there: a file, a job, a batch; an account
  69       the server, or the database, cannot be reached
  70, 71   a defect of JobRunner; the operating system refuses
  73, 74   a file cannot be made; something cannot be read or written
  75       something stands in the way that may be gone later
  76       that is no JobRunner server, or one of another version
  77       not signed in, or not allowed
  78       a setting is wrong
  124      gave up waiting
  130      interrupted (Ctrl-C)
  141      nobody reads the output any more";

/// How the command ends when it did what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All passed, or there was nothing to wait for.
    Success,
    /// Something failed.
    Failed,
    /// Something was canceled, and nothing failed.
    Canceled,
    /// It took longer than the caller wanted to wait.
    GaveUp,
    /// Somebody pressed Ctrl-C.
    Interrupted,
    /// As a command that was run in this one's place.
    Command(u8),
}

impl Exit {
    /// What several results come to: failed if one is, else canceled if one is.
    pub(crate) fn worst(exits: impl Iterator<Item = Self> + Clone) -> Self {
        let of = |wanted: Self| exits.clone().find(|exit| *exit == wanted);
        of(Self::Failed).or_else(|| of(Self::Canceled)).unwrap_or(Self::Success)
    }
}

impl From<Status> for Exit {
    /// The exit for a job or a batch that has ended.
    fn from(status: Status) -> Self {
        match status {
            Status::Passed => Self::Success,
            Status::Canceled => Self::Canceled,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Success => Self::SUCCESS,
            Exit::Failed => Self::from(1),
            Exit::Canceled => Self::from(3),
            // As timeout(1) does.
            Exit::GaveUp => Self::from(124),
            // As a shell tells of SIGINT.
            Exit::Interrupted => Self::from(130),
            Exit::Command(code) => Self::from(code),
        }
    }
}

/// Why the command could not do what it was asked to: one line that says what to do next, and a
/// code that is never that of a result.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The arguments make no sense; the parser of the command line ends with this code, too.
    Usage,
    Trouble(Trouble),
    /// Nobody reads the results any more, as behind `| head`. Not a word about it, and what a shell
    /// tells of SIGPIPE.
    NoReader,
}

impl Failure {
    pub(crate) fn new(trouble: Trouble, message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: Kind::Trouble(trouble) }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: Kind::Usage }
    }

    pub(crate) fn no_reader() -> Self {
        Self { message: String::new(), kind: Kind::NoReader }
    }

    pub(crate) fn is_not_there(&self) -> bool {
        self.kind == Kind::Trouble(Trouble::NoInput)
    }

    pub(crate) fn is_unreachable(&self) -> bool {
        self.kind == Kind::Trouble(Trouble::Unavailable)
    }

    /// Says on standard error what went wrong, and answers the exit code.
    pub(crate) fn tell(&self, name: &str) -> ExitCode {
        let code = match self.kind {
            Kind::NoReader => return ExitCode::from(128 + 13),
            Kind::Usage => 2,
            Kind::Trouble(trouble) => trouble.code(),
        };
        output::say(&format!("{name}: {self}"));
        ExitCode::from(code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a server says may hold anything; a line of an error is one line.
        f.write_str(&terminal::line(&self.message).replace('\t', " "))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(Trouble::from(&error), daemon::chain(&error) + advice(&error))
    }
}

impl From<daemon::SettingsError> for Failure {
    fn from(error: daemon::SettingsError) -> Self {
        Self::new(Trouble::Config, daemon::chain(&error))
    }
}

impl From<daemon::Fatal> for Failure {
    fn from(error: daemon::Fatal) -> Self {
        let advice = error.downcast_ref::<Error>().map_or("", advice);
        Self::new(Trouble::from(error.as_ref()), daemon::chain(error.as_ref()) + advice)
    }
}

/// What this command has for what stands in the way, to be added to what does.
fn advice(error: &Error) -> &'static str {
    match error {
        Error::Conflict(Conflict::SchemaMissing | Conflict::SchemaTooOld) => {
            "; run 'jobrunner init-db'"
        }
        Error::Conflict(Conflict::DirectoryInUse { .. }) => {
            "; stop it, or choose another --data-dir"
        }
        Error::Conflict(Conflict::DirectoryUnusable { .. }) => ", or choose another --data-dir",
        Error::Invalid(violations) if violations.iter().any(|v| v.field == "DATABASE_URL") => {
            "; 'jobrunner up' does without"
        }
        _ => "",
    }
}

/// Says what could not be done with what.
pub(crate) trait Context<T> {
    fn context(self, trouble: Trouble, what: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn context(self, trouble: Trouble, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(trouble, format!("{}: {error}", what())))
    }
}
