//! Parts of tests that take about as long, in the tests' own order: what is next to each other
//! often shares what is expensive to set up.

use super::{durations::Durations, tool::Unit};

/// At most so many parts, none of them empty, of which the longest is as short as can be.
pub(super) fn even(units: Vec<Unit>, shards: usize, durations: &Durations) -> Vec<Vec<Unit>> {
    let lengths: Vec<f64> = units.iter().map(|unit| durations.of(unit)).collect();
    let longest = lengths.iter().copied().fold(0.0, f64::max);
    let (mut low, mut high) = (longest, lengths.iter().sum::<f64>());
    // Each step halves what is not known; the rest is less than any clock shows.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if parts(&lengths, middle).len() <= shards { high = middle } else { low = middle }
    }
    let mut sizes = parts(&lengths, high);
    while sizes.len() < shards.min(units.len()) {
        split_largest(&mut sizes);
    }
    let mut units = units.into_iter();
    sizes.into_iter().map(|size| units.by_ref().take(size).collect()).collect()
}

/// How many units each part has when none is longer than `most`.
fn parts(lengths: &[f64], most: f64) -> Vec<usize> {
    let mut sizes = Vec::new();
    let (mut size, mut sum) = (0, 0.0);
    for length in lengths {
        if size > 0 && sum + length > most {
            sizes.push(size);
            (size, sum) = (0, 0.0);
        }
        size += 1;
        sum += length;
    }
    sizes.push(size);
    sizes
}

fn split_largest(sizes: &mut Vec<usize>) {
    let largest = (0..sizes.len()).max_by_key(|index| sizes[*index]).unwrap_or(0);
    let size = sizes[largest];
    sizes[largest] = size / 2;
    sizes.insert(largest, size - size / 2);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::suite::adapters::tool::Test;

    fn units(lengths: &[u32]) -> (Vec<Unit>, Durations) {
        let test = |index: usize| Test { name: format!("t{index}"), ..Test::default() };
        let units = (0..lengths.len()).map(|index| test(index).into()).collect();
        let known =
            lengths.iter().enumerate().map(|(i, length)| (format!("t{i}"), f64::from(*length)));
        (units, Durations::of_names(known))
    }

    fn sums(lengths: &[u32], shards: usize) -> Vec<f64> {
        let (units, durations) = units(lengths);
        let parts = even(units, shards, &durations);
        parts.iter().map(|part| part.iter().map(|unit| durations.of(unit)).sum()).collect()
    }

    #[test]
    fn the_longest_part_is_as_short_as_can_be() {
        assert_eq!(sums(&[1, 1, 1, 1], 2), [2.0, 2.0]);
        assert_eq!(sums(&[9, 1, 1, 1, 6], 2), [9.0, 9.0]);
        assert_eq!(sums(&[1, 9, 1], 3), [1.0, 9.0, 1.0]);
        assert_eq!(sums(&[1, 1], 5).len(), 2, "no part is empty");
    }

    proptest! {
        #[test]
        fn every_test_is_in_one_part(lengths in proptest::collection::vec(0_u32..50, 1..60), shards in 1_usize..12) {
            let (units, durations) = units(&lengths);
            let parts = even(units.clone(), shards, &durations);
            prop_assert_eq!(parts.len(), shards.min(units.len()));
            prop_assert!(parts.iter().all(|part| !part.is_empty()));
            prop_assert_eq!(parts.concat(), units);
            let longest = sums(&lengths, shards).into_iter().fold(0.0, f64::max);
            let total: u32 = lengths.iter().sum();
            let largest = lengths.iter().max().copied().unwrap_or_default();
            let bound = f64::from(total) / shards as f64 + f64::from(largest);
            prop_assert!(longest <= bound + 1e-6, "{} > {}", longest, bound);
        }
    }
}
