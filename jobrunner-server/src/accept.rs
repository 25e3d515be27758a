use std::{io, time::Duration};

use futures_util::future::select_all;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::net::{TcpListener, TcpStream};

use crate::Listeners;

/// How long to wait when no connection can be accepted: when there are no more descriptors, trying
/// again at once would only burn the processor.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections on sockets that the caller has bound, and sends small answers at once
/// instead of waiting for more to send (`TCP_NODELAY`).
pub(crate) struct Acceptor {
    sockets: Vec<(TcpListener, LocalAddr)>,
}

/// A connection, and its two ends.
pub(crate) type Accepted = (TcpStream, LocalAddr, RemoteAddr);

impl Acceptor {
    pub(crate) fn new(listeners: Listeners) -> io::Result<Self> {
        let with_address = |socket: TcpListener| {
            let address = LocalAddr(socket.local_addr()?.into());
            Ok((socket, address))
        };
        let sockets: io::Result<_> = listeners.sockets.into_iter().map(with_address).collect();
        Ok(Self { sockets: sockets? })
    }

    /// The next connection.
    ///
    /// **Cancel safety**: no connection is lost.
    pub(crate) async fn accept(&self) -> Accepted {
        loop {
            let each = self.sockets.iter().map(|(socket, _)| Box::pin(socket.accept()));
            let (accepted, index, _) = select_all(each).await;
            match accepted
                .and_then(|(stream, from)| stream.set_nodelay(true).map(|()| (stream, from)))
            {
                Ok((stream, from)) => {
                    let local = self.sockets[index].1.clone();
                    return (stream, local, RemoteAddr(from.into()));
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "no connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
