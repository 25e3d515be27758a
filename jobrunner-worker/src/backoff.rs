use std::time::Duration;

use jobrunner_core::{Error, Result};
use tokio::{select, time::sleep};
use tokio_util::sync::CancellationToken;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Repeats a call, with growing pauses, as long as what it depends on is unavailable. `None` when
/// `stop` was canceled before there was an answer; the call may then have taken effect or not.
///
/// # Errors
/// Any other error than [`Unavailable`](Error::Unavailable), as it comes.
pub(crate) async fn until_available<T, F>(
    stop: &CancellationToken,
    mut call: impl FnMut() -> F,
) -> Result<Option<T>>
where
    F: Future<Output = Result<T>>,
{
    let mut pause = FIRST_PAUSE;
    let mut is_told = false;
    while !stop.is_cancelled() {
        let answer = select! {
            answer = call() => answer,
            () = stop.cancelled() => return Ok(None),
        };
        match answer {
            Err(error @ Error::Unavailable { .. }) => {
                if !std::mem::replace(&mut is_told, true) {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "waiting to try again");
                }
            }
            answer => return answer.map(Some),
        }
        select! {
            () = sleep(pause) => {}
            () = stop.cancelled() => return Ok(None),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_call_is_repeated_until_it_is_answered() {
        let (stop, calls) = (CancellationToken::new(), Cell::new(0));
        let answer = until_available(&stop, || async {
            calls.set(calls.get() + 1);
            if calls.get() < 3 { Err(Error::unavailable("it", "away")) } else { Ok("here") }
        });
        assert_eq!(answer.await.expect("an answer"), Some("here"));
        assert_eq!(calls.get(), 3);
    }

    #[tokio::test]
    async fn other_errors_are_not_repeated() {
        let stop = CancellationToken::new();
        let answer = until_available(&stop, || async { Err::<(), _>(Error::NotFound("session")) });
        assert!(matches!(answer.await, Err(Error::NotFound("session"))));
    }

    #[tokio::test]
    async fn a_call_that_hangs_is_given_up_when_told() {
        let stop = CancellationToken::new();
        let (answer, ()) =
            tokio::join!(until_available(&stop, std::future::pending::<Result<()>>), async {
                stop.cancel()
            });
        assert_eq!(answer.expect("no error"), None);
    }
}
