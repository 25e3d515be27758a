use crate::api::problem::Failure;

/// The filters of a page, each with its value.
pub(super) type Filters<'a> = [(&'static str, &'a str)];

/// The query of a URL that leads to the same page with the same filters, and with this besides. What is empty
/// is left out.
pub(super) fn query(filters: &Filters<'_>, besides: &[(&str, &str)]) -> Result<String, Failure> {
    let all = filters.iter().chain(besides).filter(|(_, value)| !value.is_empty());
    let all: Vec<_> = all.collect();
    serde_urlencoded::to_string(all).map_err(|error| Failure::internal(&error))
}

/// The query that leads to the page behind this one, if there is one.
pub(super) fn next(
    filters: &Filters<'_>,
    cursor: Option<&String>,
) -> Result<Option<String>, Failure> {
    cursor.map(|cursor| query(filters, &[("cursor", cursor)])).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_come_through_a_link_as_they_are() {
        let filters = [("name", "a&b=c #1 100%+ü"), ("status", "")];
        let link = next(&filters, Some(&"cur/sor".to_owned())).expect("a link");
        let link = link.expect("there is more");
        let read: Vec<(String, String)> = serde_urlencoded::from_str(&link).expect("a query");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read, [pair("name", "a&b=c #1 100%+ü"), pair("cursor", "cur/sor")]);
        assert_eq!(next(&filters, None).expect("a link"), None);
    }
}
