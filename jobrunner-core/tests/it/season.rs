//! A season of thirty nights: what is seeded is what the verdicts tell.

use std::collections::{BTreeMap, BTreeSet};

use jobrunner_core::{
    BatchId, JobSpec, UserId,
    batch::RerunOnly,
    job::Reason,
    page::PageRequest,
    store::BatchOrder,
    testkit::{Fixture, Hand, new_batch, spec},
    verdict::{Class, ClassCounts, RUNS_LOOKED_AT},
};

const NIGHTS: usize = 30;
const TESTS: usize = 2000;

/// A night in which half of the tests are run, one in which a host is dead, one in which everything
/// fails, one in which tests are renamed and one in which tests are removed.
const HALF: usize = 9;
const DEAD_HOST: usize = 13;
const RED: usize = 17;
const RENAMED: usize = 20;
const REMOVED: usize = 23;
/// A night after which what failed is repeated.
const REPEATED: usize = 5;

/// How often an attempt of a flaky test fails, of a hundred times.
const FLAKY_FAILS: u64 = 10;

/// A generator of numbers: SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// A test of the season.
struct Test {
    name: String,
    is_flaky: bool,
    /// What it fails by, since it was broken.
    broken: Option<String>,
}

/// How one attempt ends.
#[derive(Clone, Debug, PartialEq)]
enum End {
    Pass,
    Fail(String),
    HostIsDead,
}

/// What the season has told of a test, by nights: whether it passed, or by what it failed.
type Told = BTreeMap<usize, Option<String>>;

struct Season {
    fixture: Fixture,
    owner: UserId,
    hand: Hand,
    numbers: Numbers,
    tests: Vec<Test>,
    /// By the names of tests.
    past: BTreeMap<String, Told>,
    /// What was broken and not told as new yet: names with causes.
    seeded: BTreeSet<(String, String)>,
    /// How many were told as new that nobody has broken, by night.
    false_alarms: Vec<usize>,
}

impl Season {
    async fn new(fixture: Fixture) -> Self {
        let hand = fixture.hand().await;
        let test = |n: usize| Test {
            name: format!("suite/{:02}/test {n:04}", n % 20),
            is_flaky: n % 50 == 7,
            broken: None,
        };
        let tests = (0..TESTS).map(test).collect();
        let (owner, numbers) = (UserId::new(), Numbers(2026));
        let (past, seeded, false_alarms) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        Self { fixture, owner, hand, numbers, tests, past, seeded, false_alarms }
    }

    /// What the developers did during a day.
    fn day(&mut self, night: usize) {
        for number in 0..3 {
            let at = self.numbers.below(self.tests.len() as u64) as usize;
            let test = &mut self.tests[at];
            // Some that are broken fail for another cause from now on.
            if !test.is_flaky && night > 0 {
                let cause = format!("day {night} broke it in place {number}");
                self.seeded.retain(|(name, _)| *name != test.name);
                self.seeded.insert((test.name.clone(), cause.clone()));
                test.broken = Some(cause);
            }
        }
        let broken: Vec<usize> =
            (0..self.tests.len()).filter(|at| self.tests[*at].broken.is_some()).collect();
        if broken.len() > 12 {
            for _ in 0..4 {
                let at = broken[self.numbers.below(broken.len() as u64) as usize];
                let test = &mut self.tests[at];
                // Nobody mends what nobody knows of.
                if !self.seeded.iter().any(|(name, _)| *name == test.name) {
                    test.broken = None;
                }
            }
        }
        let sound = |test: &&mut Test| test.broken.is_none() && !test.is_flaky;
        if night == RENAMED {
            for test in self.tests.iter_mut().filter(sound).take(5) {
                test.name += " anew";
            }
        }
        if night == REMOVED {
            self.tests.drain(100..105);
            let names: BTreeSet<_> = self.tests.iter().map(|test| test.name.clone()).collect();
            self.seeded.retain(|(name, _)| names.contains(name));
        }
    }

