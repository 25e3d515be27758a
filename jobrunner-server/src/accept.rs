use std::{io, time::Duration};

use poem::{
    http::uri::Scheme,
    listener::Acceptor as PoemAcceptor,
    web::{LocalAddr, RemoteAddr},
};
use tokio::net::{TcpListener, TcpStream};

/// How long to wait when no connection can be accepted: when there are no more descriptors, trying
/// again at once would only burn the processor.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections on a listener that the caller has bound, and sends small answers at once
/// instead of waiting for more to send (`TCP_NODELAY`).
pub(crate) struct Acceptor {
    listener: TcpListener,
    local: LocalAddr,
}

impl Acceptor {
    pub(crate) fn new(listener: TcpListener) -> io::Result<Self> {
        let local = LocalAddr(listener.local_addr()?.into());
        Ok(Self { listener, local })
    }
}

impl PoemAcceptor for Acceptor {
    type Io = TcpStream;

    fn local_addr(&self) -> Vec<LocalAddr> {
        vec![self.local.clone()]
    }

    async fn accept(&mut self) -> io::Result<(TcpStream, LocalAddr, RemoteAddr, Scheme)> {
        loop {
            let accepted = self.listener.accept().await;
            match accepted
                .and_then(|(stream, from)| stream.set_nodelay(true).map(|()| (stream, from)))
            {
                Ok((stream, from)) => {
                    return Ok((stream, self.local.clone(), RemoteAddr(from.into()), Scheme::HTTP));
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "no connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
