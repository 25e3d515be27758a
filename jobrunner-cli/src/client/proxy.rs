use std::net::IpAddr;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

/// The proxy that requests to a server go through, as `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and
/// `NO_PROXY` say, without any password in its URL. A server on this machine is never asked through
/// one: what is this machine for the caller is another one for the proxy.
pub(super) fn of(server: &Url) -> Option<String> {
    if is_loopback(server.host_str()?) {
        return None;
    }
    // What the HTTP client itself decides by.
    let proxy = Matcher::from_system().intercept(&server.as_str().parse().ok()?)?;
    let uri = proxy.uri();
    let place = uri.authority()?.as_str().rsplit('@').next()?;
    Some(format!("{}://{place}", uri.scheme_str().unwrap_or("http")))
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    match name.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback() || address.is_unspecified(),
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_this_machine_is_known() {
        let here = [
            "127.0.0.1",
            "127.8.8.8",
            "[::1]",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
        ];
        for host in here {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["128.0.0.1", "localhost.example.com", "example.com", "[2001:db8::1]", "10.0.0.1"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
