//! The writer: one task that owns the writing connection.
//!
//! Changes queue up in a bounded channel. The task takes all that have arrived, carries each out in a
//! savepoint of one transaction, commits once, and only then answers. So a change that fails takes
//! nothing else with it, what is answered is durable, and under load many changes share the cost of
//! one commit. A caller that stops waiting cannot interrupt a change half-way.

use futures_util::future::BoxFuture;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use crate::{Error, Result};

/// How many changes may wait; further callers wait to hand theirs over.
const WAITING: usize = 256;

/// How many changes one commit takes at most, so that the first of them is not kept waiting.
const GROUP: usize = 64;

/// Carries out one change. An error means that the transaction itself is broken.
type Change =
    Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, sqlx::Result<Answer>> + Send>;

/// Hands out what a change answered, once it is known that it is durable. Dropped otherwise.
type Answer = Box<dyn FnOnce() + Send>;

/// Hands changes to the writing task. Cheap to clone; the task ends with the last clone.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    changes: mpsc::Sender<Change>,
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection) -> Self {
        let (changes, arriving) = mpsc::channel(WAITING);
        tokio::spawn(write(connection, arriving));
        Self { changes }
    }

    /// Carries out a change and returns when it is durable. An error undoes the change.
    pub(super) async fn run<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let change: Change = Box::new(|connection| {
            Box::pin(async move {
                let outcome = in_savepoint(connection, change).await?;
                Ok(Box::new(move || {
                    if answer.send(outcome).is_err() {
                        tracing::trace!("the caller of a change no longer waits for its answer");
                    }
                }) as Answer)
            })
        });
        let handed_over = self.changes.send(change).await;
        handed_over.map_err(|_| Error::unavailable("the database", "its writer has stopped"))?;
        let lost = |e| Error::unavailable("the database", Box::new(e) as Box<_>);
        answered.await.map_err(lost)?
    }
}

async fn write(mut connection: SqliteConnection, mut arriving: mpsc::Receiver<Change>) {
    let mut group = Vec::with_capacity(GROUP);
    while arriving.recv_many(&mut group, GROUP).await > 0 {
        match commit(&mut connection, group.drain(..)).await {
            Ok(answers) => answers.into_iter().for_each(|answer| answer()),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "failed to write");
                if let Err(error) = execute(&mut connection, "rollback").await {
                    tracing::debug!(error = &error as &dyn std::error::Error, "nothing to undo");
                }
            }
        }
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(error = &error as &dyn std::error::Error, "failed to close the database");
    }
}

/// Carries out a group of changes in one transaction and commits it.
async fn commit(
    connection: &mut SqliteConnection,
    group: impl Iterator<Item = Change>,
) -> sqlx::Result<Vec<Answer>> {
    execute(connection, "begin immediate").await?;
    let mut answers = Vec::with_capacity(GROUP);
    for change in group {
        answers.push(change(connection).await?);
    }
    execute(connection, "commit").await?;
    Ok(answers)
}

/// Carries out a change and undoes it alone if it fails. SQLite itself ends the whole transaction
/// when the disk is full or broken; then there is no savepoint to go back to, and that is an error.
async fn in_savepoint<T, F>(connection: &mut SqliteConnection, change: F) -> sqlx::Result<Result<T>>
where
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T>> + Send,
{
    execute(connection, "savepoint change").await?;
    let outcome = change(connection).await;
    if outcome.is_err() {
        execute(connection, "rollback to change").await?;
    }
    execute(connection, "release change").await?;
    Ok(outcome)
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> sqlx::Result<()> {
    sqlx::raw_sql(sql).execute(connection).await.map(|_| ())
}
