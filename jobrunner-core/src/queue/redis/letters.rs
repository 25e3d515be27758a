//! Wake-ups by PUBLISH and SUBSCRIBE.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use redis::{
    Client, RedisResult,
    aio::{PubSubSink, PubSubStream},
};
use tokio::time::{sleep, timeout};

use super::wire::{Wire, error_field, in_time};
use crate::queue::{
    backoff::Backoff,
    relay::{Outbox, Relay},
};

/// How long subscribing, or an answer to a ping, may take.
const LIMIT: Duration = Duration::from_secs(2);

/// How long the connection may be silent before it is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(10);

/// Sends letters until the queue is gone.
pub(super) async fn tell(wire: Arc<Wire>, channel: String, mut outbox: Outbox) {
    let mut backoff = Backoff::default();
    while let Some(text) = outbox.next().await {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(&channel).arg(text);
        let told = wire.ask(|mut redis| async move { publish.query_async::<()>(&mut redis).await });
        if told.await.is_some() {
            backoff = Backoff::default();
        } else {
            outbox.lost();
            sleep(backoff.next()).await;
        }
    }
}

/// A connection that is subscribed.
pub(super) struct Subscription {
    sink: PubSubSink,
    stream: PubSubStream,
}

pub(super) async fn subscribe(client: &Client, channel: &str) -> RedisResult<Subscription> {
    let subscribing = async {
        let mut connection = client.get_async_pubsub().await?;
        connection.subscribe(channel).await?;
        let (sink, stream) = connection.split();
        Ok(Subscription { sink, stream })
    };
    in_time(LIMIT, subscribing).await
}

/// Takes letters in, for ever. Listeners learn when some may have been missed.
pub(super) async fn hear(
    client: Client,
    channel: String,
    mut subscription: Option<Subscription>,
    relay: Arc<Relay>,
) {
    let mut backoff = Backoff::default();
    loop {
        if let Some(mut subscription) = subscription.take() {
            take_in(&mut subscription, &relay).await;
        }
        match subscribe(&client, &channel).await {
            Ok(fresh) => {
                subscription = Some(fresh);
                backoff = Backoff::default();
                relay.missed();
            }
            Err(error) => {
                tracing::debug!(error = error_field(&error), "cannot listen for wake-ups");
                sleep(backoff.next()).await;
            }
        }
    }
}

/// Takes letters in until the connection is lost.
async fn take_in(subscription: &mut Subscription, relay: &Relay) {
    loop {
        match timeout(SILENCE, subscription.stream.next()).await {
            Ok(Some(letter)) => relay.hear(&letter.get_payload::<String>().unwrap_or_default()),
            Ok(None) => return,
            Err(_) => {
                if in_time(LIMIT, subscription.sink.ping::<redis::Value>()).await.is_err() {
                    return;
                }
            }
        }
    }
}
