//! Carries wake-ups between processes, over whatever takes small texts from one to all others.
//!
//! Listeners of this process hear an announcement at once, and the others as soon as the transport
//! has taken it: one that finds nothing under way is sent alone. What is announced while a
//! [`letter`](super::letter) is being sent, or less than [`REST`] after it, is gathered and becomes
//! the next one. Nobody who announces waits for the transport: what does not fit into the bounded
//! channel, or was lost with a connection, becomes a [`Wakeup::Lagged`].

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::stream::BoxStream;
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time::{Instant, sleep_until},
};

use super::{
    LocalQueue, Wakeup,
    letter::{self, Letter, Origin},
};

/// How long the transport rests after a letter, so that a thousand a second are the most whatever
/// is announced. The first one after a rest waits for nothing.
const REST: Duration = Duration::from_millis(1);

/// How many announcements may wait to be gathered.
const BACKLOG: usize = 1024;

/// Where announcements go in and what others announced comes out.
pub(super) struct Relay {
    local: LocalQueue,
    origin: Origin,
    outgoing: Sender<Wakeup>,
    /// Announcements did not fit into the channel.
    overflow: Arc<AtomicBool>,
}

/// What is to be sent to the other processes.
pub(super) struct Outbox {
    origin: Origin,
    incoming: Receiver<Wakeup>,
    overflow: Arc<AtomicBool>,
    /// A letter was lost.
    lost: bool,
    /// Until when the transport rests.
    rests: Instant,
}

/// A relay, and the outbox for the task that sends.
pub(super) fn relay() -> (Relay, Outbox) {
    let (outgoing, incoming) = mpsc::channel(BACKLOG);
    let (origin, overflow) = (Origin::new(), Arc::new(AtomicBool::new(false)));
    let overflowing = Arc::clone(&overflow);
    let outbox =
        Outbox { origin, incoming, overflow: overflowing, lost: false, rests: Instant::now() };
    (Relay { local: LocalQueue::new(), origin, outgoing, overflow }, outbox)
}

impl Relay {
    /// Wakes the listeners of this process now and the others soon.
    pub(super) fn announce(&self, wakeup: Wakeup) {
        if self.outgoing.try_send(wakeup.clone()).is_err() {
            self.overflow.store(true, Ordering::Release);
        }
        self.local.tell(wakeup);
    }

    /// Takes in what came from a process, maybe this one.
    pub(super) fn hear(&self, text: &str) {
        let letter = letter::read(text);
        if letter.origin == Some(self.origin) {
            return;
        }
        for wakeup in letter.wakeups {
            self.local.tell(wakeup);
        }
    }

    /// Tells the listeners of this process that they may have missed something.
    pub(super) fn missed(&self) {
        self.local.tell(Wakeup::Lagged);
    }

    /// See [`Queue::wakeups`](super::Queue::wakeups).
    pub(super) fn wakeups(&self) -> BoxStream<'static, Wakeup> {
        self.local.listen()
    }
}

impl Outbox {
    /// Waits for an announcement, and returns the text to send: with it, whatever else was
    /// announced while the text before was being sent. `None` when the relay is gone. What has been
    /// gathered is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> Option<String> {
        let mut letter = Letter::from(self.origin);
        match std::mem::take(&mut self.lost) {
            true => letter.add(Wakeup::Lagged),
            false => letter.add(self.incoming.recv().await?),
        }
        if Instant::now() < self.rests {
            sleep_until(self.rests).await;
        }
        for _ in 0..BACKLOG {
            let Ok(wakeup) = self.incoming.try_recv() else { break };
            letter.add(wakeup);
        }
        if self.overflow.swap(false, Ordering::AcqRel) {
            letter.add(Wakeup::Lagged);
        }
        self.rests = Instant::now() + REST;
        Some(letter.write())
    }

    /// A text could not be sent; the next one says so, and comes at once.
    pub(super) fn lost(&mut self) {
        self.lost = true;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt};

    use super::*;
    use crate::{BatchId, JobId};

    #[tokio::test]
    async fn what_one_announces_another_hears_once_and_the_first_at_once() {
        let ((one, mut outbox), (other, _outbox)) = (relay(), relay());
        let (mut here, mut there) = (one.wakeups(), other.wakeups());
        let changed = Wakeup::Changed { job: Some(JobId::new()), batch: Some(BatchId::new()) };
        for wakeup in [Wakeup::Work, changed.clone(), Wakeup::Work, changed.clone()] {
            one.announce(wakeup.clone());
            assert_eq!(here.next().await, Some(wakeup));
        }
        let text = outbox.next().await.expect("a letter");
        one.hear(&text);
        other.hear(&text);
        one.announce(Wakeup::Cancel);
        other.announce(Wakeup::Cancel);
        assert_eq!(here.next().await, Some(Wakeup::Cancel), "its own letter tells it nothing");
        let heard: Vec<Wakeup> = there.by_ref().take(3).collect().await;
        assert_eq!(heard, [Wakeup::Work, changed, Wakeup::Cancel], "and each thing is said once");
    }

    #[tokio::test]
    async fn the_first_goes_at_once_and_what_comes_meanwhile_goes_together() {
        let (one, mut outbox) = relay();
        let changed = || Wakeup::Changed { job: Some(JobId::new()), batch: None };
        one.announce(Wakeup::Work);
        let first = outbox.next().now_or_never().flatten().expect("nothing to wait for");
        let meanwhile = [changed(), Wakeup::Cancel, changed()];
        for wakeup in &meanwhile {
            one.announce(wakeup.clone());
        }
        let second = outbox.next().await.expect("a letter");

        assert_eq!(letter::read(&first).wakeups, [Wakeup::Work]);
        let together = letter::read(&second).wakeups;
        assert!(meanwhile.iter().all(|wakeup| together.contains(wakeup)), "{together:?}");
    }

    #[tokio::test]
    async fn what_does_not_fit_is_told_as_missed() {
        let ((one, mut outbox), (other, _outbox)) = (relay(), relay());
        let mut there = other.wakeups();
        for _ in 0..2 * BACKLOG {
            one.announce(Wakeup::Changed { job: Some(JobId::new()), batch: None });
        }
        other.hear(&outbox.next().await.expect("a letter"));
        assert_eq!(there.next().await, Some(Wakeup::Lagged));
    }

    #[tokio::test]
    async fn a_lost_letter_is_followed_by_one_that_says_so() {
        let ((one, mut outbox), (other, _outbox)) = (relay(), relay());
        let mut there = other.wakeups();
        one.announce(Wakeup::Cancel);
        drop(outbox.next().await.expect("a letter"));
        outbox.lost();
        other.hear(&outbox.next().await.expect("a letter"));
        assert_eq!(there.next().await, Some(Wakeup::Lagged));
    }
}
