//! What follows the end of an attempt.

use std::{fmt, str::FromStr, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, Visitor},
};

use crate::{Violation, attempt::Reason, status::Change};

/// For how long a job avoids a host that could not run it, while another host may.
pub(crate) const AVOID: Duration = Duration::from_secs(10);

/// The longest pause before another attempt.
const LONGEST_DELAY: Duration = Duration::from_secs(3600);

/// The largest factor from one pause to the next.
const MAX_BACKOFF: f64 = 10.0;

/// Which failures of a command are followed by another attempt, as long as `max_attempts` allows
/// one, and after what pause. The pause before the nth repetition is `delay_seconds ×
/// backoff^(n-1)`, one hour at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Exit codes and kinds of failures; empty is every failure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<RetryOn>,
    /// The first pause, in seconds, 0 to 3,600.
    #[serde(default)]
    pub delay_seconds: u64,
    /// What each further pause is multiplied with, 1 to 10.
    #[serde(default = "no_backoff")]
    pub backoff: f64,
}

/// A failure that is followed by another attempt; written as a number or a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "Word")]
pub enum RetryOn {
    /// The command returned this, 1 to 255.
    ExitCode(i32),
    /// It failed in this way.
    Kind(RetryKind),
}

/// A kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryKind {
    /// A signal ended the command, the kernel's when memory ran out included.
    Signal,
    /// It exceeded its timeout.
    Timeout,
    /// It wrote nothing for too long.
    Silent,
}

/// How a [`RetryOn`] is written.
#[derive(Serialize)]
#[serde(untagged)]
enum Word {
    Number(i64),
    Text(String),
}

/// The text names no failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an exit code, 1 to 255, or one of signal, timeout, silent")]
pub struct UnknownFailure;

impl RetryOn {
    fn of_code(code: i64) -> Result<Self, UnknownFailure> {
        match code {
            1..=255 => Ok(Self::ExitCode(code as i32)),
            _ => Err(UnknownFailure),
        }
    }

    fn of_word(word: &str) -> Result<Self, UnknownFailure> {
        match word {
            "signal" => Ok(Self::Kind(RetryKind::Signal)),
            "timeout" => Ok(Self::Kind(RetryKind::Timeout)),
            "silent" => Ok(Self::Kind(RetryKind::Silent)),
            _ => Err(UnknownFailure),
        }
    }
}

impl<'de> Deserialize<'de> for RetryOn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CodeOrWord;

        impl Visitor<'_> for CodeOrWord {
            type Value = RetryOn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an exit code, 1 to 255, or one of signal, timeout, silent")
            }

            fn visit_i64<E: de::Error>(self, code: i64) -> Result<RetryOn, E> {
                RetryOn::of_code(code).map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, code: u64) -> Result<RetryOn, E> {
                self.visit_i64(i64::try_from(code).unwrap_or(i64::MAX))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<RetryOn, E> {
                RetryOn::of_word(word).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(CodeOrWord)
    }
}

impl From<RetryOn> for Word {
    fn from(on: RetryOn) -> Self {
        match on {
            RetryOn::ExitCode(code) => Self::Number(code.into()),
            RetryOn::Kind(RetryKind::Signal) => Self::Text("signal".to_owned()),
            RetryOn::Kind(RetryKind::Timeout) => Self::Text("timeout".to_owned()),
            RetryOn::Kind(RetryKind::Silent) => Self::Text("silent".to_owned()),
        }
    }
}

impl FromStr for RetryOn {
    type Err = UnknownFailure;

    fn from_str(text: &str) -> Result<Self, UnknownFailure> {
        text.parse().map_or_else(|_| Self::of_word(text), Self::of_code)
    }
}

const fn no_backoff() -> f64 {
    1.0
}

impl Default for Retry {
    fn default() -> Self {
        Self { on: Vec::new(), delay_seconds: 0, backoff: no_backoff() }
    }
}