    /// How the attempts of the tests of a night end, the last one of each last.
    fn ends(&mut self, night: usize) -> BTreeMap<String, Vec<End>> {
        let mut ends = BTreeMap::new();
        for (at, test) in self.tests.iter().enumerate() {
            if night == HALF && at % 2 == 0 {
                continue;
            }
            let end = match &test.broken {
                _ if night == DEAD_HOST && at % 3 == 0 => vec![End::HostIsDead],
                _ if night == RED => vec![End::Fail("the compiler is broken".to_owned())],
                Some(cause) => vec![End::Fail(cause.clone())],
                None if test.is_flaky && self.numbers.below(100) < FLAKY_FAILS => {
                    let failure = End::Fail("a race".to_owned());
                    match self.numbers.below(100) < FLAKY_FAILS {
                        true => vec![failure.clone(), failure],
                        false => vec![failure, End::Pass],
                    }
                }
                None => vec![End::Pass],
            };
            ends.insert(test.name.clone(), end);
        }
        ends
    }

    /// Submits a night and runs it to its end.
    async fn run(&self, ends: &BTreeMap<String, Vec<End>>) -> BatchId {
        let flaky: BTreeSet<&str> =
            self.tests.iter().filter(|test| test.is_flaky).map(|test| test.name.as_str()).collect();
        let specs: Vec<JobSpec> = ends
            .keys()
            .map(|name| JobSpec {
                max_attempts: if flaky.contains(name.as_str()) { 2 } else { 1 },
                ..spec(name)
            })
            .collect();
        let order =
            BatchOrder { owner: self.owner, batch: new_batch("nightly"), idempotency: None };
        let specs = Box::new(specs.into_iter().map(Ok));
        let id = self.fixture.store.submit_batch(order, specs).await.expect("a stored batch").id;
        self.work(ends).await;
        id
    }

    async fn work(&self, ends: &BTreeMap<String, Vec<End>>) {
        loop {
            let leased = self.hand.claim(250).await;
            if leased.is_empty() {
                return;
            }
            let report = |leased: &jobrunner_core::lease::Leased| {
                let of_test = &ends[&leased.run.spec.name];
                let end = &of_test[(leased.run.attempt as usize - 1).min(of_test.len() - 1)];
                let reason = match end {
                    End::Pass => None,
                    End::Fail(_) => Some(Reason::ExitCode),
                    End::HostIsDead => Some(Reason::WorkingDir),
                };
                let mut report = self.hand.report(leased.lease, reason);
                if let End::Fail(line) = end {
                    report.error_line = Some(line.clone());
                }
                report
            };
            let reports: Vec<_> = leased.iter().map(report).collect();
            self.fixture.store.finish(&reports).await.expect("answers");
        }
    }

    /// The classes as somebody works them out by hand, and the names of what is missing.
    fn expected(
        &self,
        night: usize,
        ends: &BTreeMap<String, Vec<End>>,
    ) -> BTreeMap<Class, BTreeSet<String>> {
        let mut expected: BTreeMap<Class, BTreeSet<String>> = BTreeMap::new();
        let nothing = Told::new();
        let since = night.saturating_sub(RUNS_LOOKED_AT as usize);
        for (name, ends) in ends {
            let told = self.past.get(name).unwrap_or(&nothing);
            let mut recent = told.range(since..night).rev().map(|(_, told)| told);
            let last = recent.clone().next();
            let class = match (ends.last(), ends.len()) {
                (Some(End::HostIsDead), _) | (None, _) => Class::Infra,
                (Some(End::Pass), 2) => Class::Flaky,
                (Some(End::Pass), _) => match last {
                    Some(Some(_)) => Class::Fixed,
                    _ => Class::Passed,
                },
                (Some(End::Fail(cause)), _) => {
                    let is_known = recent.by_ref().map_while(Option::as_ref).any(|it| it == cause);
                    if is_known { Class::Still } else { Class::New }
                }
            };
            expected.entry(class).or_default().insert(name.clone());
        }
        let is_missing = |(name, told): &(&String, &Told)| {
            !ends.contains_key(*name) && told.range(since..night).next().is_some()
        };
        let missing = self.past.iter().filter(is_missing).map(|(name, _)| name.clone()).collect();
        expected.insert(Class::Missing, missing);
        expected
    }

