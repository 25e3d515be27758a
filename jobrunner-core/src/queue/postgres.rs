//! Wake-ups by LISTEN and NOTIFY, for processes that share a PostgreSQL database.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    Candidates, Hint, Link, Queue, Wakeup,
    backoff::Backoff,
    relay::{Outbox, Relay, relay},
};
use crate::{Error, Result, store::postgres::read_url};

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How long a connection may be silent before it is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(15);

/// The queue of processes that share a database: it knows no jobs, the store chooses them, and
/// wakes those who wait in all processes.
///
/// Holds two connections: one listens and one tells. They must be real sessions, not those of a
/// pooler that hands out transactions. Nobody waits for them: while the database is away wake-ups
/// reach this process only, and what was missed is told as [`Wakeup::Lagged`] when it is back.
/// Dropping the queue ends its connections; what was announced a moment before may not get out.
pub struct PostgresQueue {
    relay: Arc<Relay>,
    /// Aborted when the queue is dropped.
    _tasks: JoinSet<()>,
}

impl PostgresQueue {
    /// The channel of those who do not choose one. Channels belong to a database.
    pub const CHANNEL: &'static str = "jobrunner";

    /// Connects to the database at `url`, and listens on `channel` when this returns.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) for the URL, [`Unavailable`](Error::Unavailable) when the
    /// database does not answer.
    pub async fn connect(url: &str, channel: Option<&str>) -> Result<Self> {
        let options = read_url(url)?.application_name("jobrunner queue");
        let wire = Wire {
            listening: pool(options.clone()),
            // A wake-up is advice: nobody needs it to survive the server, so nobody waits for a
            // disk.
            telling: options.options([("synchronous_commit", "off")]),
            channel: channel.unwrap_or(Self::CHANNEL).to_owned(),
        };
        let listener = wire.listen().await.map_err(|e| Error::unavailable("the database", e))?;
        let (relay, outbox) = relay();
        let relay = Arc::new(relay);
        let mut tasks = JoinSet::new();
        tasks.spawn(tell(wire.clone(), outbox));
        tasks.spawn(hear(wire, listener, Arc::clone(&relay)));
        Ok(Self { relay, _tasks: tasks })
    }
}

#[async_trait]
impl Queue for PostgresQueue {
    async fn offer(&self, _hints: &[Hint]) {
        self.relay.announce(Wakeup::Work);
    }

    async fn candidates(&self, _queues: &[String], _want: u32) -> Candidates {
        Candidates::AskStore
    }

    async fn announce(&self, wakeup: Wakeup) {
        self.relay.announce(wakeup);
    }

    fn wakeups(&self) -> BoxStream<'static, Wakeup> {
        self.relay.wakeups()
    }

    /// Always [`Link::None`]: the database is the store's, which answers for it.
    async fn link(&self) -> Link {
        Link::None
    }
}

#[derive(Clone)]
struct Wire {
    listening: PgPool,
    telling: PgConnectOptions,
    channel: String,
}

/// One connection, which a listener never gives back and makes again when it is lost.
fn pool(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT_LIMIT)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options)
}

impl Wire {
    async fn listen(&self) -> sqlx::Result<PgListener> {
        let connecting = async {
            let mut listener = PgListener::connect_with(&self.listening).await?;
            // So that a loss is seen here, and not only that it was mended.
            listener.eager_reconnect(false);
            listener.listen(&self.channel).await?;
            Ok(listener)
        };
        in_time(connecting).await
    }

    /// Sends a text over the connection that is kept, or a new one if there is none or it was lost
    /// while nothing was sent.
    async fn notify(&self, kept: &mut Option<PgConnection>, text: &str) -> sqlx::Result<()> {
        if let Some(connection) = kept
            && self.notify_over(connection, text).await.is_ok()
        {
            return Ok(());
        }
        *kept = None;
        let mut connection = in_time(PgConnection::connect_with(&self.telling)).await?;
        self.notify_over(&mut connection, text).await?;
        *kept = Some(connection);
        Ok(())
    }

    async fn notify_over(&self, connection: &mut PgConnection, text: &str) -> sqlx::Result<()> {
        let query = sqlx::query(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/queries/postgres/queue/notify.sql"
        )));
        in_time(query.bind(&self.channel).bind(text).execute(connection)).await.map(|_| ())
    }
}

/// A connection whose other end has vanished says nothing for many minutes.
async fn in_time<T>(work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    let late = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    timeout(CONNECT_LIMIT, work).await.map_err(late)?
}

/// Sends letters until the queue is gone.
async fn tell(wire: Wire, mut outbox: Outbox) {
    let mut backoff = Backoff::default();
    let mut kept = None;
    while let Some(text) = outbox.next().await {
        match wire.notify(&mut kept, &text).await {
            Ok(()) => backoff = Backoff::default(),
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "a wake-up is lost");
                outbox.lost();
                sleep(backoff.next()).await;
            }
        }
    }
}

/// Takes letters in, for ever.
async fn hear(wire: Wire, mut listener: PgListener, relay: Arc<Relay>) {
    loop {
        let error = take_in(&mut listener, &relay).await;
        // Gives the broken connection up.
        drop(listener);
        tracing::warn!(
            error = error.as_ref().map(|error| error as &dyn std::error::Error),
            "the connection that listens for wake-ups is lost"
        );
        let mut backoff = Backoff::default();
        listener = loop {
            match wire.listen().await {
                Ok(listener) => break listener,
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "cannot listen");
                }
            }
            sleep(backoff.next()).await;
        };
        tracing::info!("the connection that listens for wake-ups is back");
        relay.missed();
    }
}

/// Takes letters in until the connection is lost; answers why, if that is known.
async fn take_in(listener: &mut PgListener, relay: &Relay) -> Option<sqlx::Error> {
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(Ok(Some(letter))) => relay.hear(letter.payload()),
            Ok(Ok(None)) => return None,
            Ok(Err(error)) => return Some(error),
            Err(_) => {
                let asked = in_time(sqlx::query("select 1").execute(&mut *listener)).await;
                if let Err(error) = asked {
                    return Some(error);
                }
            }
        }
    }
}
