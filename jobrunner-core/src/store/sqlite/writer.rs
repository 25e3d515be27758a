//! The writer: one task that owns the writing connection.
//!
//! Changes queue up in a bounded channel. The task takes all that have arrived, carries each out in a
//! savepoint of one transaction, commits once, and only then answers. So a change that fails takes
//! nothing else with it, what is answered is durable, and under load many changes share the cost of
//! one commit. A caller that stops waiting cannot interrupt a change half-way.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::BoxFuture;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::{FREE_SPACE, store_error};
use crate::{Error, Result};

/// How many changes may wait; further callers wait to hand theirs over.
const WAITING: usize = 256;

/// How many changes one commit takes at most, so that the first of them is not kept waiting.
const GROUP: usize = 64;

/// Carries out one change. An error means that the transaction itself is broken.
type Change =
    Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<Answer>> + Send>;

/// Hands out what a change answered, once it is known that it is durable. Dropped otherwise.
type Answer = Box<dyn FnOnce() + Send>;

/// Hands changes to the writing task. Cheap to clone; the task ends with the last clone.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    changes: mpsc::Sender<Change>,
    /// The last group of changes did not fit on the disk.
    full: Arc<AtomicBool>,
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection) -> Self {
        let (changes, arriving) = mpsc::channel(WAITING);
        let full = Arc::new(AtomicBool::new(false));
        tokio::spawn(write(connection, arriving, Arc::clone(&full)));
        Self { changes, full }
    }

    /// Whether the last changes did not fit on the disk. An empty change always fits, so it cannot
    /// tell.
    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::Acquire)
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
        answered.await.map_err(|undone| match self.is_full() {
            true => Error::unavailable(FREE_SPACE, undone),
            false => Error::unavailable("the database", undone),
        })?
    }
}

async fn write(
    mut connection: SqliteConnection,
    mut arriving: mpsc::Receiver<Change>,
    full: Arc<AtomicBool>,
) {
    let mut group = Vec::with_capacity(GROUP);
    while arriving.recv_many(&mut group, GROUP).await > 0 {
        let committed = commit(&mut connection, group.drain(..)).await;
        full.store(committed.as_ref().is_err_and(is_full), Ordering::Release);
        match committed {
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

fn is_full(error: &Error) -> bool {
    matches!(error, Error::Unavailable { what: FREE_SPACE, .. })
}

/// Carries out a group of changes in one transaction and commits it.
async fn commit(
    connection: &mut SqliteConnection,
    group: impl Iterator<Item = Change>,
) -> Result<Vec<Answer>> {
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
async fn in_savepoint<T, F>(connection: &mut SqliteConnection, change: F) -> Result<Result<T>>
where
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T>> + Send,
{
    execute(connection, "savepoint change").await?;
    let outcome = match change(connection).await {
        Ok(answer) => Ok(answer),
        Err(error) => match execute(connection, "rollback to change").await {
            Ok(()) => Err(error),
            Err(_) => return Err(error),
        },
    };
    execute(connection, "release change").await?;
    Ok(outcome)
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<()> {
    sqlx::raw_sql(sql).execute(connection).await.map(|_| ()).map_err(store_error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::database;

    async fn run(writer: &Writer, sql: &'static str) -> Result<()> {
        writer.run(move |connection| Box::pin(execute(connection, sql))).await
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_forgotten_when_there_is_room_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("test.sqlite3");
        let writer = Writer::start(database::open_writer(&path).await.expect("a database"));
        run(&writer, "create table filling (bytes blob)").await.expect("a table");
        // The database's own limit stands for the end of the disk: SQLite answers the same.
        run(&writer, "pragma max_page_count = 1").await.expect("a limit");

        let refused = run(&writer, "insert into filling values (zeroblob(1000000))").await;

        assert!(refused.as_ref().is_err_and(is_full), "{refused:?}");
        assert!(writer.is_full());
        run(&writer, "pragma max_page_count = 1000000").await.expect("no limit");
        run(&writer, "insert into filling values (zeroblob(1000000))").await.expect("room");
        assert!(!writer.is_full());
    }
}
