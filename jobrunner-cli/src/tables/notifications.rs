use super::{WHOLE, columns, cut, drop, either, or_dash};
use crate::{
    client::{Delivery, Notification},
    table::Column,
    time,
};

pub(crate) const NOTIFICATIONS: &[Column<Notification>] = columns! {
    "id" WHOLE, usual, |it, _| it.id.to_string();
    "name" cut(12), usual, |it, _| it.name.clone();
    "on" WHOLE, usual, |it, _| it.on.join(",");
    "project" cut(8), usual, |it, _| or_dash(it.project.clone());
    "batch" cut(8), usual, |it, _| it.batch_name.clone().unwrap_or_else(|| "all".to_owned());
    "to" either(12, 2), usual, |it, _| format!("{} {}", it.channel.kind, it.channel.place());
    "state" WHOLE, usual, |it, _| if it.is_enabled { "enabled" } else { "disabled" }.to_owned();
    "created" drop(1), usual, |it, _| time::utc(Some(it.created_at));
};

pub(crate) const DELIVERIES: &[Column<Delivery>] = columns! {
    "id" WHOLE, usual, |it, _| it.id.to_string();
    "at" WHOLE, usual, |it, _| time::utc(Some(it.created_at));
    "kind" WHOLE, usual, |it, _| it.kind.clone();
    "batch" cut(8), usual, |it, _| or_dash(it.about());
    "status" WHOLE, usual, |it, _| it.status.as_str().to_owned();
    "attempts" drop(1), usual, |it, _| it.attempts.len().to_string();
    "last_error" either(12, 2), usual, |it, _| {
        or_dash(it.attempts.last().and_then(|attempt| attempt.error.clone()))
    };
};
