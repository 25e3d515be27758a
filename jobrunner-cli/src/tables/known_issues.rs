use chrono::Utc;

use super::{WHOLE, columns, cut, drop, either, or_dash};
use crate::{client::KnownIssue, table::Column, time};

pub(crate) const KNOWN_ISSUES: &[Column<KnownIssue>] = columns! {
    "id" WHOLE, usual, |it, _| it.id.to_string();
    "title" cut(12), usual, |it, _| it.title.clone();
    "effect" WHOLE, usual, |it, _| it.effect.clone();
    "test" cut(12), usual, |it, _| it.test.clone();
    "series" drop(3), usual, |it, _| it.series.clone().unwrap_or_else(|| "all".to_owned());
    "pattern" either(12, 2), usual, |it, _| or_dash(it.pattern.clone());
    "ticket" either(12, 2), usual, |it, _| or_dash(it.ticket.clone());
    "project" drop(1), usual, |it, _| or_dash(it.project.clone());
    "state" WHOLE, usual, |it, _| {
        if it.expires_at > Utc::now() { "holds" } else { "ended" }.to_owned()
    };
    "until" WHOLE, usual, |it, _| time::utc(Some(it.expires_at));
};
