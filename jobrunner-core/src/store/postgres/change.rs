use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use sqlx::{PgConnection, PgPool, Postgres, postgres::PgArguments, query::Query};
use tokio::time::timeout;

use super::{PostgresStore, count, sql, store_error};
use crate::{
    Error, Result,
    store::{
        engine::tally::Tally,
        intake::{Asked, Outcome},
    },
};

/// The longest a change may take; the largest are batches of 100,000 jobs. Then its connection is
/// closed, which undoes it: a server that went away without a word is not waited for.
const LIMIT: Duration = Duration::from_secs(60);

impl PostgresStore {
    /// Connections for what is looked at.
    pub(super) const fn reads(&self) -> &PgPool {
        &self.pools.reads
    }

    /// Connections for what is looked at very often.
    pub(super) const fn hot(&self) -> &PgPool {
        &self.pools.changes
    }

    /// Carries out one statement that is a change by itself, and returns how many rows it changed.
    pub(super) async fn execute(
        &self,
        statement: Query<'static, Postgres, PgArguments>,
    ) -> Result<u64> {
        let done = statement.execute(self.hot()).await.map_err(store_error)?;
        Ok(done.rows_affected())
    }

    /// Stores a single job together with others.
    pub(super) async fn take_in(&self, asked: Box<Asked>) -> Result<Outcome> {
        self.intake.store(asked).await
    }

    /// Fails unless the database takes changes.
    pub(super) async fn answers(&self) -> Result<()> {
        let ping = sqlx::query_scalar(sql!("database/ping"));
        match ping.fetch_one(self.reads()).await.map_err(store_error)? {
            true => Err(Error::unavailable("the database", "it is a standby")),
            false => Ok(()),
        }
    }

    /// Ends every batch whose last job ended when its writer died.
    pub(super) async fn end_forgotten(&self) -> Result<()> {
        count::end_forgotten(self.hot(), self.reads()).await
    }

    /// Carries out a change in a transaction, to its end even if the caller goes away. An error
    /// undoes it.
    pub(super) async fn change<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let transaction = in_transaction(self.pools.changes.clone(), change);
        let done = tokio::spawn(transaction).await;
        done.unwrap_or_else(|panic| Err(Error::internal("changing the database", panic)))
    }

    /// As [`change`](Self::change), for one that ends jobs: writes the counts with it, and
    /// afterwards ends the batches whose last job has ended. Two processes that end the last two
    /// jobs at once do not see each other's counts before they commit, so this cannot be part of
    /// the change.
    pub(super) async fn counted<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<(T, Tally)>>
            + Send
            + 'static,
    {
        let store = self.clone();
        let task = async move {
            let slot = store.slot;
            let (answer, batches) =
                in_transaction(store.pools.changes.clone(), move |connection| {
                    Box::pin(async move {
                        let (answer, tally) = change(connection).await?;
                        count::write(connection, slot, &tally).await?;
                        Ok((answer, tally.may_have_ended()))
                    })
                })
                .await?;
            // What is left undone here is found by the next rescue.
            if let Err(error) = count::end_batches(store.hot(), store.reads(), &batches).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "cannot end batches whose jobs have ended; tried again later"
                );
            }
            Ok(answer)
        };
        let done = tokio::spawn(task).await;
        done.unwrap_or_else(|panic| Err(Error::internal("changing the database", panic)))
    }
}

/// Carries out a change in a transaction on a connection of a pool. An error undoes it.
pub(super) async fn in_transaction<T, F>(pool: PgPool, change: F) -> Result<T>
where
    F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T>> + Send,
{
    let mut connection = pool.acquire().await.map_err(store_error)?;
    let work = AssertUnwindSafe(async {
        execute(&mut connection, "begin").await?;
        match change(&mut connection).await {
            Ok(answer) => execute(&mut connection, "commit").await.map(|()| Ok(answer)),
            Err(error) => execute(&mut connection, "rollback").await.map(|()| Err(error)),
        }
    });
    let outcome = timeout(LIMIT, work.catch_unwind()).await;
    match outcome {
        Ok(Ok(Ok(answer))) => answer,
        broken => {
            // Nobody may get a connection that is inside a transaction.
            connection.close_on_drop();
            match broken {
                Ok(Ok(Err(error))) => Err(error),
                Ok(Err(_)) => Err(Error::internal("a change of the database", "it panicked")),
                Ok(Ok(Ok(answer))) => answer,
                Err(late) => Err(Error::unavailable("the database", late)),
            }
        }
    }
}

async fn execute(connection: &mut PgConnection, sql: &'static str) -> Result<()> {
    sqlx::raw_sql(sql).execute(connection).await.map(|_| ()).map_err(store_error)
}
