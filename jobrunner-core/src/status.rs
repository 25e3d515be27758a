//! The one table of states: which there are, and which change leads from which to which.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Where a job stands. These five words are used everywhere: API, SQL, command line, documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not started yet, or waiting for another attempt.
    Waiting,
    /// A worker holds a lease on it, and has started the command or is about to.
    Running,
    /// The command ended with exit code 0.
    Passed,
    /// The command failed, could not be started, or was lost too often.
    Failed,
    /// Somebody canceled it before it ended.
    Canceled,
}

/// What can happen to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A worker leases it, to start the command.
    Start,
    /// A worker gives it back whose command was not started.
    Return,
    /// The attempt ended, and another one follows.
    Retry,
    /// The attempt ended well.
    Pass,
    /// The last attempt ended badly.
    Fail,
    /// It ends by somebody's wish.
    Cancel,
}

impl Status {
    /// Every status, in the order in which people read them.
    pub const ALL: [Self; 5] =
        [Self::Waiting, Self::Running, Self::Passed, Self::Failed, Self::Canceled];

    /// The status after `change`, or `None` when it cannot happen to a job in this status. The
    /// stores ask this table; nothing else decides a transition.
    #[must_use]
    pub const fn after(self, change: Change) -> Option<Self> {
        match (self, change) {
            (Self::Waiting, Change::Start) => Some(Self::Running),
            (Self::Running, Change::Return | Change::Retry) => Some(Self::Waiting),
            (Self::Running, Change::Pass) => Some(Self::Passed),
            (Self::Running, Change::Fail) => Some(Self::Failed),
            (Self::Waiting | Self::Running, Change::Cancel) => Some(Self::Canceled),
            _ => None,
        }
    }

    /// Whether nothing can happen to the job any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Passed | Self::Failed | Self::Canceled)
    }

    /// The word, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is none of the five words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of waiting, running, passed, failed, canceled")]
pub struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGES: [Change; 6] =
        [Change::Start, Change::Return, Change::Retry, Change::Pass, Change::Fail, Change::Cancel];

    #[test]
    fn p2_no_change_leads_out_of_a_terminal_status() {
        for status in Status::ALL.into_iter().filter(|status| status.is_terminal()) {
            for change in CHANGES {
                assert_eq!(status.after(change), None, "{status} {change:?}");
            }
        }
    }

    #[test]
    fn every_status_is_read_back_from_its_word() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert_eq!("Passed".parse::<Status>(), Err(UnknownStatus));
    }
}
