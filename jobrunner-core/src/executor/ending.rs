use std::{os::unix::process::ExitStatusExt, process::ExitStatus, time::Duration};

use super::{kill::signal_name, launch::Refusal};
use crate::{
    JobSpec,
    attempt::{Outcome, Reason},
};

/// Why a command was told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    Timeout,
    Silent,
    Canceled,
}

/// What is known of the end of a command.
pub(super) struct Ending {
    /// `None` when the process hangs in the kernel.
    pub(super) status: Option<ExitStatus>,
    pub(super) stopped: Option<Stopped>,
    /// Whether the kernel has killed one of its processes since there was no memory left.
    pub(super) out_of_memory: bool,
    pub(super) duration: Duration,
}

impl Ending {
    /// How the run ended, truthfully: the first cause counts, and what the kernel did is only said
    /// where the kernel has said so.
    pub(super) fn outcome(self, spec: &JobSpec) -> Outcome {
        let signal = self.status.and_then(|status| status.signal()).map(signal_name);
        let exit_code = self.status.and_then(|status| status.code());
        let (reason, error) = match (self.stopped, exit_code, &signal) {
            (Some(Stopped::Timeout), ..) => {
                let seconds = spec.timeout_seconds;
                (Reason::Timeout, format!("was killed after its timeout of {seconds} s"))
            }
            (Some(Stopped::Silent), ..) => {
                let seconds = spec.silence_seconds.unwrap_or_default();
                (Reason::Silent, format!("was killed after it wrote nothing for {seconds} s"))
            }
            (Some(Stopped::Canceled), ..) => {
                (Reason::Canceled, "was canceled while it ran".to_owned())
            }
            (None, Some(0), _) => return self.passed(),
            (None, ..) if self.out_of_memory => {
                let limit = spec.max_memory_mb.map(|limit| format!(" of its {limit} MiB"));
                let limit = limit.unwrap_or_default();
                (Reason::Oom, format!("was killed by the kernel: no memory{limit} was left"))
            }
            (None, Some(code), _) => (Reason::ExitCode, format!("exited with code {code}")),
            (None, None, signal) => {
                let name = signal.as_deref().unwrap_or("an unknown cause");
                (Reason::Signal, format!("was ended by {name}"))
            }
        };
        // A code that a command returns after it was told to end is not the result of its work.
        let exit_code = exit_code.filter(|_| self.stopped.is_none());
        let (reason, error) = (Some(reason), Some(error));
        Outcome { reason, exit_code, signal, error, duration: self.duration }
    }

    fn passed(self) -> Outcome {
        let duration = self.duration;
        Outcome { reason: None, exit_code: Some(0), signal: None, error: None, duration }
    }
}

/// How a run ended that did not begin.
pub(super) fn without_result(refusal: Refusal) -> Outcome {
    Outcome {
        reason: Some(refusal.reason),
        exit_code: None,
        signal: None,
        error: Some(refusal.error),
        duration: Duration::ZERO,
    }
}
