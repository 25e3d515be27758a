//! Measured values and what is said of them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The values of all rounds, in their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The smallest value that a share of `q` of all values does not exceed.
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in the list"
        )]
        let place = ((sorted.len() as f64 * q).ceil() as usize).saturating_sub(1).min(last);
        sorted.get(place).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn min(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn max(&self) -> f64 {
        self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// This by that, round by round if both have as many; otherwise median by median.
    pub(crate) fn over(&self, limit: &Self) -> Self {
        if self.0.len() == limit.0.len() {
            self.0.iter().zip(&limit.0).map(|(value, limit)| value / limit).collect()
        } else {
            [self.median() / limit.median()].into_iter().collect()
        }
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// As thousandths of a second.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// As millionths of a second.
pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let series: Series = (1..=100).map(f64::from).collect();

        assert_eq!(series.median(), 50.0);
        assert_eq!(series.quantile(0.99), 99.0);
        assert_eq!([7.0].into_iter().collect::<Series>().quantile(0.99), 7.0);
    }

    #[test]
    fn ratios_are_taken_round_by_round_where_both_have_as_many() {
        let rates: Series = [10.0, 30.0, 20.0].into_iter().collect();
        let limits: Series = [100.0, 100.0, 50.0].into_iter().collect();

        assert_eq!(rates.over(&limits), [0.1, 0.3, 0.4].into_iter().collect());
        assert_eq!(rates.over(&[40.0].into_iter().collect()).median(), 0.5);
    }
}
