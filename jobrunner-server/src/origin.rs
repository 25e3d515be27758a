//! Where a request comes from.

use std::net::IpAddr;

use poem::{Addr, Request};

/// The address of whoever has opened the connection.
pub(crate) fn address(request: &Request) -> Option<IpAddr> {
    match &request.remote_addr().0 {
        Addr::SocketAddr(address) => Some(address.ip()),
        _ => None,
    }
}
