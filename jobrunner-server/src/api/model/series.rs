//! What batches say about themselves as runs of a series.

use std::borrow::Cow;

use jobrunner_core::{BatchId, series};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::pattern;

/// The schema of the name of a series.
pub(crate) enum SeriesName {}

impl JsonSchema for SeriesName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SeriesName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "minLength": 1, "maxLength": 255, "pattern": pattern::NAME,
        })
    }
}

/// What a batch tests, as it says.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRevision {
    /// The commit, or another name of it; at most 255 bytes.
    #[schemars(length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    sha: Option<String>,
    /// The branch that it is of; at most 255 bytes. Runs are compared with those of the same
    /// branch.
    #[schemars(length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    branch: Option<String>,
    /// Whether something was changed that is not in it.
    #[serde(default)]
    dirty: bool,
    /// Where to look at it; at most 2048 bytes.
    #[schemars(length(max = 2048), regex(pattern = pattern::URL))]
    url: Option<String>,
}

impl From<NewRevision> for series::Revision {
    fn from(revision: NewRevision) -> Self {
        let NewRevision { sha, branch, dirty, url } = revision;
        Self { sha, branch, dirty, url }
    }
}

/// What a batch tests.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Revision {
    /// The commit, or another name of it.
    sha: Option<String>,
    /// The branch that it is of.
    branch: Option<String>,
    /// Whether something was changed that is not in it.
    dirty: bool,
    /// Where to look at it.
    url: Option<String>,
}

impl From<series::Revision> for Revision {
    fn from(revision: series::Revision) -> Self {
        let series::Revision { sha, branch, dirty, url } = revision;
        Self { sha, branch, dirty, url }
    }
}

/// What a batch is to be compared with: a branch or a batch, not both.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBaseline {
    /// The runs of this branch; at most 255 bytes.
    #[schemars(length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    branch: Option<String>,
    /// This batch alone, which is a run of a series, too.
    batch_id: Option<Uuid>,
}

impl From<NewBaseline> for series::Baseline {
    fn from(baseline: NewBaseline) -> Self {
        let NewBaseline { branch, batch_id } = baseline;
        Self { branch, batch_id: batch_id.map(BatchId::from) }
    }
}

/// What a batch is compared with: the runs of a branch, that of no name if both are null, or one
/// batch.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Baseline {
    branch: Option<String>,
    batch_id: Option<Uuid>,
}

impl From<series::Baseline> for Baseline {
    fn from(baseline: series::Baseline) -> Self {
        let series::Baseline { branch, batch_id } = baseline;
        Self { branch, batch_id: batch_id.map(|id| id.as_uuid()) }
    }
}
