use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use jobrunner_core::config::Listen;
use tokio::{
    net::{TcpListener, lookup_host},
    time::sleep,
};

/// How long an address that is in use is waited for.
const WAIT: Duration = Duration::from_secs(2);

/// How many free ports are tried until one is free at all addresses of a host.
const MOST_PORTS: usize = 32;

/// The sockets of one port, one for each address of a host.
#[derive(Debug)]
pub struct Listeners {
    pub(crate) sockets: Vec<TcpListener>,
    port: u16,
}

impl Listeners {
    /// The port that all of them listen on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    fn new(sockets: Vec<TcpListener>) -> io::Result<Self> {
        let first = sockets.first().ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { port: first.local_addr()?.port(), sockets })
    }
}

impl TryFrom<TcpListener> for Listeners {
    type Error = io::Error;

    fn try_from(listener: TcpListener) -> io::Result<Self> {
        Self::new(vec![listener])
    }
}

/// Why nothing listens.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The name means no address here.
    #[error("cannot listen on {0}, choose another --listen: its host is not known here")]
    UnknownHost(Listen, #[source] io::Error),
    /// Somebody listens there already.
    #[error(
        "cannot listen on {0}: {1} is in use; is another server running? choose another --listen"
    )]
    InUse(Listen, SocketAddr),
    /// An address cannot be had.
    #[error("cannot listen on {0}, choose another --listen")]
    Refused(Listen, #[source] io::Error),
}

/// Listens on every address of a host: a name such as `localhost` often has two. An address that
/// this machine does not have, as `::1` where there is no IPv6, is left out as long as there is
/// another. One that is in use is waited for, for two seconds at most: whoever used it may have
/// been killed a moment ago and not be quite gone. Port 0 is one port that is free at all of the
/// addresses.
///
/// **Cancel safety**: nothing is kept if the future is dropped.
///
/// # Errors
/// The host is not known, one of its addresses is in use all the time, or none is of this machine.
pub async fn listen(listen: &Listen) -> Result<Listeners, ListenError> {
    let found = lookup_host((listen.host().as_str(), listen.port())).await;
    let found = found.map_err(|error| ListenError::UnknownHost(listen.clone(), error))?;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    for _ in 0..MOST_PORTS {
        match bind_all(&addresses, listen).await {
            // The port that was free at the first address is taken at another: try the next one.
            Err(ListenError::InUse(..)) if listen.port() == 0 => {}
            done => return done,
        }
    }
    let none = io::Error::other("there is no port that is free at all of its addresses");
    Err(ListenError::Refused(listen.clone(), none))
}

async fn bind_all(addresses: &[SocketAddr], listen: &Listen) -> Result<Listeners, ListenError> {
    let refused = |error: io::Error| ListenError::Refused(listen.clone(), error);
    let mut sockets: Vec<TcpListener> = Vec::new();
    let mut left_out = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        let port = match sockets.first() {
            Some(first) => first.local_addr().map_err(refused)?.port(),
            None => address.port(),
        };
        match bind(SocketAddr::new(address.ip(), port)).await {
            Ok(socket) => sockets.push(socket),
            Err(error) if is_foreign(&error) => left_out = error,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err(ListenError::InUse(listen.clone(), *address));
            }
            Err(error) => return Err(refused(error)),
        }
    }
    if sockets.is_empty() {
        return Err(refused(left_out));
    }
    Listeners::new(sockets).map_err(refused)
}

/// Whether an address is none of this machine.
fn is_foreign(error: &io::Error) -> bool {
    /// `EAFNOSUPPORT`: the kernel was started without this family of addresses.
    const NO_SUCH_FAMILY: i32 = 97;
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(NO_SUCH_FAMILY)
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let started = Instant::now();
    loop {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && started.elapsed() < WAIT => {
                sleep(WAIT / 40).await;
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Listen {
        text.parse().expect("a host and a port")
    }

    #[tokio::test]
    async fn an_address_is_waited_for_until_it_is_free_but_not_for_ever() {
        let before = listen(&at("127.0.0.1:0")).await.expect("a free port");
        let again = at("127.0.0.1:0").with_port(before.port());
        let refused = listen(&again).await.expect_err("in use");
        assert!(matches!(refused, ListenError::InUse(..)), "{refused}");
        let waiting = again.clone();
        let next = tokio::spawn(async move { listen(&waiting).await });
        tokio::task::yield_now().await;
        assert!(!next.is_finished(), "it waits");
        drop(before);
        let listeners = next.await.expect("no panic").expect("the address is free");
        assert_eq!(listeners.port(), again.port());
    }

    #[tokio::test]
    async fn a_name_is_served_at_each_of_its_addresses_on_one_port() {
        let listeners = listen(&at("localhost:0")).await.expect("a free port");
        assert!(!listeners.sockets.is_empty());
        for socket in &listeners.sockets {
            let address = socket.local_addr().expect("an address");
            assert!(address.ip().is_loopback() && address.port() == listeners.port(), "{address}");
            std::net::TcpStream::connect(address).expect("it listens");
        }
    }

    #[tokio::test]
    async fn hosts_that_are_not_known_and_addresses_of_others_are_told_apart() {
        let unknown = listen(&at("no-such-host.invalid:0")).await.expect_err("refused");
        assert!(matches!(unknown, ListenError::UnknownHost(..)), "{unknown}");
        let foreign = listen(&at("192.0.2.1:0")).await.expect_err("refused");
        assert!(matches!(foreign, ListenError::Refused(..)), "{foreign}");
    }
}
