//! Connections: how many there may be, and how long each may keep others waiting.

mod open;
mod stall;

use std::{convert::Infallible, sync::Arc, time::Duration};

use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use poem::{Endpoint, Request, Response, http::uri::Scheme};
use tokio::{pin, select, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use self::{
    open::{Admitted, Open},
    stall::Stalling,
};
use crate::accept::{Accepted, Acceptor};

/// How long open requests may take to end when the server stops.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);

/// The most streams of one connection of HTTP/2: requests and streams of events.
const MOST_STREAMS: u32 = 256;

/// Serves what comes in until `shutdown` is canceled, then lets open requests end, for ten seconds
/// at most.
///
/// There are never more connections than leave enough descriptors for everything else that this
/// process does. When there are, the one is closed that has waited the longest for its next
/// request to be complete, so neither silent nor half-sent requests keep anybody out.
pub(crate) async fn serve(
    acceptor: Acceptor,
    endpoint: impl Endpoint<Output = Response> + 'static,
    shutdown: CancellationToken,
) {
    let endpoint = Arc::new(endpoint);
    let open = Open::within(open::most_connections());
    let mut tasks = JoinSet::new();
    loop {
        let accepted = select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = acceptor.accept() => accepted,
        };
        let connection = select! {
            () = shutdown.cancelled() => break,
            connection = open.admit() => connection,
        };
        tasks.spawn(attend(accepted, connection, Arc::clone(&endpoint), shutdown.clone()));
        while tasks.try_join_next().is_some() {}
    }
    drop(acceptor);
    // What has not ended by then is ended with the tasks.
    let _ = timeout(SHUTDOWN_LIMIT, async { while tasks.join_next().await.is_some() {} }).await;
}

/// Serves one connection to its end.
async fn attend(
    (stream, local, remote): Accepted,
    connection: Admitted,
    endpoint: Arc<impl Endpoint<Output = Response> + 'static>,
    shutdown: CancellationToken,
) {
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let under_way = connection.request();
        let request: Request = (request, local.clone(), remote.clone(), Scheme::HTTP).into();
        let endpoint = Arc::clone(&endpoint);
        async move {
            let response = endpoint.get_response(request).await;
            Ok::<_, Infallible>(
                hyper::Response::from(response).map(|body| under_way.until_sent(body)),
            )
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(MOST_STREAMS);
    let serving = builder.serve_connection(TokioIo::new(Stalling::new(stream)), service);
    pin!(serving);
    let ended = select! {
        ended = serving.as_mut() => Some(ended),
        () = connection.is_to_end() => None,
        () = shutdown.cancelled() => {
            serving.as_mut().graceful_shutdown();
            Some(serving.as_mut().await)
        }
    };
    if let Some(Err(error)) = ended {
        // Whoever is at the other end went away, or speaks something else than HTTP.
        tracing::debug!(remote = %remote.0, error = &*error as &dyn std::error::Error, "a connection ended");
    }
}
