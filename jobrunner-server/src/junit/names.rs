use std::collections::{HashMap, hash_map::Entry};

use super::xml;

/// The names of test cases, each given once: CI systems take cases of one name for one test.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// What was given, and the number that its next namesake is tried with.
    given: HashMap<String, u32>,
}

impl Names {
    /// Returns the name for the next test case: its own, or the first of `name [2]`, `name [3]`, …
    /// that no case before it has.
    pub(super) fn given(&mut self, name: &str) -> String {
        // Names that differ by what XML does not have would be the same in the document.
        let name = xml::characters(name).collect::<String>();
        let mut number = match self.given.entry(name.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(2);
                return name;
            }
            Entry::Occupied(entry) => *entry.get(),
        };
        loop {
            let numbered = format!("{name} [{number}]");
            number += 1;
            if let Entry::Vacant(entry) = self.given.entry(numbered.clone()) {
                entry.insert(2);
                self.given.insert(name, number);
                return numbered;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn given<const N: usize>(names: [&str; N]) -> [String; N] {
        let mut all = Names::default();
        names.map(|name| all.given(name))
    }

    #[test]
    fn namesakes_are_numbered_in_their_order() {
        assert_eq!(given(["a", "b", "a", "a", "b"]), ["a", "b", "a [2]", "a [3]", "b [2]"]);
    }

    #[test]
    fn a_number_that_is_somebodys_name_is_passed_over() {
        assert_eq!(given(["a", "a [2]", "a", "a"]), ["a", "a [2]", "a [3]", "a [4]"]);
        assert_eq!(given(["a", "a", "a [2]", "a [2]"]), ["a", "a [2]", "a [2] [2]", "a [2] [3]"]);
    }

    #[test]
    fn names_that_differ_by_what_xml_does_not_have_are_told_apart() {
        let names = given(["\u{fffe}", "\u{ffff}", "\u{1}"]);
        assert_eq!(names, ["\u{fffd}", "\u{fffd} [2]", "\u{fffd} [3]"]);
    }

    #[test]
    fn a_hundred_thousand_namesakes_have_names_of_their_own() {
        let mut all = Names::default();
        let names: HashSet<_> = (0..100_000).map(|_| all.given("a")).collect();
        assert_eq!(names.len(), 100_000);
    }
}
