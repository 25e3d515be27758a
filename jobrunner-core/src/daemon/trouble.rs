use std::{error::Error as StdError, io, process::ExitCode};

use super::{Refusal, SettingsError};
use crate::Error;

/// What kept a process from doing its work, by the exit codes of sysexits.h. 1 is not among them:
/// it says that a job failed, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// What was given is wrong in itself (`EX_DATAERR`).
    Data = 65,
    /// What was named is not there (`EX_NOINPUT`).
    NoInput = 66,
    /// There is no such account (`EX_NOUSER`).
    NoUser = 67,
    /// The server, or the database, cannot be reached (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// A defect (`EX_SOFTWARE`).
    Software = 70,
    /// The operating system refuses (`EX_OSERR`).
    Os = 71,
    /// A file cannot be made (`EX_CANTCREAT`).
    CannotCreate = 73,
    /// Something cannot be read or written (`EX_IOERR`).
    Io = 74,
    /// Something stands in the way, which may be gone later (`EX_TEMPFAIL`).
    InTheWay = 75,
    /// The other side speaks another language (`EX_PROTOCOL`).
    Protocol = 76,
    /// The caller is not allowed to, or not signed in (`EX_NOPERM`).
    NotAllowed = 77,
    /// A setting is wrong (`EX_CONFIG`).
    Config = 78,
}

impl Trouble {
    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Trouble> for ExitCode {
    fn from(trouble: Trouble) -> Self {
        Self::from(trouble.code())
    }
}

impl From<&Error> for Trouble {
    fn from(error: &Error) -> Self {
        match error {
            Error::Invalid(_) => Self::Data,
            Error::NotFound(_) | Error::Gone(_) => Self::NoInput,
            Error::Conflict(_) | Error::TooMany { .. } => Self::InTheWay,
            Error::Unauthenticated(_) | Error::Forbidden(_) => Self::NotAllowed,
            Error::Unavailable { .. } => Self::Unavailable,
            Error::Internal { .. } => Self::Software,
        }
    }
}

/// For a process that serves others: what is wrong in it are its settings.
impl From<&(dyn StdError + Send + Sync + 'static)> for Trouble {
    fn from(error: &(dyn StdError + Send + Sync + 'static)) -> Self {
        if let Some(error) = error.downcast_ref::<Error>() {
            return match Self::from(error) {
                Self::Data => Self::Config,
                other => other,
            };
        }
        if error.is::<SettingsError>() {
            Self::Config
        } else if error.is::<Refusal>() || error.is::<io::Error>() {
            Self::Os
        } else {
            Self::Software
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Conflict, Violation, daemon::Fatal};

    #[test]
    fn whatever_ends_a_process_early_has_a_code_of_its_own_and_never_1() {
        let cases: [(Fatal, u8); 6] = [
            (Error::invalid("JWT_SECRET_KEY", "must be set").into(), 78),
            (SettingsError::from(Violation::new("JOB_UMASK", "must be")).into(), 78),
            (Error::from(Conflict::SchemaMissing).into(), 75),
            (Error::unavailable("the database", io::Error::other("away")).into(), 69),
            (io::Error::other("no signals").into(), 71),
            ("anything else".into(), 70),
        ];
        for (error, code) in cases {
            assert_eq!(Trouble::from(error.as_ref()).code(), code, "{error}");
        }
    }
}
