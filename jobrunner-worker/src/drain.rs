use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::session::Session;

/// How long commands that were asked to end may take, and their reports after them. Executors kill
/// what does not end within their own grace; this is for those that fail to.
const CUT_LIMIT: Duration = Duration::from_secs(120);

/// Once the session is to end, lets what runs go on for a while, then ends it. Returns when `done`.
pub(crate) async fn run(session: &Session, done: &CancellationToken) {
    let steps = async {
        session.leaving.cancelled().await;
        sleep(session.parts.config.drain).await;
        tracing::info!(session.id = %session.id, "the time to drain is over");
        session.cut.cancel();
        sleep(CUT_LIMIT).await;
        session.fence("what runs does not end");
    };
    done.run_until_cancelled(steps).await;
}
