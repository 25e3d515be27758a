//! Where messages may go: to public addresses, and to hosts that the operator has named. Names are
//! judged by what they resolve to at the moment of connecting, so that no answer of a name server
//! is judged and another one used.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use jobrunner_core::config::AllowedHosts;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

/// Resolves names to addresses that messages may go to, and to no others.
#[derive(Clone, Debug)]
pub(super) struct Guarded(pub(super) Arc<AllowedHosts>);

impl Guarded {
    /// Judges a URL whose host is an address, which nobody resolves.
    pub(super) fn check(&self, url: &url::Url) -> Result<(), String> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err("the URL has no host".to_owned()),
        };
        match is_public(address) || self.0.has(&address.to_string()) {
            true => Ok(()),
            false => Err(refusal(address)),
        }
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let is_allowed = self.0.has(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            let good: Vec<SocketAddr> =
                found.iter().filter(|at| is_allowed || is_public(at.ip())).copied().collect();
            match (good.is_empty(), found.first()) {
                (true, Some(bad)) => Err(io::Error::other(refusal(bad.ip())).into()),
                _ => Ok(Box::new(good.into_iter()) as Addrs),
            }
        })
    }
}

fn refusal(address: IpAddr) -> String {
    format!("{address} is no public address; NOTIFY_ALLOWED_HOSTS may name the host")
}

/// Whether an address belongs to the internet at large (IANA's registries of special-purpose
/// addresses, November 2026): no host of one's own, and no way to one.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    const SPECIAL: [([u8; 4], u32); 15] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 4),
        ([240, 0, 0, 0], 4),
    ];
    let bits = address.to_bits();
    !SPECIAL.iter().any(|(of, length)| (bits ^ u32::from_be_bytes(*of)) >> (32 - length) == 0)
}

/// Of IPv6 only what is given out for unicast, without the ranges that lead back into IPv4.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_unicast = first >> 13 == 0b001;
    let is_for_protocols = first == 0x2001 && second < 0x0200;
    let is_example = (first == 0x2001 && second == 0x0db8) || (first == 0x3fff && second < 0x1000);
    let is_6to4 = first == 0x2002;
    is_unicast && !is_for_protocols && !is_example && !is_6to4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, allowed: &str) -> Result<(), String> {
        let allowed = Arc::new(allowed.parse().expect("hosts"));
        Guarded(allowed).check(&url::Url::parse(url).expect("a URL"))
    }

    async fn resolve(name: &str, allowed: &str) -> Result<usize, String> {
        let allowed = Arc::new(allowed.parse().expect("hosts"));
        let found = Guarded(allowed).resolve(name.parse().expect("a name")).await;
        found.map(Iterator::count).map_err(|error| error.to_string())
    }

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        let private = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for address in private {
            assert!(!is_public(address.parse().expect(address)), "{address}");
        }
        let public = [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.0.0.1",
            "128.0.0.1",
            "169.253.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450::1",
            "3ffe::1",
        ];
        for address in public {
            assert!(is_public(address.parse().expect(address)), "{address}");
        }
    }

    #[test]
    fn however_an_address_is_written_it_is_judged_by_what_it_is() {
        let hosts = [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "017700000001",
            "0177.0.0.1",
            "127.0.0.1.",
            "０x7f.1",
            "①②⑦.0.0.1",
            "0",
            "0xa9fea9fe",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:0:0:1]",
            "[64:ff9b::7f00:1]",
            "[fe80::1]",
        ];
        for host in hosts {
            let refused = check(&format!("http://{host}/"), "").expect_err(host);
            assert!(refused.contains("is no public address"), "{refused}");
        }
        for host in ["1.1.1.1", "[2606:4700::1111]", "0x01010101"] {
            assert_eq!(check(&format!("https://{host}/"), ""), Ok(()), "{host}");
        }
        assert_eq!(check("http://2130706433/", "a.example, 127.0.0.1"), Ok(()));
        assert_eq!(check("http://[0:0::1]/", "::1"), Ok(()));
        assert!(check("http://127.0.0.2/", "127.0.0.1").is_err());
    }

    #[tokio::test]
    async fn a_name_is_judged_by_what_it_resolves_to() {
        let refused = resolve("localhost", "").await.expect_err("it is this machine");
        assert!(refused.contains("is no public address"), "{refused}");
        assert!(resolve("localhost", "other.example").await.is_err());
        for allowed in ["localhost", "a.example,LOCALHOST", "localhost."] {
            assert!(resolve("localhost", allowed).await.expect("an address") > 0, "{allowed}");
        }
    }
}
