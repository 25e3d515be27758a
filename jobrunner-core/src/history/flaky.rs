//! How far the results of a test can be relied on: three numbers, and never one flag.
//!
//! That a test passed and failed for one revision proves that something beside the revision
//! decides. That it turns from run to run is a suspicion: each change may have its reason. That it
//! fails on one host and passes on the others explains it by the host.

use serde::{Deserialize, Serialize};

use super::{TestResult, hosts};
use crate::{BatchId, JobId, series::Revision, verdict::Outcome};

/// How many pairs of results are named as evidence: the newest.
const PAIRS_NAMED: usize = 3;

/// How often a test has to turn to be suspected: more than to break and to be mended.
const FLIPS_SUSPECTED: u32 = 3;

/// How far the results of a test can be relied on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flakiness {
    /// For how many revisions it has passed and failed. A run that does not say its revision, or
    /// has changes beside it, is one of its own.
    pub differing: u32,
    /// For how many revisions it has passed or failed at all.
    pub revisions: u32,
    /// How often it turned from a pass to a failure or back, from a run of a branch to the next
    /// one of another revision.
    pub flips: u32,
    /// The host that explains its failures best, if it failed twice and ran on others, too.
    pub host: Option<HostShare>,
    /// Where it passed and failed for one revision, newest first: three at most.
    pub evidence: Vec<Evidence>,
}

/// How far failures are explained by a host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostShare {
    /// Which host.
    pub host: String,
    /// The share of the failures that were there, less that of the passes: 1 if it failed there
    /// alone and passed everywhere else, 0 if the host makes no difference.
    pub share: f64,
}

/// A pass and a failure for one revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Which revision, if it was said.
    pub revision: Option<Revision>,
    /// Where it passed.
    pub passed: Ran,
    /// Where it failed: the same job if an attempt of it failed before it passed.
    pub failed: Ran,
}

/// A job that a test was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// In which batch.
    pub batch_id: BatchId,
    /// Which job.
    pub job_id: JobId,
}

/// The results for one revision.
struct Unit<'a> {
    first: &'a TestResult,
    passed: Option<Ran>,
    failed: Option<Ran>,
}

impl Flakiness {
    /// What the results of one test say, newest first.
    #[must_use]
    pub fn of(results: &[TestResult]) -> Self {
        let told: Vec<&TestResult> = results.iter().filter(|it| it.outcome.tells()).collect();
        let units = units(&told);
        let differing = units.iter().filter_map(|unit| Some((unit, unit.passed?, unit.failed?)));
        let mut evidence: Vec<Evidence> = differing
            .map(|(unit, passed, failed)| Evidence {
                revision: unit.first.revision.clone(),
                passed,
                failed,
            })
            .collect();
        let differing = count(evidence.len());
        evidence.truncate(PAIRS_NAMED);
        Self {
            differing,
            revisions: count(units.len()),
            flips: flips(&told),
            host: host(results),
            evidence,
        }
    }

    /// Whether there is a proof, or more than one reason would be needed.
    #[must_use]
    pub const fn is_suspected(&self) -> bool {
        self.differing > 0 || self.flips >= FLIPS_SUSPECTED
    }

    /// What sorts the worst first.
    #[must_use]
    pub const fn rank(&self) -> std::cmp::Reverse<(u32, u32)> {
        std::cmp::Reverse((self.differing, self.flips))
    }
}

/// What one revision is told from others by, if it can be.
fn revision(result: &TestResult) -> Option<&str> {
    let revision = result.revision.as_ref().filter(|revision| !revision.dirty);
    revision.and_then(|revision| revision.sha.as_deref())
}

fn is_same(a: &TestResult, b: &TestResult) -> bool {
    a.run == b.run || (revision(a).is_some() && revision(a) == revision(b))
}

fn units<'a>(told: &[&'a TestResult]) -> Vec<Unit<'a>> {
    let mut units: Vec<Unit<'a>> = Vec::new();
    for result in told {
        let ran = Ran { batch_id: result.batch_id, job_id: result.job_id };
        let known = units.iter().position(|unit| is_same(unit.first, result));
        let at = known.unwrap_or_else(|| {
            units.push(Unit { first: result, passed: None, failed: None });
            units.len() - 1
        });
        let unit = &mut units[at];
        if result.outcome != Outcome::Failed {
            unit.passed.get_or_insert(ran);
        }
        if result.outcome != Outcome::Passed {
            unit.failed.get_or_insert(ran);
        }
    }
    units
}

fn flips(told: &[&TestResult]) -> u32 {
    let branch = |result: &TestResult| {
        let revision = result.revision.as_ref();
        revision.and_then(|revision| revision.branch.clone())
    };
    let mut last: Vec<(Option<String>, &TestResult)> = Vec::new();
    let mut flips = 0;
    for result in told.iter().filter(|result| !result.is_rerun) {
        let branch = branch(result);
        let has_failed = |it: &TestResult| it.outcome == Outcome::Failed;
        match last.iter_mut().find(|(known, _)| *known == branch) {
            Some((_, next)) => {
                let turned = has_failed(next) != has_failed(result) && !is_same(next, result);
                flips += u32::from(turned);
                *next = result;
            }
            None => last.push((branch, result)),
        }
    }
    flips
}

