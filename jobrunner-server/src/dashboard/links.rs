use serde::Serialize;

use crate::api::problem::Failure;

/// The filters of a page, each with its value.
pub(super) type Filters<'a> = [(&'static str, &'a str)];

/// The query of a URL that leads to the same page with the same filters, and with this besides.
/// What is empty is left out.
pub(super) fn query(filters: &Filters<'_>, besides: &[(&str, &str)]) -> Result<String, Failure> {
    let all = filters.iter().chain(besides).filter(|(_, value)| !value.is_empty());
    let all: Vec<_> = all.collect();
    serde_urlencoded::to_string(all).map_err(|error| Failure::internal(&error))
}

/// Where the pages of a list lead, each as the query of its URL.
#[derive(Serialize)]
pub(super) struct Paging {
    /// To the beginning, unless this is it.
    first: Option<String>,
    /// To what is behind this page, if there is anything.
    next: Option<String>,
}

impl Paging {
    /// A page that begins at a cursor, or at the beginning, and ends at another, or at the end.
    pub(super) fn new(
        filters: &Filters<'_>,
        from: Option<&String>,
        to: Option<&String>,
    ) -> Result<Self, Failure> {
        Self::by(filters, "cursor", from, to)
    }

    /// The same, where the cursor has this name in the URL.
    pub(super) fn by(
        filters: &Filters<'_>,
        name: &str,
        from: Option<&String>,
        to: Option<&String>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            first: from.map(|_| query(filters, &[])).transpose()?,
            next: to.map(|cursor| query(filters, &[(name, cursor)])).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_come_through_a_link_as_they_are() {
        let filters = [("name", "a&b=c #1 100%+ü"), ("status", "")];
        let cursor = "cur/sor".to_owned();
        let paging = Paging::new(&filters, None, Some(&cursor)).expect("links");
        let link = paging.next.expect("there is more");
        let read: Vec<(String, String)> = serde_urlencoded::from_str(&link).expect("a query");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read, [pair("name", "a&b=c #1 100%+ü"), pair("cursor", "cur/sor")]);
        assert_eq!(paging.first, None, "this is the first page");
        let last = Paging::new(&filters, Some(&cursor), None).expect("links");
        assert_eq!(
            (last.first.as_deref(), last.next),
            (Some("name=a%26b%3Dc+%231+100%25%2B%C3%BC"), None)
        );
    }
}
