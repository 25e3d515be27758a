//! Where a request comes from.

use std::net::IpAddr;

use poem::{Addr, Request, http::uri::Scheme};

/// The address of whoever has opened the connection.
pub(crate) fn address(request: &Request) -> Option<IpAddr> {
    match &request.remote_addr().0 {
        Addr::SocketAddr(address) => Some(address.ip()),
        _ => None,
    }
}

/// Whether the browser speaks TLS, to this server or to a proxy in front of it. Whoever says so
/// without it harms nobody but themselves.
pub(crate) fn is_encrypted(request: &Request) -> bool {
    request.scheme() == &Scheme::HTTPS
        || request.header("x-forwarded-proto").is_some_and(|proto| proto.starts_with("https"))
}
