//! What follows the end of an attempt.

use crate::{job::Reason, status::Change};

/// How many times a job may lose its worker before it is given up: a job that takes its workers down
/// with it must not go on for ever.
pub const WORKER_LOST_BUDGET: u32 = 3;

/// What is known of a job when one of its attempts ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// The number of the attempt that ended, 1 for the first.
    pub attempt: u32,
    /// How many attempts before it were lost with their worker. They do not count as runs.
    pub losses: u32,
    /// How many runs the job may have.
    pub max_attempts: u32,
    /// Whether somebody canceled the job while it ran.
    pub cancel_requested: bool,
}

/// What follows: another attempt, or one of the three ends.
///
/// A command that ended by itself before a cancel reached it keeps its own result, but is not
/// repeated. The loss of a worker is not the command's failure and has a budget of its own.
#[must_use]
pub const fn next(reason: Option<Reason>, history: History) -> Change {
    let Some(reason) = reason else {
        return Change::Pass;
    };
    match reason {
        Reason::Canceled => Change::Cancel,
        Reason::WorkerLost if history.cancel_requested => Change::Cancel,
        Reason::WorkerLost if history.losses < WORKER_LOST_BUDGET => Change::Retry,
        Reason::WorkerLost => Change::Fail,
        _ if history.cancel_requested => Change::Fail,
        _ if history.attempt - history.losses < history.max_attempts => Change::Retry,
        _ => Change::Fail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: History =
        History { attempt: 1, losses: 0, max_attempts: 2, cancel_requested: false };

    #[test]
    fn a_failure_is_repeated_until_the_runs_are_used_up() {
        assert_eq!(next(Some(Reason::ExitCode), FIRST), Change::Retry);
        assert_eq!(next(Some(Reason::ExitCode), History { attempt: 2, ..FIRST }), Change::Fail);
    }

    #[test]
    fn p4_losses_have_their_own_budget_and_cost_no_runs() {
        let lost = |losses| History { attempt: losses + 1, losses, max_attempts: 1, ..FIRST };
        assert_eq!(next(Some(Reason::WorkerLost), lost(0)), Change::Retry);
        assert_eq!(next(Some(Reason::WorkerLost), lost(2)), Change::Retry);
        assert_eq!(next(Some(Reason::WorkerLost), lost(3)), Change::Fail);
        let after_two_losses = History { attempt: 3, losses: 2, max_attempts: 2, ..FIRST };
        assert_eq!(next(Some(Reason::Timeout), after_two_losses), Change::Retry);
    }

    #[test]
    fn a_cancel_is_never_followed_by_another_attempt() {
        let canceled = History { cancel_requested: true, ..FIRST };
        for reason in Reason::ALL {
            assert_ne!(next(Some(reason), canceled), Change::Retry, "{reason:?}");
        }
        assert_eq!(next(Some(Reason::WorkerLost), canceled), Change::Cancel);
        assert_eq!(next(None, canceled), Change::Pass);
    }
}
