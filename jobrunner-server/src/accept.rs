use std::{io, time::Duration};

use futures_util::future::select_all;
use poem::{
    http::uri::Scheme,
    listener::Acceptor as PoemAcceptor,
    web::{LocalAddr, RemoteAddr},
};
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

impl Acceptor {
    pub(crate) fn new(listeners: Listeners) -> io::Result<Self> {
        let with_address = |socket: TcpListener| {
            let address = LocalAddr(socket.local_addr()?.into());
            Ok((socket, address))
        };
        let sockets: io::Result<_> = listeners.sockets.into_iter().map(with_address).collect();
        Ok(Self { sockets: sockets? })
    }
}

impl PoemAcceptor for Acceptor {
    type Io = TcpStream;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.sockets.iter().map(|(_, address)| address.clone()).collect()
    }

    async fn accept(&mut self) -> io::Result<(TcpStream, LocalAddr, RemoteAddr, Scheme)> {
        loop {
            let each = self.sockets.iter().map(|(socket, _)| Box::pin(socket.accept()));
            let (accepted, index, _) = select_all(each).await;
            match accepted
                .and_then(|(stream, from)| stream.set_nodelay(true).map(|()| (stream, from)))
            {
                Ok((stream, from)) => {
                    let local = self.sockets[index].1.clone();
                    return Ok((stream, local, RemoteAddr(from.into()), Scheme::HTTP));
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "no connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
