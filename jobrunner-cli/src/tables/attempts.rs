use jobrunner_core::job::Attempt;

use super::{WHOLE, columns, cut, drop, either, in_short, or_dash};
use crate::{table::Column, time};

pub(crate) const ATTEMPTS: &[Column<Attempt>] = columns! {
    "attempt" WHOLE, usual, |attempt, _| attempt.attempt.to_string();
    "status" WHOLE, usual, |attempt, _| attempt.status.to_string();
    "started" drop(2), usual, |attempt, _| time::utc(Some(attempt.started_at));
    "took" drop(1), usual, |attempt, context| time::short(match &attempt.result {
        Some(result) => i64::try_from(result.duration_ms).unwrap_or(i64::MAX),
        None => (context.now - attempt.started_at).num_milliseconds().max(0),
    });
    "host" either(8, 3), usual, |attempt, _| or_dash(attempt.worker_host.clone());
    "why" cut(20), usual, |attempt, _| attempt.error.as_deref().map(in_short).unwrap_or_default();
};
