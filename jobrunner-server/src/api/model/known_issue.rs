//! Known issues.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use jobrunner_core::{ProjectName, UserId, known_issue, series, strict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Effect, new_job::Variant, pattern};
use crate::api::http::body::given;

/// A failure that is known.
#[derive(Serialize, JsonSchema)]
pub(crate) struct KnownIssue {
    id: Uuid,
    title: String,
    /// The project whose batches it is about; null is the owner's batches of no project.
    project: Option<String>,
    /// Only series of this name; null is all.
    series: Option<String>,
    /// Which tests: `*` stands for any text, `?` for one character.
    test: String,
    /// Only variants that have all of this.
    variant: BTreeMap<String, String>,
    /// Only failures in whose last line this regular expression is found; null is any.
    pattern: Option<String>,
    effect: Effect,
    ticket: Option<String>,
    owner_id: Uuid,
    created_at: DateTime<Utc>,
    /// From when on such failures fail again.
    expires_at: DateTime<Utc>,
}

impl From<known_issue::KnownIssue> for KnownIssue {
    fn from(issue: known_issue::KnownIssue) -> Self {
        let known_issue::KnownIssue {
            id,
            owner_id,
            project,
            created_at,
            expires_at,
            title,
            series,
            test,
            variant,
            pattern,
            effect,
            ticket,
        } = issue;
        Self {
            id: id.as_uuid(),
            title,
            project: project.map(Into::into),
            series,
            test,
            variant,
            pattern,
            effect: effect.into(),
            ticket,
            owner_id: owner_id.as_uuid(),
            created_at,
            expires_at,
        }
    }
}

/// A failure that somebody knows.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKnownIssue {
    /// What people call it. 1 to 255 bytes of UTF-8.
    #[schemars(length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    title: String,
    /// The project whose batches it is about; left out or null, the owner's batches of no project.
    #[schemars(with = "Option<String>", regex(pattern = pattern::PROJECT))]
    project: Option<ProjectName>,
    /// Only series of exactly this name.
    #[schemars(length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    series: Option<String>,
    /// Which tests, by their names: `*` stands for any text, `?` for one character. Of a case of a
    /// report it is the name of its test, its class and its own, joined by ` › `. One line of 1 to
    /// 1024 bytes.
    #[schemars(length(min = 1, max = 1024), regex(pattern = pattern::LINE))]
    test: String,
    /// Only variants that have all of this, as in a job.
    #[serde(default, deserialize_with = "strict::once")]
    #[schemars(with = "Variant")]
    variant: series::Variant,
    /// Only failures in whose last line this regular expression (as of the Rust crate `regex`, of 1
    /// to 1000 bytes) is found. In such lines numbers are `#`.
    #[schemars(length(min = 1, max = 1000), regex(pattern = pattern::TEXT))]
    pattern: Option<String>,
    #[schemars(with = "Effect")]
    effect: known_issue::Effect,
    /// Where it is written down, often a URL. One line of 1 to 2048 bytes.
    #[schemars(length(min = 1, max = 2048), regex(pattern = pattern::LINE))]
    ticket: Option<String>,
    /// Who sees to it; the caller if left out or null. In a project a member of it. Without a
    /// project it is about the batches of that account, and another than the caller is for admins.
    owner_id: Option<Uuid>,
    /// Until when it holds: 180 days from now at most, 30 days if left out or null.
    expires_at: Option<DateTime<Utc>>,
}

impl From<NewKnownIssue> for known_issue::NewKnownIssue {
    fn from(new: NewKnownIssue) -> Self {
        let NewKnownIssue {
            title,
            project,
            series,
            test,
            variant,
            pattern,
            effect,
            ticket,
            owner_id,
            expires_at,
        } = new;
        let owner_id = owner_id.map(UserId::from);
        Self {
            title,
            project,
            series,
            test,
            variant,
            pattern,
            effect,
            ticket,
            owner_id,
            expires_at,
        }
    }
}

/// What is to change; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KnownIssueUpdate {
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    title: Option<String>,
    /// null is all.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>", length(min = 1, max = 255), regex(pattern = pattern::NAME))]
    series: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", length(min = 1, max = 1024), regex(pattern = pattern::LINE))]
    test: Option<String>,
    #[serde(default, deserialize_with = "given_variant")]
    #[schemars(with = "Variant")]
    variant: Option<series::Variant>,
    /// null is any failure.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>", length(min = 1, max = 1000), regex(pattern = pattern::TEXT))]
    pattern: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Effect")]
    effect: Option<known_issue::Effect>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>", length(min = 1, max = 2048), regex(pattern = pattern::LINE))]
    ticket: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Uuid")]
    owner_id: Option<Uuid>,
    /// 180 days from now at most.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "DateTime<Utc>")]
    expires_at: Option<DateTime<Utc>>,
}

/// Reads a variant that is given.
fn given_variant<'de, D>(deserializer: D) -> Result<Option<series::Variant>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    strict::once(deserializer).map(Some)
}

impl From<KnownIssueUpdate> for known_issue::KnownIssueUpdate {
    fn from(update: KnownIssueUpdate) -> Self {
        let KnownIssueUpdate {
            title,
            series,
            test,
            variant,
            pattern,
            effect,
            ticket,
            owner_id,
            expires_at,
        } = update;
        let owner_id = owner_id.map(UserId::from);
        Self { title, series, test, variant, pattern, effect, ticket, owner_id, expires_at }
    }
}