fn host(results: &[TestResult]) -> Option<HostShare> {
    let hosts = hosts(results);
    let failed: u32 = hosts.iter().map(|host| host.failed).sum();
    let passed: u32 = hosts.iter().map(|host| host.passed).sum();
    if failed < 2 || hosts.len() < 2 {
        return None;
    }
    let part = |of: u32, all: u32| if all == 0 { 0.0 } else { f64::from(of) / f64::from(all) };
    let shares = hosts.into_iter().map(|host| HostShare {
        share: part(host.failed, failed) - part(host.passed, passed),
        host: host.host,
    });
    let best = shares.max_by(|a, b| a.share.total_cmp(&b.share));
    best.filter(|best| best.share > 0.0)
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;
    use crate::series::TestId;

    /// Results, newest first: revision, host and what became of it.
    fn results(of: &[(&str, &str, Outcome)]) -> Vec<TestResult> {
        let result = |(at, (sha, host, outcome)): (usize, &(&str, &str, Outcome))| TestResult {
            test_id: TestId::new(1, 1),
            run: (of.len() - at) as u64,
            batch_id: BatchId::new(),
            revision: (!sha.is_empty())
                .then(|| Revision { sha: Some((*sha).to_owned()), ..Revision::default() }),
            is_rerun: false,
            created_at: DateTime::default(),
            job_id: JobId::new(),
            outcome: *outcome,
            cause: None,
            duration_ms: 1,
            host: Some((*host).to_owned()),
            attempts: 1,
        };
        of.iter().enumerate().map(result).collect()
    }

    use Outcome::{Failed, Flaky, Infra, Passed};

    #[test]
    fn a_pass_and_a_failure_of_one_revision_are_a_proof() {
        let found = results(&[("b", "h", Passed), ("a", "h", Failed), ("a", "h", Passed)]);
        let flaky = Flakiness::of(&found);
        assert_eq!((flaky.differing, flaky.revisions, flaky.flips), (1, 2, 1));
        assert_eq!(flaky.evidence[0].failed.job_id, found[1].job_id);
        assert_eq!(flaky.evidence[0].passed.job_id, found[2].job_id);
        assert!(flaky.is_suspected());
        // What does not say its revision may be another one each time.
        assert_eq!(Flakiness::of(&results(&[("", "h", Failed), ("", "h", Passed)])).differing, 0);
        let within = Flakiness::of(&results(&[("", "h", Flaky)]));
        assert_eq!((within.differing, within.revisions), (1, 1));
    }

    #[test]
    fn a_test_that_breaks_and_is_mended_is_not_suspected() {
        let once = results(&[
            ("e", "h", Passed),
            ("d", "h", Failed),
            ("c", "h", Infra),
            ("b", "h", Failed),
            ("a", "h", Passed),
        ]);
        let flaky = Flakiness::of(&once);
        assert_eq!((flaky.differing, flaky.flips, flaky.is_suspected()), (0, 2, false));
        let again = results(&[
            ("d", "h", Failed),
            ("c", "h", Passed),
            ("b", "h", Failed),
            ("a", "h", Passed),
        ]);
        assert!(Flakiness::of(&again).is_suspected());
    }

    #[test]
    fn failures_of_one_host_alone_are_explained_by_it() {
        let of = |found: &[(&str, &str, Outcome)]| Flakiness::of(&results(found)).host;
        let alone = [("c", "bad", Failed), ("b", "good", Passed), ("a", "bad", Failed)];
        let alone = of(&alone).expect("a host");
        assert_eq!((alone.host.as_str(), alone.share), ("bad", 1.0));
        let alike =
            [("d", "a", Failed), ("c", "b", Failed), ("b", "a", Passed), ("a", "b", Passed)];
        assert_eq!(of(&alike), None);
        assert_eq!(of(&[("b", "only", Failed), ("a", "only", Failed)]), None);
    }

    proptest! {
        #[test]
        fn numbers_stay_in_their_bounds(
            found in proptest::collection::vec((0..4_u8, 0..3_u8, 0..4_u8), 0..40)
        ) {
            let shas = ["", "a", "b", "c"];
            let hosts = ["x", "y", "z"];
            let outcomes = [Passed, Failed, Flaky, Infra];
            let found: Vec<_> = found
                .iter()
                .map(|(sha, host, outcome)| (
                    shas[usize::from(*sha)],
                    hosts[usize::from(*host)],
                    outcomes[usize::from(*outcome)],
                ))
                .collect();
            let flaky = Flakiness::of(&results(&found));
            prop_assert!(flaky.differing <= flaky.revisions);
            prop_assert!(flaky.evidence.len() <= 3 && flaky.evidence.len() as u32 <= flaky.differing);
            prop_assert!(flaky.flips as usize <= found.len().saturating_sub(1));
            if let Some(host) = flaky.host {
                prop_assert!(host.share > 0.0 && host.share <= 1.0);
            }
        }
    }
}
