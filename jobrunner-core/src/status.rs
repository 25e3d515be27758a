//! The one table of states: which there are, and which change leads from which to which.

use crate::words::words;

words! {
    /// Where a job stands. These five words are used everywhere: API, SQL, command line,
    /// documentation.
    Status {
        /// Not started yet, or waiting for another attempt.
        Waiting = "waiting",
        /// A worker holds a lease on it, and has started the command or is about to.
        Running = "running",
        /// The command ended with exit code 0.
        Passed = "passed",
        /// The command failed, could not be started, or was lost too often.
        Failed = "failed",
        /// Somebody canceled it before it ended.
        Canceled = "canceled",
    }
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
}
