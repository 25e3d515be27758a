//! Where messages go.

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};

use crate::{Violation, user::parse_email, words::words};

/// How many addresses a message goes to by email.
pub const MOST_ADDRESSES: usize = 20;

/// The longest address of a server, in bytes.
const LONGEST_URL: usize = 2048;

words! {
    /// What kind of server takes the messages.
    ChannelKind {
        /// One that takes Standard Webhooks.
        Webhook = "webhook",
        /// One that takes messages as Slack does.
        Slack = "slack",
        /// The operator's mail server.
        Email = "email",
    }
}

/// Where messages go. What lets somebody write there is never shown.
#[derive(Clone, Debug)]
pub enum Channel {
    /// A server that takes Standard Webhooks.
    Webhook {
        /// Where it is.
        url: String,
        /// What messages are signed with: `whsec_` and the Base64 of 24 to 64 bytes.
        secret: SecretString,
    },
    /// A server that takes messages as Slack does.
    Slack {
        /// Where it is; whoever knows it can write there.
        url: SecretString,
    },
    /// The mail server of the operator's settings.
    Email {
        /// For whom: 1 to [`MOST_ADDRESSES`].
        to: Vec<String>,
    },
}

impl Channel {
    /// Where messages are sent to; `None` by email.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Webhook { url, .. } => Some(url),
            Self::Slack { url } => Some(url.expose_secret()),
            Self::Email { .. } => None,
        }
    }

    /// Its kind, as callers name it.
    #[must_use]
    pub const fn kind(&self) -> ChannelKind {
        match self {
            Self::Webhook { .. } => ChannelKind::Webhook,
            Self::Slack { .. } => ChannelKind::Slack,
            Self::Email { .. } => ChannelKind::Email,
        }
    }

    /// The host that messages are sent to, which is no secret; `None` by email.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        url::Url::parse(self.url()?).ok()?.host_str().map(str::to_owned)
    }

    pub(super) fn check(&self) -> Result<(), Violation> {
        match self {
            Self::Webhook { url, secret } => {
                check_url(url)?;
                let right = "must be whsec_ followed by the Base64 of 24 to 64 random bytes";
                key(secret).map(drop).ok_or_else(|| Violation::new("channel.secret", right))
            }
            Self::Slack { url } => check_url(url.expose_secret()),
            Self::Email { to } => {
                if !(1..=MOST_ADDRESSES).contains(&to.len()) {
                    return Err(Violation::new("channel.to", "must be 1 to 20 email addresses"));
                }
                let is_right =
                    |one: &String| parse_email(one).is_ok_and(|it| it.len() == one.len());
                to.iter().position(|one| !is_right(one)).map_or(Ok(()), |at| {
                    let field = format!("channel.to[{at}]");
                    Err(Violation::new(field, "must be an email address"))
                })
            }
        }
    }
}

/// The bytes that a webhook's secret stands for, if it is one.
#[must_use]
pub fn key(secret: &SecretString) -> Option<Vec<u8>> {
    let digits = secret.expose_secret().strip_prefix("whsec_")?;
    let key = STANDARD.decode(digits).ok()?;
    (24..=64).contains(&key.len()).then_some(key)
}

fn check_url(text: &str) -> Result<(), Violation> {
    let is_right = |url: url::Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && text.len() <= LONGEST_URL
    };
    match url::Url::parse(text).is_ok_and(is_right) {
        true => Ok(()),
        false => Err(Violation::new(
            "channel.url",
            "must be a URL such as https://host/path, without a user, of 2048 bytes at most",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(url: &str, secret: &str) -> Channel {
        Channel::Webhook { url: url.to_owned(), secret: secret.into() }
    }

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn where_messages_go_is_a_url_of_a_host_without_a_user() {
        for url in ["https://a.example/b?c=d", "http://192.0.2.1:8080", "https://[2001:db8::1]/"] {
            assert_eq!(webhook(url, SECRET).check(), Ok(()), "{url}");
        }
        let long = format!("https://a.example/{}", "x".repeat(LONGEST_URL));
        for url in ["", "a.example", "ftp://a", "file:///etc", "https://u:p@a", "https://", &long] {
            let wrong = webhook(url, SECRET).check().expect_err(url);
            assert_eq!(wrong.field, "channel.url");
        }
    }

    #[test]
    fn a_secret_is_24_to_64_bytes_of_base64_after_its_prefix() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for secret in [SECRET, &of(24), &of(64)] {
            assert_eq!(webhook("https://a.example", secret).check(), Ok(()));
        }
        for secret in ["", "whsec_", &SECRET[6..], &of(23), &of(65), "whsec_####", "whsec_a b"] {
            let wrong = webhook("https://a.example", secret).check().expect_err(secret);
            assert_eq!(wrong.field, "channel.secret");
        }
    }

    #[test]
    fn mail_goes_to_a_few_addresses() {
        let email = |to: &[&str]| {
            Channel::Email { to: to.iter().map(|one| (*one).to_owned()).collect() }.check()
        };
        assert_eq!(email(&["a@b.example", "Me@c.example"]), Ok(()));
        assert_eq!(email(&["a@b.example"; MOST_ADDRESSES]), Ok(()));
        let many = ["a@b.example"; MOST_ADDRESSES + 1];
        for wrong in [&[][..], &many] {
            assert_eq!(email(wrong).expect_err("refused").field, "channel.to", "{wrong:?}");
        }
        let lines = ["a@b.example\r\nBcc: c@d.example"];
        for wrong in [&lines[..], &["a"], &["", "a@b.example"], &[" a@b.example"]] {
            assert_eq!(email(wrong).expect_err("refused").field, "channel.to[0]", "{wrong:?}");
        }
        let second = email(&["a@b.example", "@"]).expect_err("refused");
        assert_eq!(second.field, "channel.to[1]");
    }
}