impl Retry {
    /// Every broken rule, with the field's name.
    pub(crate) fn check(&self, wrong: &mut Vec<Violation>) {
        for (index, on) in self.on.iter().enumerate() {
            if matches!(on, RetryOn::ExitCode(code) if !(1..=255).contains(code)) {
                wrong
                    .push(Violation::new(format!("retry.on[{index}]"), UnknownFailure.to_string()));
            }
        }
        if self.delay_seconds > LONGEST_DELAY.as_secs() {
            let message = format!("must be 0 to {}", LONGEST_DELAY.as_secs());
            wrong.push(Violation::new("retry.delay_seconds", message));
        }
        if !(1.0..=MAX_BACKOFF).contains(&self.backoff) {
            wrong.push(Violation::new("retry.backoff", format!("must be 1 to {MAX_BACKOFF}")));
        }
    }

    /// Whether a failure is one of those that are followed by another attempt.
    #[must_use]
    pub fn covers(&self, reason: Reason, exit_code: Option<i32>) -> bool {
        let is_meant = |on: &RetryOn| match (*on, reason) {
            (RetryOn::ExitCode(code), Reason::ExitCode) => exit_code == Some(code),
            (RetryOn::Kind(RetryKind::Signal), Reason::Signal | Reason::Oom)
            | (RetryOn::Kind(RetryKind::Timeout), Reason::Timeout)
            | (RetryOn::Kind(RetryKind::Silent), Reason::Silent) => true,
            _ => false,
        };
        self.on.is_empty() || self.on.iter().any(is_meant)
    }

    /// The pause before the attempt that follows so many runs, at least one.
    #[must_use]
    pub fn delay(&self, runs: u32) -> Duration {
        if self.delay_seconds == 0 {
            return Duration::ZERO;
        }
        let factor = self.backoff.powi(i32::try_from(runs.saturating_sub(1)).unwrap_or(i32::MAX));
        let seconds = self.delay_seconds as f64 * factor;
        Duration::try_from_secs_f64(seconds).map_or(LONGEST_DELAY, |delay| delay.min(LONGEST_DELAY))
    }
}

/// How many times a job may lose its worker before it is given up: a job that takes its workers
/// down with it must not go on for ever.
pub const WORKER_LOST_BUDGET: u32 = 3;

/// After how many lost workers a job is a suspect: which of the jobs that a worker ran has ended it
/// is not known, so a suspect runs alone, when no other job waits. From then on a loss is its own,
/// and no other job is lost with it.
pub const SUSPECT_AFTER: u32 = 2;

/// What is known of a job when one of its attempts ends.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// The number of the attempt that ended, 1 for the first.
    pub attempt: u32,
    /// How many attempts before it cost no run: those that were lost with their worker, and those
    /// whose worker did not see the job's files while others may.
    pub losses: u32,
    /// How many runs the job may have.
    pub max_attempts: u32,
    /// What it says about repetitions.
    pub retry: Option<&'a Retry>,
    /// Whether somebody canceled the job while it ran.
    pub cancel_requested: bool,
    /// Whether a worker on another host serves its queue.
    pub elsewhere: bool,
    /// A number that differs from job to job.
    pub salt: u64,
}

/// What follows the end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// Another attempt, or one of the three ends.
    pub change: Change,
    /// How long another attempt has to wait.
    pub delay: Duration,
    /// Whether this one cost the job no run.
    pub is_free: bool,
}

impl Next {
    const fn end(change: Change) -> Self {
        Self { change, delay: Duration::ZERO, is_free: false }
    }

    const fn free_retry() -> Self {
        Self { change: Change::Retry, delay: Duration::ZERO, is_free: true }
    }
}