    async fn names(&self, batch: BatchId, class: Class) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut page = PageRequest::first(1000);
        loop {
            let got = self.fixture.store.classified(batch, class, page).await.expect("a page");
            names.extend(got.items.into_iter().map(|test| test.test));
            let Some(cursor) = got.next_cursor else { return names };
            page = PageRequest::parse(Some(1000), Some(&cursor)).expect("a cursor");
        }
    }

    async fn counts(&self, batch: BatchId) -> ClassCounts {
        let verdict = self.fixture.store.verdict(batch).await.expect("an answer");
        let verdict = verdict.expect("it is a run");
        assert!(verdict.is_final);
        verdict.counts
    }

    async fn night(&mut self, night: usize) {
        self.day(night);
        let ends = self.ends(night);
        let batch = self.run(&ends).await;
        let expected = self.expected(night, &ends);
        let counts = self.counts(batch).await;
        assert_eq!(counts.total(), ends.len() as u64, "night {night} adds up: {counts:?}");
        let nothing = BTreeSet::new();
        for class in Class::ALL.into_iter().filter(|class| *class != Class::Slower) {
            let names = self.names(batch, class).await;
            assert_eq!(counts.of(class), names.len() as u64, "night {night}: {class}");
            let right = expected.get(&class).unwrap_or(&nothing);
            let told_wrong: Vec<_> = names.difference(right).collect();
            let untold: Vec<_> = right.difference(&names).collect();
            let wrong = [told_wrong, untold];
            assert!(wrong.iter().all(Vec::is_empty), "night {night}: {class}: {wrong:?}");
        }
        if night != RED {
            self.compare(night, &self.names(batch, Class::New).await, &ends);
        }
        if night == REPEATED {
            let store = &self.fixture.store;
            let again = store.rerun_batch(self.owner, batch, RerunOnly::Failed).await;
            let again = again.expect("a rerun");
            self.work(&BTreeMap::from_iter(ends.keys().map(|it| (it.clone(), vec![End::Pass]))))
                .await;
            assert_eq!(self.counts(again).await.new, 0);
        }
        for (name, ends) in ends {
            let told = match ends.last() {
                Some(End::Pass) => None,
                Some(End::Fail(cause)) => Some(cause.clone()),
                _ => continue,
            };
            self.past.entry(name).or_default().insert(night, told);
        }
    }

    /// What is told as new was seeded and not told before, but for flaky tests.
    fn compare(&mut self, night: usize, new: &BTreeSet<String>, ends: &BTreeMap<String, Vec<End>>) {
        let mut false_alarms = 0;
        for name in new {
            let Some(End::Fail(cause)) = ends[name].last() else { panic!("{name} did not fail") };
            if !self.seeded.remove(&(name.clone(), cause.clone())) {
                assert_eq!(cause, "a race", "night {night}: {name} was told before");
                false_alarms += 1;
            }
        }
        self.false_alarms.push(false_alarms);
        // What was seeded and has run has been told.
        let untold = self.seeded.iter().filter(|(name, cause)| {
            ends.get(name).and_then(|ends| ends.last()) == Some(&End::Fail(cause.clone()))
        });
        assert_eq!(untold.count(), 0, "night {night}");
    }
}

async fn season(fixture: Fixture) {
    let mut season = Season::new(fixture).await;
    for night in 0..NIGHTS {
        season.night(night).await;
    }
    season.false_alarms.sort_unstable();
    let median = season.false_alarms[season.false_alarms.len() / 2];
    assert!(median <= 1, "{:?}", season.false_alarms);
    let told = season.past.values().flat_map(Told::values).flatten();
    let causes: BTreeSet<_> = told.filter(|cause| cause.starts_with("day ")).collect();
    assert!(causes.len() > 60, "{} regressions were seen", causes.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_season_on_sqlite_tells_each_regression_once() {
    season(crate::sqlite::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_season_on_postgres_tells_each_regression_once() {
    season(crate::postgres::postgres().await).await;
}
