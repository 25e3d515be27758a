//! The connection to Redis, or the knowledge that there is none.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use redis::{AsyncConnectionConfig, Client, RedisError, RedisResult, aio::MultiplexedConnection};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

/// How long somebody waits for an answer before Redis counts as away.
const ANSWER_LIMIT: Duration = Duration::from_millis(250);

/// How long making a connection may take, in the background.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// How long Redis counts as away at least.
const PAUSE: Duration = Duration::from_secs(1);

/// Asks Redis, if it is there. One failure, of any kind, and it counts as away until a task in the
/// background has found that it answers again: those who ask meanwhile are told at once.
pub(super) struct Wire {
    client: Client,
    /// Each with its number, so that a late failure of one does not end the next.
    connection: Mutex<(u64, Option<MultiplexedConnection>)>,
    broken: Notify,
}

impl Wire {
    pub(super) fn new(client: Client) -> Self {
        Self { client, connection: Mutex::new((0, None)), broken: Notify::new() }
    }

    /// Whether Redis answered when it was last asked.
    pub(super) fn is_up(&self) -> bool {
        self.current().1.is_some()
    }

    /// What Redis answers, within a quarter of a second. `None` if it is away.
    pub(super) async fn ask<T, F>(&self, ask: impl FnOnce(MultiplexedConnection) -> F) -> Option<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let (number, connection) = self.current();
        match in_time(ANSWER_LIMIT, ask(connection?)).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.lose(number, &error);
                None
            }
        }
    }

    /// Tries to connect.
    pub(super) async fn connect(&self) -> RedisResult<()> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(Some(ANSWER_LIMIT));
        let connecting = async {
            let client = &self.client;
            let mut connection =
                client.get_multiplexed_async_connection_with_config(&config).await?;
            // One that was made by the kernel says nothing of the server behind it.
            redis::cmd("PING").query_async::<redis::Value>(&mut connection).await?;
            Ok(connection)
        };
        let connection = in_time(CONNECT_LIMIT, connecting).await?;
        let mut held = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        *held = (held.0 + 1, Some(connection));
        Ok(())
    }

    /// Connects whenever there is no connection, for ever.
    pub(super) async fn keep(self: Arc<Self>) {
        let mut was_up = self.is_up();
        loop {
            if was_up {
                self.broken.notified().await;
                was_up = false;
            }
            sleep(PAUSE.mul_f64(rand::random_range(0.8..=1.2))).await;
            match self.connect().await {
                Ok(()) => {
                    tracing::info!("Redis is back");
                    was_up = true;
                }
                Err(error) => tracing::debug!(error = error_field(&error), "Redis is still away"),
            }
        }
    }

    fn current(&self) -> (u64, Option<MultiplexedConnection>) {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lose(&self, number: u64, error: &RedisError) {
        let mut held = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if held.0 == number && held.1.take().is_some() {
            tracing::warn!(
                error = error_field(error),
                "Redis is away; workers look for work by themselves"
            );
            self.broken.notify_one();
        }
    }
}

/// An error as a field of the log.
pub(super) fn error_field(error: &RedisError) -> &(dyn std::error::Error + 'static) {
    error
}

/// A server that is stopped, or a network that is cut, says nothing.
pub(super) async fn in_time<T>(
    limit: Duration,
    work: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    let late = |_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
    timeout(limit, work).await.map_err(late)?
}
