//! Lists in pages: newest first, each page continuing after the last item of the one before, so
//! that no page gets slower or shifts when new items arrive.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Violation;

/// Which part of a list.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// How many items at most: 1 to 1,000.
    pub limit: u32,
    /// Only items older than this one.
    pub after: Option<Uuid>,
}

impl PageRequest {
    /// The first `limit` items.
    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Self { limit, after: None }
    }

    /// Reads what a caller sent; 100 items when no limit is given.
    ///
    /// # Errors
    /// The limit is out of range, or the cursor is not one that a [`Page`] gave out.
    pub fn parse(limit: Option<u32>, cursor: Option<&str>) -> Result<Self, Violation> {
        let limit = limit.unwrap_or(100);
        if !(1..=1000).contains(&limit) {
            return Err(Violation::new("limit", "must be 1 to 1000"));
        }
        let after = cursor.map(Uuid::parse_str).transpose().map_err(|_| {
            Violation::new("cursor", "must be the next_cursor of the page before, unchanged")
        })?;
        Ok(Self { limit, after })
    }
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// What to ask for the next page with; `None` on the last page.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of nothing, the last one.
    #[must_use]
    pub const fn empty() -> Self {
        Self { items: Vec::new(), next_cursor: None }
    }

    /// The same page of what its items become.
    ///
    /// # Errors
    /// The first error.
    pub fn try_map<U, E>(self, each: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        let items = self.items.into_iter().map(each).collect::<Result<_, E>>()?;
        Ok(Page { items, next_cursor: self.next_cursor })
    }

    /// A page out of up to `limit + 1` items: the extra one only tells that there is more.
    pub fn from_surplus(mut items: Vec<T>, limit: u32, id: impl Fn(&T) -> Uuid) -> Self {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| id(last).to_string());
        Self { items, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_out_of_range_and_foreign_cursors_are_named() {
        assert_eq!(PageRequest::parse(Some(0), None).expect_err("refused").field, "limit");
        assert_eq!(PageRequest::parse(Some(1001), None).expect_err("refused").field, "limit");
        assert_eq!(PageRequest::parse(None, Some("x")).expect_err("refused").field, "cursor");
        assert_eq!(PageRequest::parse(None, None).expect("accepted").limit, 100);
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        let ids: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
        let page = Page::from_surplus(ids.clone(), 2, |id| *id);
        assert_eq!((page.items.len(), page.next_cursor), (2, Some(ids[1].to_string())));
        assert_eq!(Page::from_surplus(ids, 3, |id| *id).next_cursor, None);
    }
}
