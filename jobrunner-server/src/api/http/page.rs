//! Lists in pages.

use jobrunner_core::page::PageRequest;
use serde::Serialize;

use super::answer::Result;

/// How many items a page has when the caller does not say.
pub(crate) fn default_limit() -> u32 {
    100
}

pub(crate) fn page(limit: u32, cursor: Option<String>) -> Result<PageRequest> {
    Ok(PageRequest::parse(Some(limit), cursor.as_deref())?)
}

/// A list that is short enough for one page.
#[derive(Serialize)]
pub(crate) struct Whole<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
}

impl<T> From<Vec<T>> for Whole<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }
}
