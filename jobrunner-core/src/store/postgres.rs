//! The store of a team or a fleet: PostgreSQL 14 or later.
//!
//! Each change is a transaction of a few statements over many rows, in a task of its own: a caller
//! that stops waiting cannot leave a transaction open, nor undo it half-way. Claims lock the owners
//! they take jobs of, and pass over those that others have locked; reports delete the lease they
//! hold the token of, which is the compare-and-swap. Rows are locked in the order of their ids,
//! leases before counts, so that no two changes wait for each other; where the database breaks a
//! deadlock all the same, the change is undone and answered as unavailable.
//!
//! All times are compared in the database's clock.

mod append;
mod bind;
mod cases;
mod change;
mod claim;
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
mod turn;

#[cfg_attr(
    feature = "sqlite",
    expect(clippy::duplicate_mod, reason = "both stores mount it, each with names of its own")
)]
#[path = "both/mount.rs"]
mod both;

pub use database::PostgresOptions;
pub(crate) use database::read_url;
#[cfg(feature = "testkit")]
pub use database::settings_of_changes;

use database::Pools;

use crate::{BatchId, Error, JobId, JobSpec, Result, UserId};

// What the files of `store/both` call by the same names in both stores.
use PostgresStore as Store;
use sqlx::{
    PgConnection as Connection, PgPool as Pool, Postgres as Database,
    postgres::PgArguments as Arguments,
};

/// A statement: files out of `queries/postgres`, or `queries/both` where that is said, by their
/// paths there without the extension, joined when this is compiled.
macro_rules! sql {
    ($($($both:ident)? $name:literal),+) => { concat!($($crate::store::postgres::part!($($both)? $name), "\n"),+) };
}
use sql;

macro_rules! part {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/queries/postgres/", $name, ".sql"))
    };
    (both $name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/queries/both/", $name, ".sql"))
    };
}
use part;

/// A [`Store`](crate::Store) in a PostgreSQL database, in the schema `jobrunner`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pools: Pools,
    /// The counts that this process writes to.
    slot: i16,
    intake: intake::Intake,
}

impl PostgresStore {
    /// Opens a database whose schema is up to date; see [`migrate`](Self::migrate).
    ///
    /// # Errors
    /// [`Unavailable`](Error::Unavailable) when the server does not answer,
    /// [`Conflict`](Error::Conflict) when the schema is missing or older than this version needs.
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self> {
        let pools = database::open(url, options)?;
        database::check_version(url).await?;
        let slot = database::slot();
        let intake = intake::Intake::start(&pools.changes.connect_options(), slot);
        Ok(Self { pools, slot, intake })
    }

    /// Makes the schema, or brings it up to date. Of many processes that do so at once, one does
    /// the work and the others wait for it. Older versions of JobRunner go on working meanwhile.
    ///
    /// # Errors
    /// [`Unavailable`](Error::Unavailable) when the server does not answer,
    /// [`Conflict`](Error::Conflict) when it is too old, or the schema was made by a later version.
    pub async fn migrate(url: &str) -> Result<()> {
        database::migrate(url).await
    }

    /// Stores one job within the caller's own transaction: it is there if and when that commits.
    /// Workers find it within half a second; [`offer`](crate::Queue::offer) it after the commit to
    /// make it at once. `spec` has passed [`Rules::check`](crate::job::Rules::check).
    ///
    /// # Errors
    /// The database refuses; the transaction is then of no more use.
    pub async fn submit_in(
        &self,
        transaction: &mut sqlx::PgConnection,
        owner: UserId,
        spec: JobSpec,
    ) -> Result<JobId> {
        let (submitted, tally) = both::submit::submit_job(transaction, owner, spec, None).await?;
        count::write(transaction, database::slot_of_others(self.slot), &tally).await?;
        Ok(submitted.id)
    }

    /// Stores a batch within the caller's own transaction, as [`submit_in`](Self::submit_in) does a
    /// job.
    ///
    /// # Errors
    /// As [`submit_batch`](crate::store::JobStore::submit_batch); the transaction is then of no
    /// more use.
    pub async fn submit_batch_in(
        &self,
        transaction: &mut sqlx::PgConnection,
        order: super::BatchOrder,
        jobs: super::Specs,
    ) -> Result<BatchId> {
        let (submitted, tally) = both::submit::submit_batch(transaction, order, jobs).await?;
        count::write(transaction, database::slot_of_others(self.slot), &tally).await?;
        Ok(submitted.id)
    }
}

/// Classes of SQLSTATE that say nothing against the statement: connections, sessions, who may
/// connect to what, conflicts, resources, operators' interventions and system errors.
const PASSING: [&str; 8] = ["08", "25", "28", "3D", "40", "53", "57", "58"];

/// Sorts what the driver reports: what the server refuses for the statement's sake is a defect, and
/// so is data that cannot be read; anything else may pass.
fn store_error(error: sqlx::Error) -> Error {
    use sqlx::Error as E;
    let passing = match &error {
        E::Database(error) => {
            let code = error.code().unwrap_or_default();
            PASSING.iter().any(|class| code.starts_with(class)) || code == "55P03"
        }
        E::ColumnDecode { .. } | E::Decode(_) | E::ColumnNotFound(_) | E::TypeNotFound { .. } => {
            false
        }
        _ => true,
    };
    if passing {
        Error::unavailable("the database", error)
    } else {
        Error::internal("a statement of the database", error)
    }
}
