//! The writer: one task that owns the writing connection.
//!
//! Changes queue up in a bounded channel. The task takes all that have arrived, carries each out in
//! a savepoint of one transaction, commits once, and only then answers. So a change that fails
//! takes nothing else with it, what is answered is durable, and under load many changes share the
//! cost of one commit. Single submissions among them share their statements, too. A change that
//! comes alone needs no savepoint. A caller that stops waiting cannot interrupt a change half-way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::{FREE_SPACE, intake, store_error};
use crate::{
    Error, Result,
    store::intake::{Asked, Outcome, Request, Settled, take, together},
};

/// How many changes may wait; further callers wait to hand theirs over.
const WAITING: usize = 256;

/// How many changes one commit takes at most, so that the first of them is not kept waiting.
const GROUP: usize = 64;

/// How long nothing more is said of failures after one was told: who asked for a change tries it
/// again, several times a second.
const TOLD: Duration = Duration::from_secs(60);

/// What a caller hands over.
enum Work {
    Change(Change),
    Submission(Request),
}

/// Carries out one change. An error means that the transaction itself is broken, or must be undone
/// if the change is all that there is to it.
type Change = Box<
    dyn for<'c> FnOnce(&'c mut SqliteConnection, Company) -> BoxFuture<'c, Result<Answer>> + Send,
>;

/// Whether a transaction is for one change alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Company {
    Alone,
    Others,
}

/// What a change answered, which its caller gets once it is known to be durable, or undone.
struct Answer {
    give: Box<dyn FnOnce() + Send>,
    is_refused: bool,
}

/// Hands changes to the writing task. Cheap to clone; the task ends with the last clone.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    work: mpsc::Sender<Work>,
    /// The last group of changes did not fit on the disk.
    full: Arc<AtomicBool>,
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection) -> Self {
        let (work, arriving) = mpsc::channel(WAITING);
        let full = Arc::new(AtomicBool::new(false));
        tokio::spawn(write(connection, arriving, Arc::clone(&full)));
        Self { work, full }
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
        let change: Change = Box::new(|connection, company| {
            Box::pin(async move {
                let outcome = match company {
                    Company::Alone => match change(connection).await {
                        // SQLite itself has ended the transaction.
                        Err(error) if is_full(&error) => return Err(error),
                        outcome => outcome,
                    },
                    Company::Others => in_savepoint(connection, change).await?,
                };
                let is_refused = outcome.is_err();
                let give = move || {
                    if answer.send(outcome).is_err() {
                        tracing::trace!("the caller of a change no longer waits for its answer");
                    }
                };
                Ok(Answer { give: Box::new(give), is_refused })
            })
        });
        self.hand_over(Work::Change(change)).await?;
        answered.await.map_err(|undone| self.undone(undone))?
    }

    /// Stores a job together with others, and returns when it is durable.
    pub(super) async fn store(&self, asked: Box<Asked>) -> Result<Outcome> {
        let (request, outcome) = Request::new(asked);
        self.hand_over(Work::Submission(request)).await?;
        outcome.await.map_err(|undone| self.undone(undone))
    }

    async fn hand_over(&self, work: Work) -> Result<()> {
        let handed_over = self.work.send(work).await;
        handed_over.map_err(|_| Error::unavailable("the database", "its writer has stopped"))
    }

    fn undone(&self, undone: oneshot::error::RecvError) -> Error {
        match self.is_full() {
            true => Error::unavailable(FREE_SPACE, "make room on the disk that it is on"),
            false => Error::unavailable("the database", undone),
        }
    }
}