impl History<'_> {
    /// How many runs the job has had that count, the one that ended included.
    const fn runs(&self) -> u32 {
        self.attempt - self.losses
    }

    /// How long a job waits after the loss of its worker: not at all the first time, then for a
    /// while that differs from job to job and from loss to loss. The jobs that a worker held when
    /// one of them killed it do not meet that one again.
    fn apart(&self) -> Duration {
        /// Longer than a worker holds jobs that it has not started.
        const SPREAD_MS: u64 = 2000;
        if self.losses == 0 {
            return Duration::ZERO;
        }
        let losses = u64::from(self.losses);
        // Fibonacci hashing (Knuth, The Art of Computer Programming, volume 3, 6.4).
        let mixed = (self.salt ^ losses).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        Duration::from_millis(mixed % (SPREAD_MS * losses))
    }

    /// Whether a job that passes now failed before.
    #[must_use]
    pub const fn is_flaky(&self) -> bool {
        self.runs() > 1
    }
}

/// Whether an attempt that ended so says something about its worker and not about the command: then
/// another host is preferred for the next one.
#[must_use]
pub const fn is_of_the_worker(reason: Reason) -> bool {
    matches!(reason, Reason::WorkerLost | Reason::InputMissing | Reason::WorkingDir)
}

/// What follows: another attempt, or one of the three ends.
///
/// A command that ended by itself before a cancel reached it keeps its own result, but is not
/// repeated. The loss of a worker is not the command's failure and has a budget of its own; so are
/// files that are missing, as long as another host may have them.
#[must_use]
pub fn next(reason: Option<Reason>, exit_code: Option<i32>, history: History<'_>) -> Next {
    let Some(reason) = reason else {
        return Next::end(Change::Pass);
    };
    let budget_left = history.losses < WORKER_LOST_BUDGET;
    match reason {
        Reason::Canceled => Next::end(Change::Cancel),
        Reason::WorkerLost if history.cancel_requested => Next::end(Change::Cancel),
        Reason::WorkerLost if budget_left => Next { delay: history.apart(), ..Next::free_retry() },
        Reason::WorkerLost => Next::end(Change::Fail),
        _ if history.cancel_requested => Next::end(Change::Fail),
        Reason::InputMissing | Reason::WorkingDir if history.elsewhere && budget_left => {
            Next::free_retry()
        }
        _ if history.runs() >= history.max_attempts => Next::end(Change::Fail),
        _ => match history.retry {
            Some(retry) if !retry.covers(reason, exit_code) => Next::end(Change::Fail),
            Some(retry) => {
                let delay = retry.delay(history.runs());
                Next { change: Change::Retry, delay, is_free: false }
            }
            None => Next { change: Change::Retry, delay: Duration::ZERO, is_free: false },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: History<'static> = History {
        attempt: 1,
        losses: 0,
        max_attempts: 2,
        retry: None,
        cancel_requested: false,
        elsewhere: false,
        salt: 7,
    };

    fn change(reason: Reason, history: History<'_>) -> Change {
        next(Some(reason), None, history).change
    }

    #[test]
    fn pauses_grow_by_the_factor_up_to_an_hour() {
        let retry = Retry { on: vec![], delay_seconds: 10, backoff: 3.0 };
        let delays: Vec<_> = (1..8).map(|runs| retry.delay(runs).as_secs()).collect();
        assert_eq!(delays, [10, 30, 90, 270, 810, 2430, 3600]);
        assert_eq!(retry.delay(u32::MAX).as_secs(), 3600);
        assert_eq!(Retry { delay_seconds: 0, ..retry }.delay(u32::MAX), Duration::ZERO);
    }

    #[test]
    fn only_the_failures_that_are_named_are_covered() {
        let on = vec![RetryOn::ExitCode(75), RetryOn::Kind(RetryKind::Timeout)];
        let retry = Retry { on, ..Retry::default() };
        assert!(retry.covers(Reason::ExitCode, Some(75)));
        assert!(!retry.covers(Reason::ExitCode, Some(1)));
        assert!(retry.covers(Reason::Timeout, None));
        assert!(!retry.covers(Reason::Signal, None));
        assert!(Retry::default().covers(Reason::SpawnFailed, None));
    }

    #[test]
    fn a_failure_is_repeated_until_the_runs_are_used_up() {
        assert_eq!(change(Reason::ExitCode, FIRST), Change::Retry);
        assert_eq!(change(Reason::ExitCode, History { attempt: 2, ..FIRST }), Change::Fail);
    }

    #[test]
    fn a_failure_that_is_not_named_is_not_repeated_and_a_pause_is_kept() {
        let on = vec![RetryOn::ExitCode(75)];
        let retry = Retry { on, delay_seconds: 5, backoff: 2.0 };
        let second = History { attempt: 2, max_attempts: 3, retry: Some(&retry), ..FIRST };
        assert_eq!(next(Some(Reason::ExitCode), Some(1), second).change, Change::Fail);
        let repeated = next(Some(Reason::ExitCode), Some(75), second);
        assert_eq!((repeated.change, repeated.delay.as_secs()), (Change::Retry, 10));
        assert!(!repeated.is_free);
    }

    #[test]
    fn p4_losses_have_their_own_budget_and_cost_no_runs() {
        let lost = |losses| History { attempt: losses + 1, losses, max_attempts: 1, ..FIRST };
        assert_eq!(next(Some(Reason::WorkerLost), None, lost(0)), Next::free_retry());
        assert_eq!(change(Reason::WorkerLost, lost(2)), Change::Retry);
        assert!(next(Some(Reason::WorkerLost), None, lost(2)).is_free);
        assert_eq!(change(Reason::WorkerLost, lost(3)), Change::Fail);
        let after_two_losses = History { attempt: 3, losses: 2, max_attempts: 2, ..FIRST };
        assert_eq!(change(Reason::Timeout, after_two_losses), Change::Retry);
        assert!(!after_two_losses.is_flaky());
        assert!(History { attempt: 4, ..after_two_losses }.is_flaky());
    }

    #[test]
    fn p4_jobs_that_were_lost_together_twice_are_repeated_apart() {
        let pause = |salt| {
            let history = History { attempt: 2, losses: 1, max_attempts: 1, salt, ..FIRST };
            next(Some(Reason::WorkerLost), None, history).delay.as_millis()
        };
        let mut pauses: Vec<u128> = (0..100).map(|n| pause(n * 0x0123_4567_89ab_cdef)).collect();
        pauses.sort_unstable();
        assert!(pauses[99] < 2000, "{pauses:?}");
        let close = |pause: u128| pauses.iter().filter(|other| other.abs_diff(pause) < 50).count();
        assert!(pauses.iter().all(|pause| close(*pause) < 20), "{pauses:?}");
    }

    #[test]
    fn a_missing_input_is_looked_for_on_another_host_before_it_fails_the_job() {
        let once = History { max_attempts: 1, ..FIRST };
        let elsewhere = History { elsewhere: true, ..once };
        assert_eq!(change(Reason::InputMissing, once), Change::Fail);
        assert_eq!(next(Some(Reason::InputMissing), None, elsewhere), Next::free_retry());
        assert_eq!(next(Some(Reason::WorkingDir), None, elsewhere), Next::free_retry());
        assert_eq!(change(Reason::ExitCode, elsewhere), Change::Fail);
        let spent = History { attempt: 4, losses: 3, ..elsewhere };
        assert_eq!(change(Reason::InputMissing, spent), Change::Fail);
    }

    #[test]
    fn a_cancel_is_never_followed_by_another_attempt() {
        let canceled = History { cancel_requested: true, elsewhere: true, ..FIRST };
        for reason in Reason::ALL {
            assert_ne!(change(reason, canceled), Change::Retry, "{reason:?}");
        }
        assert_eq!(change(Reason::WorkerLost, canceled), Change::Cancel);
        assert_eq!(next(None, Some(0), canceled).change, Change::Pass);
    }
}
