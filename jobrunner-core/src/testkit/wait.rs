use std::{
    env,
    fmt::Debug,
    time::{Duration, Instant},
};

/// How long nothing may change before a wait is given up. Only what hangs takes so long, on a
/// machine of any speed.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Asks again and again, with short pauses, until the answer is there.
///
/// # Panics
/// After [`PATIENCE`]. What takes a time that grows with the work waits by
/// [`wait_while_progressing`].
pub async fn wait_until<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    wait_while_progressing(what, || async { ask().await.ok_or(()) }).await
}

/// Asks again and again until the answer is there, however long it takes, as long as something goes
/// on: until then it is asked how things stand, as an `Err`.
///
/// # Panics
/// Things stand the same for [`PATIENCE`].
pub async fn wait_while_progressing<T, P, F>(what: &str, ask: impl Fn() -> F) -> T
where
    P: PartialEq + Debug,
    F: Future<Output = Result<T, P>>,
{
    let mut changed = Instant::now();
    let mut last = None;
    loop {
        let stands = match ask().await {
            Ok(answer) => return answer,
            Err(stands) => Some(stands),
        };
        if last.is_some() && last != stands {
            changed = Instant::now();
        }
        last = stands;
        let idle = changed.elapsed();
        assert!(idle < PATIENCE, "waited in vain for {what}: {last:?} for {idle:?}");
        // Short at first; whoever has waited for long does not keep a slow machine busy with its
        // questions.
        tokio::time::sleep((idle / 20).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)).await;
    }
}

const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// How long something may take in a test that is promised to take `promised` at most: ten times as
/// long, since others use the machine, too. `JOBRUNNER_TEST_SLACK=1` holds a quiet machine to the
/// promise itself.
///
/// # Panics
/// The variable is not a whole number.
#[must_use]
pub fn allowed(promised: Duration) -> Duration {
    let slack =
        env::var("JOBRUNNER_TEST_SLACK").map_or(10, |slack| slack.parse().expect("a number"));
    promised * slack
}
