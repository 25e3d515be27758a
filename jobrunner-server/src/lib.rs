//! The HTTP side of JobRunner: the REST API with its OpenAPI description, Swagger UI and the
//! dashboard.
//!
//! Handlers translate: they parse a request, find out who the caller is, make one call of
//! [`Service`], and shape the answer. What a caller may do is decided in core, nowhere here.
//!
//! # To begin
//!
//! [`serve`] makes an API with pages of any service, until it is told to stop:
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use jobrunner_core::{config::Settings, connect};
//! use tokio_util::sync::CancellationToken;
//!
//! let directory = tempfile::tempdir()?;
//! let embedded = connect::embedded(directory.path(), &Settings::default()).await?;
//! connect::first_admin(&embedded.service, &Settings::default()).await?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let address = listener.local_addr()?;
//! let stop = CancellationToken::new();
//! let serving = jobrunner_server::serve(listener.try_into()?, embedded.service, stop.clone());
//! let serving = tokio::spawn(serving);
//!
//! # use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! # let mut client = tokio::net::TcpStream::connect(address).await?;
//! # client.write_all(b"GET /api/v1/health HTTP/1.0\r\n\r\n").await?;
//! # let mut answer = String::new();
//! # client.read_to_string(&mut answer).await?;
//! # assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
//! stop.cancel();
//! serving.await??;
//! # Ok(())
//! # }
//! ```
//!
//! | to | see |
//! |---|---|
//! | listen on every address of a host | [`listen`] |
//! | describe the API to programs | [`openapi`] |
//! | write results as JUnit | [`junit`] |
//! | deliver notifications | [`notify`] |
//! | serve a team's database as a process | `Api`, with the feature `command` |
//!
//! A service runs nothing: that is for workers, in this process or in others.

mod accept;
mod api;
mod assets;
#[cfg(feature = "command")]
mod command;
mod connections;
mod dashboard;
mod errors;
pub mod junit;
mod listen;
mod methods;
pub mod notify;
mod origin;
mod parameters;
mod routes;
mod trace;

use std::io;

use futures_util::future::BoxFuture;
use jobrunner_core::Service;
use poem::EndpointExt;
use tokio_util::sync::CancellationToken;

#[cfg(feature = "command")]
pub use command::Api;
pub use listen::{ListenError, Listeners, listen};

use self::accept::Acceptor;

/// Serves the API and the pages until `shutdown` is canceled, then lets open requests end, for ten
/// seconds at most.
///
/// **Cancel safety**: dropping the future closes the listeners; open connections are served on.
///
/// # Errors
/// The listeners are not usable.
pub fn serve(
    listeners: Listeners,
    service: Service,
    shutdown: CancellationToken,
) -> BoxFuture<'static, io::Result<()>> {
    Box::pin(async move {
        let acceptor = Acceptor::new(listeners)?;
        let endpoint = routes::routes(service, shutdown.clone());
        connections::serve(acceptor, endpoint.map_to_response(), shutdown).await;
        Ok(())
    })
}

/// The OpenAPI description of the API as indented JSON, as it is served at `/api/v1/openapi.json`.
#[must_use]
pub fn openapi() -> &'static str {
    routes::description()
}