async fn write(
    mut connection: SqliteConnection,
    mut arriving: mpsc::Receiver<Work>,
    full: Arc<AtomicBool>,
) {
    let mut arrived = Vec::with_capacity(GROUP);
    let mut told: Option<Instant> = None;
    while take(&mut arriving, &mut arrived, GROUP).await {
        let (mut changes, mut submissions) = (Vec::new(), Vec::new());
        for work in arrived.drain(..) {
            match work {
                Work::Change(change) => changes.push(change),
                Work::Submission(request) => submissions.push(request),
            }
        }
        while !changes.is_empty() || !submissions.is_empty() {
            let group = together(&mut submissions);
            let committed = commit(&mut connection, std::mem::take(&mut changes), group).await;
            full.store(committed.as_ref().is_err_and(is_full), Ordering::Release);
            match committed {
                Ok(done) => done.answer(),
                Err(error) => {
                    if told.is_none_or(|at| at.elapsed() >= TOLD) {
                        told = Some(Instant::now());
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(error, "failed to write");
                    }
                    if let Err(error) = execute(&mut connection, "rollback").await {
                        tracing::debug!(
                            error = &error as &dyn std::error::Error,
                            "nothing to undo"
                        );
                    }
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

/// What a transaction did, to be made known once it is durable.
struct Done {
    changes: Vec<Answer>,
    submissions: Vec<(Request, Settled)>,
}

impl Done {
    fn answer(self) {
        self.changes.into_iter().for_each(|answer| (answer.give)());
        for (request, settled) in self.submissions {
            request.settle(settled);
        }
    }
}

/// Carries out changes and submissions in one transaction and commits it.
async fn commit(
    connection: &mut SqliteConnection,
    changes: Vec<Change>,
    submissions: Vec<Request>,
) -> Result<Done> {
    execute(connection, "begin immediate").await?;
    let company = match (changes.len(), submissions.len()) {
        (1, 0) | (0, _) => Company::Alone,
        _ => Company::Others,
    };
    let mut answers = Vec::with_capacity(changes.len());
    for change in changes {
        answers.push(change(connection, company).await?);
    }
    let settled = store(connection, &submissions, company).await?;
    let is_undone = company == Company::Alone
        && (settled.is_none() || answers.iter().any(|answer| answer.is_refused));
    execute(connection, if is_undone { "rollback" } else { "commit" }).await?;
    let settled = settled.unwrap_or_else(|| submissions.iter().map(|_| None).collect());
    Ok(Done { changes: answers, submissions: submissions.into_iter().zip(settled).collect() })
}

/// Stores submissions by the same statements. `None` if one of them fails: nothing of them may be
/// kept then.
async fn store(
    connection: &mut SqliteConnection,
    submissions: &[Request],
    company: Company,
) -> Result<Option<Vec<Settled>>> {
    if submissions.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let stored = match company {
        Company::Alone => intake::store(connection, submissions).await,
        Company::Others => {
            execute(connection, "savepoint change").await?;
            let stored = intake::store(connection, submissions).await;
            end_savepoint(connection, stored).await?
        }
    };
    match stored {
        Ok(settled) => Ok(Some(settled)),
        // There is no room for each of them alone, either.
        Err(error) if is_full(&error) => Err(error),
        Err(error) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "each job is stored alone");
            Ok(None)
        }
    }
}

/// Carries out a change and undoes it alone if it fails. SQLite itself ends the whole transaction
/// when the disk is full or broken; then there is no savepoint to go back to, and that is an error.
async fn in_savepoint<T, F>(connection: &mut SqliteConnection, change: F) -> Result<Result<T>>
where
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T>> + Send,
{
    execute(connection, "savepoint change").await?;
    let outcome = change(connection).await;
    end_savepoint(connection, outcome).await
}

async fn end_savepoint<T>(
    connection: &mut SqliteConnection,
    outcome: Result<T>,
) -> Result<Result<T>> {
    let outcome = match outcome {
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
    sqlx::query(sql).execute(connection).await.map(|_| ()).map_err(store_error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::database::{self, Durability};

    async fn run(writer: &Writer, sql: &'static str) -> Result<()> {
        writer.run(move |connection| Box::pin(execute(connection, sql))).await
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_forgotten_when_there_is_room_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("test.sqlite3");
        let writer = Writer::start(
            database::open_writer(&path, Durability::Kept).await.expect("a database"),
        );
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
