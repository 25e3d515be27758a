//! The shapes of requests and answers. Each is converted from or to a type of core's field by
//! field, so that a field of core's which is not here does not compile.

mod audit;
mod batch;
mod cancel;
mod fleet;
mod history;
mod job;
mod known_issue;
mod log;
mod new_job;
mod notification;
pub(crate) mod pattern;
mod project;
mod report;
mod series;
#[cfg(test)]
mod tests;
mod token;
mod user;
mod verdict;
mod words;

use jobrunner_core::page;
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use audit::AuditEvent;
pub(crate) use batch::{Batch, Causes, Counts, Rerun, Timeline};
pub(crate) use cancel::{CancelJobs, Canceled};
pub(crate) use fleet::{Health, Queue, QueueUpdate, Worker};
pub(crate) use history::{Comparison, Grid, Run, Series, SeriesTest, Test, TestResult};
pub(crate) use job::{Attempt, Hold, Job};
pub(crate) use known_issue::{KnownIssue, KnownIssueUpdate, NewKnownIssue};
pub(crate) use log::{LogEvent, Logs};
pub(crate) use new_job::NewJob;
pub(crate) use notification::{Delivery, NewNotification, Notification, NotificationUpdate};
pub(crate) use project::{Member, NewMember, NewProject, Project, ProjectUpdate};
pub(crate) use report::{Case, Report};
pub(crate) use series::{Baseline, NewBaseline, NewRevision, Revision, SeriesName};
pub(crate) use token::{MadeToken, NewToken, PersonalToken};
pub(crate) use user::{NewUser, OwnUpdate, SignIn, Token, User, UserUpdate};
pub(crate) use verdict::{ClassifiedTest, ShortVerdict, Verdict};
pub(crate) use words::{
    AuditAction, CaseStatus, ChannelType, Class, Containment, DatabaseHealth, DeliveryStatus,
    Effect, EventKind, Gate, GrantType, HealthStatus, HoldReason, Order, Outcome, ProjectRole,
    Reason, RedisHealth, RerunOnly, RetryKind, Role, Status, Stream, TargetType, TokenScope,
    TokenType, VerdictStatus,
};

/// Part of a list, newest first.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub(crate) struct Page<T> {
    items: Vec<T>,
    /// What to send as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
}

impl<T: From<C>, C> From<page::Page<C>> for Page<T> {
    fn from(page: page::Page<C>) -> Self {
        let page::Page { items, next_cursor } = page;
        Self { items: items.into_iter().map(Into::into).collect(), next_cursor }
    }
}

/// A list that is short enough for one page.
impl<T: From<C>, C> From<Vec<C>> for Page<T> {
    fn from(items: Vec<C>) -> Self {
        Self { items: items.into_iter().map(Into::into).collect(), next_cursor: None }
    }
}
