use std::time::Duration;

use futures_util::{StreamExt, stream};
use jobrunner_core::{Service, service::Watched};
use poem::{
    IntoResponse, Response, handler,
    web::{
        Data,
        sse::{Event, SSE},
    },
};
use tokio_util::sync::CancellationToken;

use super::session::Session;

/// How long a stream may be silent, for the sake of proxies that close silent connections.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Browsers do not tell of events without data.
const ANYTHING: &str = "-";

/// What has changed of what the caller may see: `batch` with the id of one, `jobs` for those of no
/// batch, `missed` when something was not told. The page asks for what it shows of it. The first
/// event, `ready`, says that everything from now on is told.
#[handler]
pub(super) fn live(
    Data(service): Data<&Service>,
    Data(stop): Data<&CancellationToken>,
    session: Session,
) -> Response {
    let changes = service.watch_batches(&session.caller);
    let changes = changes.take_until(stop.clone().cancelled_owned()).map(|watched| match watched {
        Watched::Batch(batch) => Event::message(batch.id.to_string()).event_type("batch"),
        Watched::Jobs => Event::message(ANYTHING).event_type("jobs"),
        Watched::Missed => Event::message(ANYTHING).event_type("missed"),
    });
    let ready = stream::once(async { Event::message(ANYTHING).event_type("ready") });
    SSE::new(ready.chain(changes)).keep_alive(KEEP_ALIVE).into_response()
}
