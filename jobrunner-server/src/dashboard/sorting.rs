use jobrunner_core::job::Order;
use serde::Serialize;

use super::links::{Filters, query};
use crate::api::problem::Failure;

/// An order as the URL of a page has it; nothing if it has none.
pub(super) fn order(text: &str) -> Result<Option<Order>, Failure> {
    let parsed = (!text.is_empty()).then(|| text.parse::<Order>()).transpose();
    parsed.map_err(|error| Failure::from(jobrunner_core::Violation::new("sort", error.to_string())))
}

/// What the headings of a table of jobs lead to.
#[derive(Serialize)]
pub(super) struct Headings {
    name: Heading,
    took: Heading,
    created: Heading,
}

#[derive(Serialize)]
struct Heading {
    /// The URL's query for the table sorted by this column, or the other way round if it is
    /// already.
    query: String,
    /// As of `aria-sort`.
    sorted: &'static str,
}

/// The headings of a table that is in an order, or in that of no column, and shows what the filters
/// let through.
pub(super) fn headings(order: Option<Order>, filters: &Filters<'_>) -> Result<Headings, Failure> {
    let heading = |first: Order, second: Order| {
        let next = if order == Some(first) { second } else { first };
        let query = query(filters, &[("sort", next.as_str())])?;
        let sorted = match order.filter(|order| [first, second].contains(order)) {
            None => "none",
            Some(Order::Oldest | Order::Name | Order::Shortest) => "ascending",
            Some(Order::Newest | Order::NameDown | Order::Longest) => "descending",
        };
        Ok::<_, Failure>(Heading { query, sorted })
    };
    Ok(Headings {
        name: heading(Order::Name, Order::NameDown)?,
        took: heading(Order::Longest, Order::Shortest)?,
        created: heading(Order::Newest, Order::Oldest)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_sorts_and_turns_round_and_keeps_the_filters() {
        let filters = [("name", "a&b=c"), ("status", "")];
        let sorted = headings(Some(Order::Longest), &filters).expect("headings");
        assert_eq!(sorted.took.query, "name=a%26b%3Dc&sort=duration");
        assert_eq!((sorted.took.sorted, sorted.name.sorted), ("descending", "none"));
        assert_eq!(sorted.name.query, "name=a%26b%3Dc&sort=name");
        let turned = headings(Some(Order::Name), &[]).expect("headings");
        assert_eq!(turned.name.query, "sort=-name");
        let unsorted = headings(None, &[]).expect("headings");
        assert_eq!(
            (unsorted.created.sorted, unsorted.created.query.as_str()),
            ("none", "sort=-created_at")
        );
    }
}
