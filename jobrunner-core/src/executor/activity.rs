use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// When a command has last written something.
#[derive(Debug)]
pub(super) struct Activity {
    last: Mutex<Instant>,
    /// How many of its streams wait for whoever takes the output.
    held_up: AtomicUsize,
}

/// A stream that has brought something, until it was taken.
pub(super) struct Taking<'a>(&'a Activity);

impl Activity {
    /// Nothing was written since then.
    pub(super) fn since(started: Instant) -> Self {
        Self { last: Mutex::new(started), held_up: AtomicUsize::new(0) }
    }

    /// Something was written. As long as it is not taken, the command cannot write more, and it is
    /// not its fault.
    pub(super) fn written(&self) -> Taking<'_> {
        self.held_up.fetch_add(1, Ordering::AcqRel);
        Taking(self)
    }

    /// Returns when nothing was written for so long. Cancel safe.
    pub(super) async fn silent_for(&self, silence: Duration) {
        loop {
            let due = self.last() + silence;
            if due > Instant::now() {
                sleep_until(due).await;
            } else if self.held_up.load(Ordering::Acquire) > 0 {
                // Looked at again when it may have gone on.
                sleep_until(Instant::now() + silence.min(Duration::from_secs(1))).await;
            } else if due == self.last() + silence {
                return;
            }
        }
    }

    fn last(&self) -> Instant {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.held_up.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: Duration = Duration::from_secs(2);

    #[tokio::test]
    async fn silence_begins_anew_with_everything_that_is_written() {
        let started = Instant::now();
        let activity = Activity::since(started);
        let writing = async {
            sleep_until(started + SILENCE / 10).await;
            drop(activity.written());
            Instant::now()
        };
        let ((), written) = tokio::join!(activity.silent_for(SILENCE), writing);
        assert!(written.elapsed() >= SILENCE - Duration::from_millis(1), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn a_command_whose_output_is_not_taken_is_not_silent() {
        let started = Instant::now();
        let activity = Activity::since(started);
        let slow = async {
            let taking = activity.written();
            sleep_until(started + SILENCE * 2).await;
            drop(taking);
            Instant::now()
        };
        let ((), taken) = tokio::join!(activity.silent_for(SILENCE), slow);
        assert!(taken.elapsed() >= SILENCE - Duration::from_millis(1), "{:?}", started.elapsed());
    }
}
