use jobrunner_core::Batch;

use super::{WHOLE, columns, cut, drop, either, or_dash, rerun};
use crate::{
    progress::worst_first,
    table::{Column, DIGITS, short},
    time,
};

pub(crate) const BATCHES: &[Column<Batch>] = columns! {
    "id" WHOLE, usual, |batch, context| context.id(batch.id.as_uuid());
    "name" cut(12), usual, |batch, _| match batch.rerun_of {
        Some(first) => rerun(&batch.name, first.as_uuid()),
        None => batch.name.clone(),
    };
    "status" WHOLE, usual, |batch, _| batch.status.to_string();
    "jobs" cut(30), usual, |batch, _| worst_first(batch);
    "owner" either(8, 3), usual, |batch, context| {
        let owner = context.owners.get(&batch.owner_id);
        owner.cloned().unwrap_or_else(|| short(batch.owner_id.as_uuid(), DIGITS))
    };
    "took" drop(2), usual, |batch, context| or_dash(batch.started_at.map(|start| {
        let end = batch.finished_at.unwrap_or(context.now);
        time::short((end - start).num_milliseconds().max(0))
    }));
    "age" drop(1), usual, |batch, context| time::age(batch.created_at, context.now);
    "total" drop(4), wanted, |batch, _| batch.counts.total.to_string();
    "waiting" drop(4), wanted, |batch, _| batch.counts.waiting.to_string();
    "running" drop(4), wanted, |batch, _| batch.counts.running.to_string();
    "passed" drop(4), wanted, |batch, _| batch.counts.passed.to_string();
    "failed" drop(4), wanted, |batch, _| batch.counts.failed.to_string();
    "canceled" drop(4), wanted, |batch, _| batch.counts.canceled.to_string();
    "flaky" drop(4), wanted, |batch, _| batch.flaky.to_string();
    "skipped" drop(4), wanted, |batch, _| batch.skipped.to_string();
    "description" either(20, 4), wanted, |batch, _| or_dash(batch.description.clone());
    "created" drop(4), wanted, |batch, _| time::utc(Some(batch.created_at));
    "started" drop(4), wanted, |batch, _| time::utc(batch.started_at);
    "finished" drop(4), wanted, |batch, _| time::utc(batch.finished_at);
    "whole_id" WHOLE, wanted, |batch, _| batch.id.to_string();
    "rerun_of" WHOLE, wanted, |batch, _| or_dash(batch.rerun_of.map(|id| id.to_string()));
    "owner_id" WHOLE, wanted, |batch, _| batch.owner_id.to_string();
};
