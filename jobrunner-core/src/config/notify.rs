use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};

/// How notifications are delivered.
#[derive(Clone, Debug, Default)]
pub struct Notify {
    /// `NOTIFY_ALLOWED_HOSTS`, none by default: hosts that messages may go to whatever their
    /// addresses are. All others must have public addresses.
    pub allowed_hosts: AllowedHosts,
    /// `PUBLIC_URL`: where people find the pages, for links in messages; `None` is no links.
    pub public_url: Option<String>,
    /// `SMTP_URL` and `MAIL_FROM`: who takes mail; `None` is nobody.
    pub mail: Option<Mail>,
}

/// How mail is sent.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The mail server, as in `smtps://user:password@mail.example.com`. With `smtp` TLS is begun
    /// where the server offers it, and where there is a password it must; `?tls=` says otherwise.
    pub server: SecretString,
    /// From whom: an address, or `Name <address>`.
    pub from: String,
}

/// Names or addresses of hosts, separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// Whether a host is among them, by exactly the name or the address that it is asked for by.
    #[must_use]
    pub fn has(&self, host: &str) -> bool {
        self.0.contains(&normal(host))
    }
}

impl FromStr for AllowedHosts {
    type Err = &'static str;

    fn from_str(list: &str) -> Result<Self, Self::Err> {
        let hosts: Vec<String> =
            list.split(',').map(normal).filter(|host| !host.is_empty()).collect();
        let is_one = |host: &String| {
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
            host.bytes().all(is_name)
                && (!host.contains(':') || host.parse::<std::net::Ipv6Addr>().is_ok())
        };
        match hosts.iter().all(is_one) {
            true => Ok(Self(hosts)),
            false => Err("must list names or addresses of hosts, without ports, as in \
                          hooks.internal,192.168.1.5"),
        }
    }
}

/// A host as it is compared.
fn normal(host: &str) -> String {
    host.trim().trim_end_matches('.').to_ascii_lowercase()
}

/// How mail is sent, by what is set; the answer for what is wrong names the variable.
pub(super) fn mail(
    server: Option<SecretString>,
    from: Option<String>,
) -> Result<Option<Mail>, (&'static str, &'static str)> {
    let Some(server) = server else { return Ok(None) };
    let is_one = |url: &url::Url| matches!(url.scheme(), "smtp" | "smtps") && url.has_host();
    if url::Url::parse(server.expose_secret()).ok().filter(is_one).is_none() {
        return Err((
            "SMTP_URL",
            "must be a URL such as smtp://user:password@mail.example.com:587",
        ));
    }
    let from = from.ok_or(("MAIL_FROM", "must be set where SMTP_URL is"))?;
    let address = match from.split_once('<') {
        Some((_, address)) => address.strip_suffix('>').unwrap_or_default(),
        None => &from,
    };
    match crate::user::parse_email(address).is_ok() && !from.chars().any(char::is_control) {
        true => Ok(Some(Mail { server, from })),
        false => Err(("MAIL_FROM", "must be an address, or as in JobRunner <jobs@example.com>")),
    }
}

/// The address of the pages.
pub(super) fn public_url(text: &str) -> Result<String, &'static str> {
    let is_one = |url: &url::Url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none()
    };
    let url = url::Url::parse(text).ok().filter(is_one);
    url.map(String::from).ok_or("must be a URL such as https://jobrunner.example.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_named_exactly_in_any_case() {
        let hosts: AllowedHosts = " Hooks.internal , 10.0.0.5,::1,,a_b-c.".parse().expect("hosts");
        for host in
            ["hooks.internal", "HOOKS.INTERNAL", "hooks.internal.", "10.0.0.5", "::1", "a_b-c"]
        {
            assert!(hosts.has(host), "{host}");
        }
        for host in ["internal", "x.hooks.internal", "10.0.0.50", "", "::2"] {
            assert!(!hosts.has(host), "{host}");
        }
        for wrong in ["a:80", "http://a", "a/b", "*", "10.0.0.0/8", "[::1]", "a b", "é"] {
            assert!(wrong.parse::<AllowedHosts>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_pages_are_at_a_url_of_the_web() {
        for right in ["https://a.example", "http://10.0.0.1:8000/base/"] {
            assert!(public_url(right).is_ok(), "{right}");
        }
        for wrong in ["a.example", "ftp://a", "https://", "https://a/?b", "javascript:alert(1)"] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn mail_needs_a_server_and_somebody_whom_it_is_from() {
        let read = |server: &str, from: Option<&str>| {
            mail(Some(server.into()), from.map(str::to_owned)).map(|mail| mail.is_some())
        };
        assert_eq!(
            mail(None, Some("a@b.example".to_owned())).map(|mail| mail.is_some()),
            Ok(false)
        );
        for from in ["a@b.example", "JobRunner <a@b.example>"] {
            assert_eq!(read("smtps://u:p@mail.example:465", Some(from)), Ok(true), "{from}");
        }
        for server in ["mail.example", "http://mail.example", "smtp://"] {
            assert_eq!(read(server, Some("a@b.example")).expect_err(server).0, "SMTP_URL");
        }
        for from in [None, Some("a"), Some("A <a>"), Some("A <a@b.example"), Some("a\r\nb@c.d")] {
            assert_eq!(read("smtp://mail.example", from).expect_err("refused").0, "MAIL_FROM");
        }
    }
}
