use std::{error::Error, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use jobrunner_core::{
    config::Notify,
    notification::{Channel, Due, key},
};
use reqwest::{Client, RequestBuilder, Response, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::{
    address::Guarded,
    mail::{Letter, Mailer},
    message::{Happened, Message},
};

/// How long an attempt may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How much of an answer is read.
const ANSWER_BYTES: usize = 64 * 1024;

/// How much is kept of what went wrong, in characters.
const ERROR_LENGTH: usize = 500;

/// Sends messages. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sender {
    client: Client,
    guarded: Guarded,
    mailer: Option<Mailer>,
    public_url: Option<Arc<str>>,
}

/// What became of an attempt.
#[derive(Debug)]
pub(super) struct Outcome {
    /// That of the answer, if there was one.
    pub(super) status: Option<u16>,
    /// Why the message was not taken; `None` if it was.
    pub(super) error: Option<String>,
    /// Trying again is of no use.
    pub(super) is_final: bool,
}

impl Outcome {
    /// There was no answer that is worth telling.
    pub(super) fn failed(error: String) -> Self {
        let error = Some(error.chars().take(ERROR_LENGTH).collect());
        Self { status: None, error, is_final: false }
    }
}

impl Sender {
    pub(super) fn new(settings: Notify) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let guarded = Guarded(Arc::new(settings.allowed_hosts));
        if rustls::crypto::CryptoProvider::get_default().is_none()
            && rustls::crypto::ring::default_provider().install_default().is_err()
        {
            tracing::debug!("somebody else has just chosen the cryptography of this process");
        }
        let client = Client::builder()
            .user_agent(concat!("jobrunner/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            // A proxy would connect to what it finds, whatever is judged here.
            .no_proxy()
            .timeout(LIMIT)
            // Every message is judged anew, at its own connect.
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(guarded.clone()))
            .build()?;
        let mailer = settings.mail.as_ref().map(|mail| Mailer::new(mail, LIMIT)).transpose()?;
        Ok(Self { client, guarded, mailer, public_url: settings.public_url.map(Into::into) })
    }

    pub(super) async fn send(
        &self,
        due: &Due,
        happened: &[Happened],
        now: DateTime<Utc>,
    ) -> Outcome {
        let (delivery, public_url) = (&due.delivery, self.public_url.as_deref());
        let message = Message { delivery, happened, public_url };
        let channel = &due.subscription.what.channel;
        let sent = match channel {
            Channel::Email { to } => return self.mail(due, &message, to).await,
            Channel::Webhook { url, secret } => {
                self.webhook(url, secret, (&delivery.id.to_string(), now), &message).await
            }
            Channel::Slack { url } => self.slack(url.expose_secret(), &message).await,
        };
        match sent {
            Ok(answer) => judged(answer).await,
            Err(error) => Outcome::failed(error),
        }
    }

    async fn mail(&self, due: &Due, message: &Message<'_>, to: &[String]) -> Outcome {
        let Some(mailer) = &self.mailer else {
            return Outcome::failed("this server sends no mail: SMTP_URL is not set".to_owned());
        };
        let letter = Letter {
            id: due.delivery.id.to_string(),
            to,
            subject: message.subject(),
            text: message.letter(&due.subscription.what.name),
        };
        let sending = tokio::time::timeout(LIMIT, mailer.send(letter)).await;
        sending.unwrap_or_else(|_| Outcome::failed(too_slow()))
    }

    async fn webhook(
        &self,
        url: &str,
        secret: &SecretString,
        (id, now): (&str, DateTime<Utc>),
        message: &Message<'_>,
    ) -> Result<Response, String> {
        let body = message.webhook().map_err(|error| error.to_string())?;
        let key = key(secret).ok_or("the secret is none of a webhook")?;
        let at = now.timestamp().to_string();
        let signature = signature(&key, id, &at, &body);
        let request = self.post(url)?;
        let request = request.header("webhook-id", id).header("webhook-timestamp", at);
        answered(request.header("webhook-signature", signature).body(body)).await
    }

    async fn slack(&self, url: &str, message: &Message<'_>) -> Result<Response, String> {
        let body = message.slack().map_err(|error| error.to_string())?;
        answered(self.post(url)?.body(body)).await
    }

    fn post(&self, url: &str) -> Result<RequestBuilder, String> {
        let url = url::Url::parse(url).map_err(|error| error.to_string())?;
        self.guarded.check(&url)?;
        Ok(self.client.post(url).header("content-type", "application/json"))
    }
}

async fn answered(request: RequestBuilder) -> Result<Response, String> {
    // The URL may be a secret.
    request.send().await.map_err(|error| told(&error.without_url()))
}

/// What Standard Webhooks has receivers compare.
fn signature(key: &[u8], id: &str, at: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length");
    };
    for part in [id.as_bytes(), b".", at.as_bytes(), b".", body] {
        mac.update(part);
    }
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

async fn judged(mut answer: Response) -> Outcome {
    let status = answer.status();
    // A server that is told less than it sends may count the request as failed.
    let mut read = 0;
    while read < ANSWER_BYTES {
        match answer.chunk().await {
            Ok(Some(chunk)) => read += chunk.len(),
            Ok(None) | Err(_) => break,
        }
    }
    let error = match status.as_u16() {
        200..300 => None,
        300..400 => Some(format!("the server answered {status}; redirects are not followed")),
        _ => Some(format!("the server answered {status}")),
    };
    Outcome { status: Some(status.as_u16()), error, is_final: status.as_u16() == 410 }
}

fn told(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return too_slow();
    }
    chain(error)
}

fn too_slow() -> String {
    format!("there was no answer within {} s", LIMIT.as_secs())
}

/// An error with all that led to it.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_signed_as_standard_webhooks_has_it() {
        // The example of its libraries.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a key");
        let body = br#"{"test": 2432232314}"#;
        let signed = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
