//! Mail, by the server that the operator has named.

use std::time::Duration;

use jobrunner_core::config::Mail;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header},
    transport::smtp,
};
use secrecy::ExposeSecret;
use url::Url;

use super::send::{Outcome, chain};

/// Answers to an address that no later attempt makes better (RFC 5321, 4.2.3).
const OF_ADDRESSES: [u16; 3] = [550, 551, 553];

/// Sends mail. Cheap to clone.
#[derive(Clone)]
pub(super) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// A mail to be sent.
pub(super) struct Letter<'l> {
    /// Of every attempt to send it the same.
    pub(super) id: String,
    pub(super) to: &'l [String],
    pub(super) subject: String,
    pub(super) text: String,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Mailer {
    pub(super) fn new(settings: &Mail, limit: Duration) -> Result<Self, Failure> {
        let url = with_tls(settings.server.expose_secret())?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str())?;
        Ok(Self { transport: transport.timeout(Some(limit)).build(), from: settings.from.parse()? })
    }

    pub(super) async fn send(&self, letter: Letter<'_>) -> Outcome {
        let mail = match self.mail(letter) {
            Ok(mail) => mail,
            Err(error) => return Outcome::failed(error.to_string()),
        };
        match self.transport.send(mail).await {
            Ok(answer) => {
                Outcome { status: Some(answer.code().into()), error: None, is_final: false }
            }
            Err(error) => refused(&error),
        }
    }

    fn mail(&self, letter: Letter<'_>) -> Result<Message, Failure> {
        let mut mail = Message::builder()
            .from(self.from.clone())
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            // No vacation answers, please (RFC 3834).
            .raw_header(header::HeaderValue::new(
                header::HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(header::ContentType::TEXT_PLAIN)
            .subject(letter.subject);
        for address in letter.to {
            mail = mail.to(address.parse()?);
        }
        Ok(mail.body(letter.text)?)
    }
}

/// Where nothing is said about TLS: it is begun where the server offers it, and where a password is
/// sent it must be.
fn with_tls(server: &str) -> Result<Url, url::ParseError> {
    let mut url = Url::parse(server)?;
    if url.scheme() == "smtp" && !url.query_pairs().any(|(name, _)| name == "tls") {
        let tls = if url.password().is_some() { "required" } else { "opportunistic" };
        url.query_pairs_mut().append_pair("tls", tls);
    }
    Ok(url)
}

fn refused(error: &smtp::Error) -> Outcome {
    let status = error.status().map(u16::from);
    let is_final = status.is_some_and(|status| OF_ADDRESSES.contains(&status));
    Outcome { status, is_final, ..Outcome::failed(chain(error)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_sent_where_anybody_reads_it() {
        let tls = |server: &str| {
            let url = with_tls(server).expect(server);
            url.query().map(str::to_owned)
        };
        assert_eq!(tls("smtp://mail.example").as_deref(), Some("tls=opportunistic"));
        assert_eq!(tls("smtp://u:p@mail.example:587").as_deref(), Some("tls=required"));
        assert_eq!(
            tls("smtp://u:p@127.0.0.1?tls=opportunistic").as_deref(),
            Some("tls=opportunistic")
        );
        assert_eq!(tls("smtps://u:p@mail.example"), None);
    }

    /// Nothing that people have named begins another header or another mail.
    #[tokio::test]
    async fn a_subject_stays_one_header() {
        let settings = Mail { server: "smtp://a.example".into(), from: "J R <j@a.example>".into() };
        let mailer = Mailer::new(&settings, Duration::from_secs(1)).expect("a mailer");
        let letter = Letter {
            id: "1".to_owned(),
            to: &["b@b.example".to_owned()],
            subject: "a\r\nBcc: evil@c.example\r\n\r\nÜ\u{202e}".to_owned(),
            text: ".\r\n.\r\nFrom here".to_owned(),
        };
        let mail = mailer.mail(letter).expect("a mail");
        let text = String::from_utf8(mail.formatted()).expect("ASCII");
        let (head, _) = text.split_once("\r\n\r\n").expect("a head");
        let names = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
        let names: Vec<_> = names.filter_map(|line| line.split_once(':')).map(|it| it.0).collect();
        assert!(!names.contains(&"Bcc") && names.contains(&"Subject"), "{text}");
        assert!(head.contains("Message-ID: <1@a.example>"), "{text}");
        assert_eq!(mail.envelope().to().len(), 1);
    }
}
