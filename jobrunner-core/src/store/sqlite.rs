//! The embedded store: one SQLite file, one writer.
//!
//! All changes go through one connection, and those that arrive while a commit is under way share
//! the next one (`sqlite/writer.rs`). Reads have connections of their own and never wait for the
//! writer. The file belongs to one process at a time, which the caller sees to, as
//! [`connect::embedded`](crate::connect::embedded) does with a lock.

mod account;
mod audit;
mod cancel;
mod cancel_all;
mod claim;
mod claimable;
mod clock;
mod database;
mod delete;
mod end;
mod exchange;
mod finish;
mod insight;
mod intake;
mod log;
mod queue;
mod read;
mod reclaim;
mod session;
mod submit;
mod tally;
mod traits;
mod writer;

use std::path::Path;

use sqlx::SqlitePool;

use self::writer::Writer;
use super::{ends, fair, output, owner, rows, step};
use crate::{Error, Result};

/// A statement out of `queries/sqlite`, by its path there without the extension.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/queries/sqlite/", $name, ".sql"))
    };
}
use sql;

/// Statements out of `queries/sqlite` that are handed over at once and carried out one after the
/// other, with the same arguments. Joined when this is compiled. Each but the first must name all
/// arguments up to the last that it uses: for one that is left out the driver counts on.
macro_rules! steps {
    ($($name:literal),+) => { concat!($(sql!($name), "\n;\n"),+) };
}
use steps;

/// A [`Store`](crate::Store) in a SQLite file. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, makes it if it does not exist, and brings its schema up to date.
    ///
    /// # Errors
    /// The file cannot be opened or written, or was last used by a later version of JobRunner.
    pub async fn open(path: &Path) -> Result<Self> {
        let writer = Writer::start(database::open_writer(path).await?);
        let readers = database::open_readers(path).await?;
        Ok(Self { writer, readers })
    }
}

/// The result code for a disk without room.
const SQLITE_FULL: &str = "13";

/// What is unavailable then, for those who wait.
const FREE_SPACE: &str = "free space for the database";

/// Sorts what the driver reports: data that cannot be read is a defect, anything else may pass.
fn store_error(error: sqlx::Error) -> Error {
    use sqlx::Error as E;
    match error {
        E::ColumnDecode { .. } | E::Decode(_) | E::ColumnNotFound(_) | E::TypeNotFound { .. } => {
            Error::internal("reading stored data", error)
        }
        E::Database(error) if error.code().as_deref() == Some(SQLITE_FULL) => {
            Error::unavailable(FREE_SPACE, error)
        }
        _ => Error::unavailable("the database", error),
    }
}
