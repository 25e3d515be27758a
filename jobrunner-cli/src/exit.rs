use std::{fmt, process::ExitCode};

use jobrunner_core::{daemon, terminal};

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
}

impl From<jobrunner_core::Status> for Exit {
    /// The exit for a job or a batch that has ended.
    fn from(status: jobrunner_core::Status) -> Self {
        match status {
            jobrunner_core::Status::Passed => Self::Success,
            jobrunner_core::Status::Canceled => Self::Canceled,
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
        }
    }
}

/// Why the command could not do what it was asked to: one line that says what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Anything that has no code of its own.
    General,
    /// The server does not answer (`EX_UNAVAILABLE` of sysexits.h).
    Unreachable,
    /// A setting cannot be used.
    Settings,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: Kind::General }
    }

    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: Kind::Unreachable }
    }

    pub(crate) fn is_unreachable(&self) -> bool {
        self.kind == Kind::Unreachable
    }

    pub(crate) fn exit(&self) -> u8 {
        match self.kind {
            Kind::General => 1,
            Kind::Unreachable => 69,
            Kind::Settings => daemon::SettingsError::EXIT_CODE,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a server says may hold anything; a line of an error is one line.
        f.write_str(&terminal::line(&self.message).replace('\t', " "))
    }
}

impl From<jobrunner_core::Error> for Failure {
    fn from(error: jobrunner_core::Error) -> Self {
        Self::new(daemon::chain(&error))
    }
}

impl From<daemon::SettingsError> for Failure {
    fn from(error: daemon::SettingsError) -> Self {
        Self { message: daemon::chain(&error), kind: Kind::Settings }
    }
}

impl From<daemon::Fatal> for Failure {
    fn from(error: daemon::Fatal) -> Self {
        match error.downcast::<daemon::SettingsError>() {
            Ok(settings) => Self::from(*settings),
            Err(other) => Self::new(daemon::chain(other.as_ref())),
        }
    }
}

/// Says what could not be done with what.
pub(crate) trait Context<T> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("{}: {error}", what())))
    }
}
