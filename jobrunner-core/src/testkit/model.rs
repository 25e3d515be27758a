//! Random sequences of operations against a store, each step compared with a model of what a store
//! is.
//!
//! The model knows nothing of lanes and turns: where a store may choose, it follows the answer and
//! checks that it was allowed. After every step P2 (an end is final), P3 (tokens are fresh, stale
//! ones change nothing), P4 (attempts are numbered and kept) and P5 (counts equal a recount) must
//! hold. A sequence that breaks one is shortened before it is shown.
//!
//! ```text
//! jobrunner_core::store_model!(sqlite, 64);
//! ```

mod operation;
mod world;

use std::{env, panic::AssertUnwindSafe};

use futures_util::FutureExt;
use proptest::{
    collection::vec,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use tokio::runtime::Runtime;

use self::world::World;
use super::Fixture;

/// How many operations a sequence has at most.
const STEPS: usize = 40;

/// How many sequences to try, and whether they differ from run to run: set it to look for more.
const CASES_VARIABLE: &str = "JOBRUNNER_MODEL_CASES";

/// Makes a test out of the model. Takes the path of an `async fn() -> Fixture`, and how many
/// sequences to try.
#[macro_export]
macro_rules! store_model {
    ($fixture:path, $cases:expr) => {
        #[test]
        fn p2_to_p5_hold_after_every_step_of_random_sequences() {
            $crate::testkit::model::check($fixture, $cases);
        }
    };
}

/// Tries so many sequences, each on a fresh store.
///
/// # Panics
/// One of them breaks a promise; the shortest one found is shown.
pub fn check<F>(fixture: impl Fn() -> F, cases: u32)
where
    F: Future<Output = Fixture>,
{
    let more = env::var(CASES_VARIABLE).ok().map(|cases| cases.parse().expect("a number"));
    let config = Config {
        cases: more.unwrap_or(cases),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let mut runner = match more {
        None => {
            let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
            TestRunner::new_with_rng(config, rng)
        }
        Some(_) => TestRunner::new(config),
    };
    let runtime = Runtime::new().expect("a runtime");
    let outcome = runner.run(&vec(operation::any(), 1..STEPS), |operations| {
        let run = async {
            let mut world = World::new(fixture().await).await;
            for operation in operations {
                world.carry_out(operation).await;
                world.check().await;
            }
            world.check_attempts().await;
        };
        // The panic has printed its own text; the sequence comes with the failure.
        let done = runtime.block_on(AssertUnwindSafe(run).catch_unwind());
        done.map_err(|_| TestCaseError::fail("the store and the model differ"))
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
