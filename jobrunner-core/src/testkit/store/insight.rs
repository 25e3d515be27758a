//! What is told of a batch as a whole.

use chrono::{TimeDelta, Utc};

use crate::{
    UserId,
    insight::Part,
    job::Reason,
    testkit::{Fixture, spec},
};

/// By reason, exit code, signal and last line; of repeated jobs the last attempt counts.
pub async fn failures_that_are_alike_are_told_together(fixture: &Fixture) {
    let mut members: Vec<_> = (0..9).map(|n| spec(&format!("job {n}"))).collect();
    members[8].max_attempts = 2;
    let batch = fixture.batch(UserId::new(), members).await;
    let hand = fixture.hand().await;
    for number in 0..8 {
        let lease = hand.start_one().await.lease;
        let reason = match number {
            7 => None,
            6 => Some(Reason::Timeout),
            _ => Some(Reason::ExitCode),
        };
        let mut report = hand.report(lease, reason);
        report.error_line = (number < 6).then(|| "assertion # failed".to_owned());
        hand.store().finish(&[report]).await.expect("an answer");
    }
    hand.run_one(Some(Reason::ExitCode)).await;
    hand.run_one(Some(Reason::Timeout)).await;

    let causes = fixture.store.causes(batch).await.expect("causes");
    let told: Vec<_> = causes
        .iter()
        .map(|cause| (cause.reason, cause.exit_code, cause.error_line.as_deref(), cause.count))
        .collect();
    let expected = [
        (Some(Reason::ExitCode), Some(3), Some("assertion # failed"), 6),
        (Some(Reason::Timeout), None, None, 2),
    ];
    assert_eq!(told, expected);
    let named: Vec<&str> = causes[0].jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(named, ["job 5", "job 4", "job 3", "job 2", "job 1"]);
    let other = fixture.batch(UserId::new(), vec![spec("x")]).await;
    assert!(fixture.store.causes(other).await.expect("causes").is_empty());
}

/// What was started and how it ended, whatever lies outside being counted at the edges.
pub async fn the_time_of_a_batch_is_told_in_equal_parts(fixture: &Fixture) {
    let batch = fixture.batch(UserId::new(), (0..3).map(|_| spec("x")).collect()).await;
    let hand = fixture.hand().await;
    hand.run_one(None).await;
    hand.run_one(Some(Reason::ExitCode)).await;
    let _running = hand.start_one().await;
    let now = Utc::now();
    let (from, to) = (now - TimeDelta::hours(3), now + TimeDelta::hours(2));
    let parts = fixture.store.timeline(batch, from, to, 4).await.expect("a timeline");
    let nothing = Part::default();
    let all = Part { started: 3, passed: 1, failed: 1 };
    // Now is within the third quarter, whether the store's clock is a little behind or ahead.
    assert_eq!(parts, [nothing, nothing, all, nothing]);
    let early = fixture.store.timeline(batch, from, from + TimeDelta::hours(1), 4).await;
    assert_eq!(early.expect("a timeline"), [nothing, nothing, nothing, all]);
}
