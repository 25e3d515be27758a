use std::{fmt, str::FromStr};

/// Where a server listens: a host, by its address or by a name, and a port.
///
/// It is written `127.0.0.1:8000`, `[::1]:8000` or `localhost:8000`. A host is never left out:
/// which addresses of a machine are served is for the operator to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    host: Host,
    port: u16,
}

impl Listen {
    /// This port of this host; 0 is any that is free.
    #[must_use]
    pub const fn new(host: Host, port: u16) -> Self {
        Self { host, port }
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port, 0 for any that is free.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The same host with another port.
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        Self { host: self.host.clone(), port }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self { host: Host("127.0.0.1".to_owned()), port: 8000 }
    }
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let right = "must be a host and a port, as in 127.0.0.1:8000, localhost:8000 or [::1]:8000";
        let (host, port) = text.rsplit_once(':').ok_or(right)?;
        if host.is_empty() || host == "*" {
            return Err(
                "must name a host before the port: 127.0.0.1 serves this machine alone, 0.0.0.0 \
                        or [::] everybody who can reach it",
            );
        }
        let is_bracketed = host.starts_with('[');
        if !is_bracketed && host.contains(':') {
            return Err("must have brackets around an IPv6 address, as in [::1]:8000");
        }
        if port.is_empty() || !port.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(right);
        }
        let port = port.parse().map_err(|_| "must have a port from 0 to 65535")?;
        Ok(Self { host: host.parse()?, port })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// An address or a name of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(String);

impl Host {
    /// As a resolver takes it: an IPv6 address has no brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Host {
    type Err = &'static str;

    /// An IPv6 address may have brackets around it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let host = inside.unwrap_or(text);
        let fits = |c: char| c.is_alphanumeric() || "._-:%".contains(c);
        // A zone, as in fe80::1%eth0, is for the resolver to judge.
        let address = host.split('%').next().unwrap_or_default();
        let is_v6 = address.parse::<std::net::Ipv6Addr>().is_ok();
        if host.is_empty() || !host.chars().all(fits) {
            return Err("must be an address or a name of a host, as in 127.0.0.1 or localhost");
        }
        if !is_v6 && (inside.is_some() || host.contains(':')) {
            return Err("must have an IPv6 address where there are brackets or more than one ':'");
        }
        Ok(Self(host.to_owned()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(':') { write!(f, "[{}]", self.0) } else { f.write_str(&self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_addresses_and_names_and_are_written_as_they_are_read() {
        let right = [
            "127.0.0.1:8000",
            "localhost:0",
            "[::1]:8000",
            "[::]:65535",
            "[fe80::1%2]:80",
            "build-7.example.org:1",
        ];
        for text in right {
            assert_eq!(text.parse::<Listen>().expect(text).to_string(), text);
        }
        assert_eq!("::1".parse::<Host>(), "[::1]".parse::<Host>());
    }

    #[test]
    fn what_names_no_host_or_no_port_is_refused() {
        let wrong = [
            "",
            "8000",
            "localhost",
            ":8000",
            "*:8000",
            "localhost:",
            "localhost:+80",
            "localhost:65536",
            "localhost:http",
            "::1:8000",
            "[::1]",
            "[localhost]:80",
            "[::1:80",
            "http://localhost:80",
            "a b:80",
            "user@host:80",
        ];
        for text in wrong {
            assert!(text.parse::<Listen>().is_err(), "{text:?}");
        }
        assert!("localhost:80".parse::<Host>().is_err());
    }
}
