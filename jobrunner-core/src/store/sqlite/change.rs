//! How changes are carried out: by the writer.

use futures_util::future::BoxFuture;
use sqlx::{Sqlite, SqliteConnection, SqlitePool, query::Query, sqlite::SqliteArguments};

use super::{FREE_SPACE, SqliteStore, count, store_error};
use crate::{
    Error, Result,
    store::{
        engine::tally::Tally,
        intake::{Asked, Outcome},
    },
};

impl SqliteStore {
    /// Connections for what is looked at.
    pub(super) const fn reads(&self) -> &SqlitePool {
        &self.readers
    }

    /// Connections for what is looked at very often.
    pub(super) const fn hot(&self) -> &SqlitePool {
        &self.readers
    }

    /// Carries out a change, to its end even if the caller goes away. An error undoes it.
    pub(super) async fn change<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        self.writer.run(change).await
    }

    /// As [`change`](Self::change), for one that changes the counts: writes them with it, and ends
    /// the batches whose last job ends.
    pub(super) async fn counted<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<(T, Tally)>>
            + Send
            + 'static,
    {
        self.writer.run(move |c| Box::pin(counted(c, change))).await
    }

    /// Carries out one statement that is a change by itself, and returns how many rows it changed.
    pub(super) async fn execute(
        &self,
        statement: Query<'static, Sqlite, SqliteArguments>,
    ) -> Result<u64> {
        self.change(|connection| {
            Box::pin(async move {
                let done = statement.execute(connection).await.map_err(store_error)?;
                Ok(done.rows_affected())
            })
        })
        .await
    }

    /// Stores a single job together with others.
    pub(super) async fn take_in(&self, asked: Box<Asked>) -> Result<Outcome> {
        self.writer.store(asked).await
    }

    /// Fails unless changes are carried out.
    pub(super) async fn answers(&self) -> Result<()> {
        if self.writer.is_full() {
            return Err(Error::unavailable(FREE_SPACE, "the last change did not fit on the disk"));
        }
        // An empty change goes through the writer and its commit: it answers when those do.
        self.writer.run(|_| Box::pin(async { Ok(()) })).await
    }

    /// Ends every batch whose last job ended when its writer died: none, since that is one change.
    pub(super) async fn end_forgotten(&self) -> Result<()> {
        Ok(())
    }
}

async fn counted<T, F>(connection: &mut SqliteConnection, change: F) -> Result<T>
where
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<(T, Tally)>> + Send,
{
    let (answer, tally) = change(connection).await?;
    count::write(connection, tally).await?;
    Ok(answer)
}
