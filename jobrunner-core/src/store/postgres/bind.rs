//! How values are handed to the statements that both databases have in the same words.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{ProjectName, Result};

/// A time as it is stored.
pub(super) type Time = DateTime<Utc>;

/// A time as it is stored.
pub(super) const fn time(at: DateTime<Utc>) -> Time {
    at
}

/// Ids for a statement that takes many.
#[expect(clippy::unnecessary_wraps, reason = "SQLite has to write them as JSON")]
pub(super) const fn ids(ids: Vec<Uuid>) -> Result<Vec<Uuid>> {
    Ok(ids)
}

/// The names of projects for a statement that takes many.
#[expect(clippy::unnecessary_wraps, reason = "SQLite has to write them as JSON")]
pub(super) fn names(names: Option<&[ProjectName]>) -> Result<Option<Vec<String>>> {
    Ok(names.map(|names| names.iter().map(ToString::to_string).collect()))
}

/// A name to look for as a LIKE pattern, in which `*` stands for any text and nothing else is
/// special.
pub(super) fn pattern(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        match character {
            '*' => pattern.push('%'),
            '%' | '_' | '\\' => pattern.extend(['\\', character]),
            _ => pattern.push(character),
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn only_the_asterisk_of_a_name_is_special() {
        assert_eq!(pattern(r"a*50%_\b"), r"a%50\%\_\\b");
    }
}
