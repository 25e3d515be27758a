use std::{error::Error, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use jobrunner_core::{
    Batch,
    config::Notify,
    notification::{Channel, Due, key},
};
use reqwest::{Client, Response, redirect::Policy};
use sha2::Sha256;

use super::{address::Guarded, message::Message};

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

impl Sender {
    pub(super) fn new(settings: Notify) -> reqwest::Result<Self> {
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
        Ok(Self { client, guarded, public_url: settings.public_url.map(Into::into) })
    }

    pub(super) async fn send(
        &self,
        due: &Due,
        batch: Option<&Batch>,
        now: DateTime<Utc>,
    ) -> Outcome {
        match self.try_send(due, batch, now).await {
            Ok(answer) => judged(answer).await,
            Err(error) => {
                let error = Some(error.chars().take(ERROR_LENGTH).collect());
                Outcome { status: None, error, is_final: false }
            }
        }
    }

    async fn try_send(
        &self,
        due: &Due,
        batch: Option<&Batch>,
        now: DateTime<Utc>,
    ) -> Result<Response, String> {
        let channel = &due.subscription.what.channel;
        let url = url::Url::parse(channel.url()).map_err(|error| error.to_string())?;
        self.guarded.check(&url)?;
        let public_url = self.public_url.as_deref();
        let message = Message { delivery: &due.delivery, batch, public_url };
        let request = self.client.post(url).header("content-type", "application/json");
        let request = match channel {
            Channel::Webhook { secret, .. } => {
                let body = message.webhook().map_err(|error| error.to_string())?;
                let key = key(secret).ok_or("the secret is none of a webhook")?;
                let (id, at) = (due.delivery.id.to_string(), now.timestamp().to_string());
                let signature = signature(&key, &id, &at, &body);
                request
                    .header("webhook-id", id)
                    .header("webhook-timestamp", at)
                    .header("webhook-signature", signature)
                    .body(body)
            }
            Channel::Slack { .. } => {
                request.body(message.slack().map_err(|error| error.to_string())?)
            }
        };
        // The URL may be a secret.
        request.send().await.map_err(|error| told(&error.without_url()))
    }
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

/// An error with all that led to it.
fn told(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("there was no answer within {} s", LIMIT.as_secs());
    }
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
