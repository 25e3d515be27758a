use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{net::TcpListener, time::sleep};

/// How long an address that is in use is waited for.
const WAIT: Duration = Duration::from_secs(2);

/// Listens on an address. One that is in use is waited for, for two seconds at most: whoever used it may have been
/// killed a moment ago and not be quite gone.
///
/// **Cancel safety**: nothing is kept if the future is dropped.
///
/// # Errors
/// The address is in use all the time, or is none of this host.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
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

    #[tokio::test]
    async fn an_address_is_waited_for_until_it_is_free_but_not_for_ever() {
        let before = listen(([127, 0, 0, 1], 0).into()).await.expect("a free port");
        let address = before.local_addr().expect("an address");
        let refused = listen(address).await.expect_err("in use");
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        let next = tokio::spawn(listen(address));
        tokio::task::yield_now().await;
        assert!(!next.is_finished(), "it waits");
        drop(before);
        let listener = next.await.expect("no panic").expect("the address is free");
        assert_eq!(listener.local_addr().expect("an address"), address);
    }
}
