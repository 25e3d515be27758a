//! How values are handed to the statements that both databases have in the same words.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{ProjectName, Result, store::engine::values::render};

/// A time as it is stored.
pub(super) type Time = i64;

/// A time as it is stored.
pub(super) const fn time(at: DateTime<Utc>) -> Time {
    at.timestamp_millis()
}

/// Ids for a statement that takes many: a JSON array.
pub(super) fn ids(ids: Vec<Uuid>) -> Result<String> {
    render(&ids.into_iter().map(|id| id.simple().to_string()).collect::<Vec<_>>())
}

/// The names of projects for a statement that takes many: a JSON array.
pub(super) fn names(names: Option<&[ProjectName]>) -> Result<Option<String>> {
    names.map(render).transpose()
}

/// A name to look for as a GLOB pattern, in which only `*` has a meaning.
pub(super) fn pattern(name: &str) -> String {
    name.replace('[', "[[]").replace('?', "[?]")
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn only_the_asterisk_of_a_name_is_special() {
        assert_eq!(pattern("a*[b]?"), "a*[[]b][?]");
    }
}
