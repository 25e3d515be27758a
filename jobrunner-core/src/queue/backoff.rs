use std::time::Duration;

/// How long to wait before the next attempt to connect: twice as long each time, from 100 ms to 5
/// s, less up to a half at random so that processes do not come all at once.
pub(super) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: Duration::from_millis(100) }
    }
}

impl Backoff {
    pub(super) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(Duration::from_secs(5));
        wait.mul_f64(rand::random_range(0.5..=1.0))
    }
}
