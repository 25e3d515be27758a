//! Which page of a list.

use jobrunner_core::page::PageRequest;
use poem_openapi::param::Query;

use super::{
    answer::Result,
    parameter::{Given, parameters},
};

/// How many items at most.
pub(crate) type Limit = Query<Option<Given<PageLimit>>>;

/// Where to go on.
pub(crate) type Cursor = Query<Option<Given<PageCursor>>>;

/// How many items a page may have, and how many it has when the caller does not say.
const MOST: u32 = 1000;
const USUAL: u32 = 100;

parameters! {
    /// How many items a page has at most.
    PageLimit(u32) {
        "type": "integer", "format": "uint32", "minimum": 1, "maximum": MOST, "default": USUAL,
    } |text| {
        let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
        limit.ok_or_else(|| format!("must be a whole number from 1 to {MOST}"))
    };

    /// The `next_cursor` of the page before.
    PageCursor(String) {
        "type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    } |text| {
        let is_one = text.parse::<uuid::Uuid>().is_ok_and(|id| id.to_string() == text);
        let message = "must be the next_cursor of the page before, unchanged";
        is_one.then(|| text.to_owned()).ok_or_else(|| message.to_owned())
    };
}

/// How many items a page is to have at most.
pub(crate) fn limit_of(limit: Limit) -> u32 {
    limit.0.map_or(USUAL, |limit| limit.0.0)
}

/// Returns what core asks for in a page.
pub(crate) fn page(limit: Limit, cursor: Cursor) -> Result<PageRequest> {
    let limit = limit_of(limit);
    Ok(PageRequest::parse(Some(limit), cursor.0.as_ref().map(|cursor| cursor.0.0.as_str()))?)
}
