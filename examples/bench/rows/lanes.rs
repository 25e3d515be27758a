//! A claim when there are jobs in a thousand lanes, and in one.

use std::time::Instant;

use jobrunner_core::{UserId, testkit::Hand};
use tokio::runtime::Runtime;

use super::Scale;
use crate::{
    report::{Line, Unit},
    series::{Series, millis},
    site::Backend,
    stores::{self, Opened},
    target::Target,
};

const GROUP: usize = 16;

/// How often a claim is repeated in a round.
const TIMES: usize = 20;

/// Whose the lanes are.
#[derive(Clone, Copy)]
pub(crate) enum Of {
    /// Each is another owner's, in the same queue.
    Owners,
    /// All are of one owner, each in another queue.
    One,
}

pub(crate) fn measure(scale: &Scale, backend: Backend, of: Of) -> Vec<Line> {
    let lanes = scale.count(1_000, 20);
    let runtime = Runtime::new().expect("a runtime");
    let one = runtime.block_on(with_lanes(scale, backend, of, 1));
    let many = runtime.block_on(with_lanes(scale, backend, of, lanes));
    let whose = match of {
        Of::Owners => "",
        Of::One => " of one owner",
    };
    let what = format!("{lanes} active lanes{whose}, {}: claim of {GROUP}", backend.as_str());
    vec![
        Line::new(what, Unit::Milliseconds, many)
            .beside("1 lane", one)
            .reaching(Target::ratio_at_most(2.0)),
    ]
}

/// The medians of claims, in milliseconds.
async fn with_lanes(scale: &Scale, backend: Backend, of: Of, lanes: usize) -> Series {
    let store = Opened::new(scale, backend).await;
    let needed = (scale.rounds as usize + 1) * TIMES * GROUP;
    let one = UserId::new();
    for lane in 0..lanes {
        // So many that no lane is ever empty.
        let each = if lanes == 1 { needed } else { needed.div_ceil(lanes) + GROUP };
        let mut specs = stores::many(each);
        let owner = match of {
            Of::Owners => UserId::new(),
            Of::One => one,
        };
        if matches!(of, Of::One) {
            specs.iter_mut().for_each(|spec| spec.queue = format!("queue-{lane}"));
        }
        store.fixture.batch(owner, specs).await;
    }
    let hand = stores::hand(&store.fixture).await;
    claims(&hand).await;
    let mut medians = Series::default();
    for _ in 0..scale.rounds {
        medians.push(claims(&hand).await);
    }
    medians
}

async fn claims(hand: &Hand) -> f64 {
    let mut times = Series::default();
    for _ in 0..TIMES {
        let started = Instant::now();
        let leased = hand.claim(u32::try_from(GROUP).expect("few")).await;
        times.push(millis(started.elapsed()));
        assert_eq!(leased.len(), GROUP, "a full group");
        stores::pass(hand, leased).await;
    }
    times.median()
}
