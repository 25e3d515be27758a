//! The HTTP side of JobRunner: the REST API with its OpenAPI description, Swagger UI and the
//! dashboard.
//!
//! Handlers translate: they parse a request, find out who the caller is, make one call of
//! [`Service`], and shape the answer. What a caller may do is decided in core, nowhere here.

mod accept;
mod api;
mod assets;
#[cfg(feature = "command")]
mod command;
mod dashboard;
mod errors;
pub mod junit;
mod listen;
mod methods;
mod origin;
mod parameters;
mod routes;
mod trace;

use std::{io, time::Duration};

use jobrunner_core::Service;
use poem::Server;
use tokio_util::sync::CancellationToken;

#[cfg(feature = "command")]
pub use command::Api;
pub use listen::{ListenError, Listeners, listen};

use self::accept::Acceptor;

/// How long open requests may take to end when the server stops.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);

/// How long a connection may be silent, between requests or within one.
const IDLE_LIMIT: Duration = Duration::from_secs(120);

/// Serves the API and the pages until `shutdown` is canceled, then lets open requests end, for ten
/// seconds at most.
///
/// **Cancel safety**: dropping the future closes the listeners; open connections are served on.
///
/// # Errors
/// The listeners are not usable.
pub async fn serve(
    listeners: Listeners,
    service: Service,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let acceptor = Acceptor::new(listeners)?;
    Server::new_with_acceptor(acceptor)
        .name("jobrunner")
        .idle_timeout(IDLE_LIMIT)
        .run_with_graceful_shutdown(
            routes::routes(service, shutdown.clone()),
            shutdown.cancelled_owned(),
            Some(SHUTDOWN_LIMIT),
        )
        .await
}

/// The OpenAPI description of the API as indented JSON, as it is served at `/api/v1/openapi.json`.
#[must_use]
pub fn openapi() -> &'static str {
    routes::description()
}
