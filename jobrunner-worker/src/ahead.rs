use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use jobrunner_core::lease::{LeaseRef, Leased};

/// How much work is leased beyond the free slots, in time: longer than an exchange takes, so that a
/// slot never waits for one.
const AHEAD: Duration = Duration::from_millis(50);

/// The most jobs that are leased beyond the free slots.
const MOST: u32 = 224;

/// How long a leased job may wait for a slot. Then it is given back, since another worker may have
/// one.
const PATIENCE: Duration = Duration::from_millis(250);

/// The weight of the newest duration in their mean.
const NEWEST: f64 = 0.1;

/// Jobs that are leased and wait for a slot, and the measure of how many there should be.
pub(crate) struct Ahead {
    slots: u32,
    waiting: VecDeque<(Leased, Instant)>,
    /// The mean time that an attempt has kept its slot, weighted towards the newest.
    mean: Option<Duration>,
}

impl Ahead {
    pub(crate) fn of(slots: u32) -> Self {
        Self { slots, waiting: VecDeque::new(), mean: None }
    }

    /// An attempt has kept its slot for so long.
    pub(crate) fn measured(&mut self, took: Duration) {
        self.mean = Some(match self.mean {
            None => took,
            Some(mean) => mean.mul_f64(1.0 - NEWEST) + took.mul_f64(NEWEST),
        });
    }

    /// How many jobs should wait for a slot: as many as the slots get through in 50 ms. None as
    /// long as nothing is known of the jobs, or when they take longer.
    pub(crate) fn target(&self) -> u32 {
        let Some(mean) = self.mean.filter(|mean| *mean < AHEAD) else { return 0 };
        let turns = AHEAD.as_secs_f64() / mean.as_secs_f64().max(1e-6);
        (f64::from(self.slots) * turns).min(f64::from(MOST)) as u32
    }

    pub(crate) fn push(&mut self, leased: Leased) {
        self.waiting.push_back((leased, Instant::now()));
    }

    pub(crate) fn next(&mut self) -> Option<Leased> {
        self.waiting.pop_front().map(|(leased, _)| leased)
    }

    pub(crate) fn len(&self) -> u32 {
        self.waiting.len() as u32
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// When the job that waits longest has waited for too long.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.waiting.front().map(|(_, since)| *since + PATIENCE)
    }

    /// Takes out those that wait, all of them: the slots are kept by jobs that take longer than was
    /// thought.
    pub(crate) fn give_up(&mut self) -> Vec<LeaseRef> {
        self.mean = Some(AHEAD);
        self.waiting.drain(..).map(|(leased, _)| leased.lease).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(took: &[u64]) -> u32 {
        let mut ahead = Ahead::of(8);
        took.iter().for_each(|ms| ahead.measured(Duration::from_millis(*ms)));
        ahead.target()
    }

    #[test]
    fn short_jobs_are_leased_ahead_and_long_ones_are_not() {
        assert_eq!(target(&[]), 0, "nothing is known yet");
        assert_eq!(target(&[5]), 80);
        assert_eq!(target(&[50]), 0);
        assert_eq!(target(&[60_000]), 0);
        assert_eq!(target(&[0]), MOST, "there is a bound");
    }

    #[test]
    fn one_long_job_among_short_ones_ends_the_leasing_ahead_for_a_while() {
        let mut took = vec![2; 50];
        took.push(10_000);
        assert_eq!(target(&took), 0);
        took.extend([2; 50]);
        assert!(target(&took) > 0);
    }
}
