//! The embedded store: one SQLite file, one writer.
//!
//! All changes go through one connection, and those that arrive while a commit is under way share
//! the next one (`sqlite/writer.rs`). Reads have connections of their own and never wait for the
//! writer. The file belongs to one process at a time, which the caller sees to, as
//! [`connect::embedded`](crate::connect::embedded) does with a lock.

mod append;
mod bind;
mod cases;
mod change;
mod claim;
mod clock;
mod count;
mod database;
mod expiry;
mod group;
mod intake;
mod lease;
mod lists;
mod lock;
mod month;
mod notable;
mod pass;
mod schema;
mod turn;
mod writer;

#[path = "both/mount.rs"]
mod both;

use std::path::Path;

pub use self::database::Durability;
use self::writer::Writer;
use crate::{Error, Result};

// What the files of `store/both` call by the same names in both stores.
use SqliteStore as Store;
use sqlx::{
    Sqlite as Database, SqliteConnection as Connection, SqlitePool as Pool,
    sqlite::SqliteArguments as Arguments,
};

/// A statement: files out of `queries/sqlite`, or `queries/both` where that is said, by their paths
/// there without the extension, joined when this is compiled.
macro_rules! sql {
    ($($($both:ident)? $name:literal),+) => {
        $crate::store::sqlite::schema::main!(concat!($($crate::store::sqlite::part!($($both)? $name), "\n"),+))
    };
}
use sql;

/// Statements that are handed over at once and carried out one after the other, with the same
/// arguments.
macro_rules! steps {
    ($($name:literal),+) => { concat!($($crate::store::sqlite::part!($name), "\n;\n"),+) };
}
use steps;

macro_rules! part {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/queries/sqlite/", $name, ".sql"))
    };
    (both $name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/queries/both/", $name, ".sql"))
    };
}
use part;

/// A [`Store`](crate::Store) in a SQLite file. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: Pool,
}

impl SqliteStore {
    /// Opens the file, makes it if it does not exist, and brings its schema up to date.
    ///
    /// # Errors
    /// The file cannot be opened or written, or was last used by a later version of JobRunner.
    pub async fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, Durability::Kept).await
    }

    /// The same, where the file may not be worth waiting for a disk.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with(path: &Path, durability: Durability) -> Result<Self> {
        let writer = Writer::start(database::open_writer(path, durability).await?);
        let readers = database::open_readers(path).await?;
        Ok(Self { writer, readers })
    }
}

/// The result codes for a disk without room: `SQLITE_FULL`, and `SQLITE_IOERR_SHMSIZE`, when there
/// is none for the index of what was written last.
const NO_ROOM: [&str; 2] = ["13", "4874"];

/// What is unavailable then, for those who wait.
const FREE_SPACE: &str = "free space for the database";

/// Sorts what the driver reports: data that cannot be read is a defect, anything else may pass.
fn store_error(error: sqlx::Error) -> Error {
    use sqlx::Error as E;
    match error {
        E::ColumnDecode { .. } | E::Decode(_) | E::ColumnNotFound(_) | E::TypeNotFound { .. } => {
            Error::internal("reading stored data", error)
        }
        E::Database(error) if error.code().is_some_and(|code| NO_ROOM.contains(&&*code)) => {
            Error::unavailable(FREE_SPACE, error)
        }
        _ => Error::unavailable("the database", error),
    }
}
