//! Batches as runs of their series.

use chrono::{DateTime, Utc};
use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{Connection, bind, sql, store_error};
use crate::{
    BatchId, ProjectName, Result, SeriesId,
    batch::NewBatch,
    series::{Baseline, Gate},
    store::engine::values::gate,
    verdict::RUNS_LOOKED_AT,
};

/// The numbers of a run and of its series.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Place {
    pub(in crate::store) run: i64,
    pub(in crate::store) series: i64,
}

/// Days since 1970 UTC.
fn day(at: DateTime<Utc>) -> i32 {
    const SECONDS: i64 = 24 * 60 * 60;
    i32::try_from(at.timestamp().div_euclid(SECONDS)).unwrap_or(i32::MAX)
}

/// Makes a batch a run of its series, if it is one.
pub(super) async fn insert(
    connection: &mut Connection,
    id: BatchId,
    owner: Uuid,
    batch: &NewBatch,
    at: DateTime<Utc>,
) -> Result<Option<Place>> {
    let Some(name) = batch.series.name(&batch.name) else { return Ok(None) };
    let project = batch.project.as_ref().map(ProjectName::as_str);
    let of = match project {
        Some(_) => sql!(both "series/use_of_project"),
        None => sql!(both "series/use"),
    };
    let series: i64 = sqlx::query_scalar(of)
        .bind(SeriesId::new().as_uuid())
        .bind(owner)
        .bind(name)
        .bind(bind::time(at))
        .bind(project)
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    let revision = batch.revision.clone().unwrap_or_default();
    let run: i64 = sqlx::query_scalar(sql!(both "run/insert"))
        .bind(id.as_uuid())
        .bind(series)
        .bind(revision.branch.unwrap_or_default())
        .bind(revision.sha)
        .bind(revision.dirty)
        .bind(revision.url)
        .bind(batch.revision.is_some())
        .bind(batch.gate.as_str())
        .bind(batch.baseline.branch.clone())
        .bind(batch.baseline.batch_id.map(BatchId::as_uuid))
        .bind(bind::time(at))
        .bind(day(at))
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    Ok(Some(Place { run, series }))
}

/// Makes a batch one that repeats tests of another's run, if that is one.
pub(super) async fn repeat(
    connection: &mut Connection,
    id: BatchId,
    original: BatchId,
    at: DateTime<Utc>,
) -> Result<Option<Place>> {
    let made: Option<(i64, i64)> = sqlx::query_as(sql!(both "run/repeat"))
        .bind(id.as_uuid())
        .bind(original.as_uuid())
        .bind(bind::time(at))
        .bind(day(at))
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
    Ok(made.map(|(run, series)| Place { run, series }))
}

/// A batch as a run.
#[derive(Debug, FromRow)]
pub(super) struct RunRow {
    pub(super) no: i64,
    pub(super) series_no: i64,
    pub(super) series_id: Uuid,
    pub(super) series: String,
    pub(super) repeats: Option<i64>,
    branch: String,
    gate: String,
    baseline_branch: Option<String>,
    baseline_run: Option<i64>,
    baseline_batch: Option<Uuid>,
    day: i32,
    pub(super) verdict: Option<String>,
    pub(super) is_ended: bool,
    /// Whether somebody may know an issue of it.
    pub(super) has_issues: bool,
}

impl RunRow {
    pub(super) async fn of(connection: &mut Connection, batch: BatchId) -> Result<Option<Self>> {
        let run = sqlx::query_as(sql!(both "run/of_batch")).bind(batch.as_uuid());
        run.fetch_optional(connection).await.map_err(store_error)
    }

    pub(super) fn gate(&self) -> Result<Gate> {
        gate(&self.gate)
    }

    /// On which day it began; its results are not older.
    pub(super) const fn day(&self) -> i32 {
        self.day
    }

    /// What it is compared with.
    pub(super) fn baseline(&self) -> Baseline {
        let branch = self.baseline_branch.as_ref().unwrap_or(&self.branch);
        Baseline {
            branch: Some(branch.clone())
                .filter(|branch| !branch.is_empty() && self.baseline_run.is_none()),
            batch_id: self.baseline_batch.map(Into::into),
        }
    }

    /// The runs that it is compared with.
    pub(super) async fn before(&self, connection: &mut Connection) -> Result<Window> {
        if let Some(pinned) = self.baseline_run {
            return Window::only(connection, pinned).await;
        }
        let branch = self.baseline_branch.as_ref().unwrap_or(&self.branch);
        let runs: Vec<(i64, i32)> = sqlx::query_as(sql!(both "run/before"))
            .bind(self.series_no)
            .bind(branch.clone())
            .bind(i64::from(RUNS_LOOKED_AT))
            .bind(self.repeats.unwrap_or(self.no))
            .fetch_all(connection)
            .await
            .map_err(store_error)?;
        Ok(Window::of(runs))
    }
}

/// Runs that another is compared with.
#[derive(Debug)]
pub(super) struct Window {
    /// The oldest first.
    pub(super) runs: Vec<i64>,
    /// On which day the first of them began.
    pub(super) day: i32,
}

impl Window {
    fn of(mut runs: Vec<(i64, i32)>) -> Self {
        runs.reverse();
        let day = runs.iter().map(|(_, day)| *day).min().unwrap_or(0);
        Self { runs: runs.into_iter().map(|(no, _)| no).collect(), day }
    }

    pub(super) async fn only(connection: &mut Connection, run: i64) -> Result<Self> {
        let run = sqlx::query_as(sql!(both "run/day")).bind(run);
        let run: Option<(i64, i32)> = run.fetch_optional(connection).await.map_err(store_error)?;
        Ok(Self::of(run.into_iter().collect()))
    }
}
