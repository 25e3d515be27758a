//! Which known issue a test is about.

use std::sync::OnceLock;

use regex::Regex;

use super::{Effect, KnownIssue, compile};
use crate::{KnownIssueId, series::Variant};

/// A test, as known issues look at it.
#[derive(Clone, Copy, Debug)]
pub struct Failing<'a> {
    /// Its name, or that of the test whose report it is in.
    pub test: &'a str,
    /// The class and the name of a case.
    pub case: Option<&'a str>,
    /// Its variant.
    pub variant: &'a Variant,
}

/// The known issues that hold for a run, the oldest first.
#[derive(Debug, Default)]
pub struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    issue: KnownIssue,
    /// Compiled for the first failure that comes so far.
    pattern: OnceLock<Option<Regex>>,
}

impl From<Vec<KnownIssue>> for Rules {
    fn from(issues: Vec<KnownIssue>) -> Self {
        let rule = |issue| Rule { issue, pattern: OnceLock::new() };
        Self(issues.into_iter().map(rule).collect())
    }
}

impl Rules {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether some tests are expected to fail.
    #[must_use]
    pub fn expect_failures(&self) -> bool {
        self.0.iter().any(|rule| rule.issue.effect == Effect::Xfail)
    }

    /// The issue that a test has failed by: the oldest that is about it and finds its pattern in
    /// the last line of the failure.
    #[must_use]
    pub fn of_failure(&self, test: Failing<'_>, line: Option<&str>) -> Option<KnownIssueId> {
        let found = self.0.iter().find(|rule| rule.is_about(test) && rule.is_cause(line));
        found.map(|rule| rule.issue.id)
    }

    /// The issue for which a test that passed was expected to fail.
    #[must_use]
    pub fn of_pass(&self, test: Failing<'_>) -> Option<KnownIssueId> {
        let mut expecting = self.0.iter().filter(|rule| rule.issue.effect == Effect::Xfail);
        expecting.find(|rule| rule.is_about(test)).map(|rule| rule.issue.id)
    }
}

impl Rule {
    fn is_about(&self, test: Failing<'_>) -> bool {
        let has = |(key, value)| test.variant.get(key) == Some(value);
        let is_named = match test.case {
            None => matches(&self.issue.test, test.test.chars()),
            Some(case) => {
                let name = test.test.chars().chain(" › ".chars()).chain(case.chars());
                matches(&self.issue.test, name)
            }
        };
        is_named && self.issue.variant.iter().all(has)
    }

    fn is_cause(&self, line: Option<&str>) -> bool {
        let Some(pattern) = &self.issue.pattern else { return true };
        // What could not be compiled was never stored.
        let regex = self.pattern.get_or_init(|| compile(pattern).ok());
        regex.as_ref().zip(line).is_some_and(|(regex, line)| regex.is_match(line))
    }
}

/// Whether a glob is that of a text: `*` stands for any text, `?` for one character. Takes no more
/// steps than the product of their lengths.
fn matches(glob: &str, text: impl Iterator<Item = char>) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.collect());
    // Where the last asterisk is, and up to where it reaches.
    let (mut at, mut of, mut last) = (0, 0, None);
    while of < text.len() {
        match glob.get(at) {
            Some('*') => {
                last = Some((at, of));
                at += 1;
            }
            Some(character) if *character == '?' || *character == text[of] => {
                at += 1;
                of += 1;
            }
            _ => {
                let Some((asterisk, reach)) = last else { return false };
                last = Some((asterisk, reach + 1));
                at = asterisk + 1;
                of = reach + 1;
            }
        }
    }
    glob[at..].iter().all(|left| *left == '*')
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::UserId;

    fn issue(test: &str, pattern: Option<&str>, effect: Effect) -> KnownIssue {
        KnownIssue {
            id: KnownIssueId::new(),
            owner_id: UserId::new(),
            project: None,
            created_at: Utc::now(),
            expires_at: Utc::now(),
            title: "t".to_owned(),
            series: None,
            test: test.to_owned(),
            variant: Variant::new(),
            pattern: pattern.map(str::to_owned),
            effect,
            ticket: None,
        }
    }

    #[test]
    fn an_asterisk_is_any_text_and_a_question_mark_one_character() {
        let is = |glob: &str, text: &str| matches(glob, text.chars());
        for (glob, text) in
            [("*", ""), ("a*", "a"), ("*b*", "abc"), ("a?c", "aüc"), ("a**c", "ac"), ("[a]", "[a]")]
        {
            assert!(is(glob, text), "{glob} {text}");
        }
        for (glob, text) in [("", "a"), ("?", ""), ("a*c", "ab"), ("a", "A"), ("[a]", "a")] {
            assert!(!is(glob, text), "{glob} {text}");
        }
        // In as many steps as there are pairs of characters, not as ways to share them out.
        assert!(!is(&"*a".repeat(500), &format!("{}b", "a".repeat(5000))));
    }

    #[test]
    fn a_rule_with_a_pattern_knows_failures_of_that_cause_alone() {
        let none = Variant::new();
        let test = Failing { test: "parser", case: None, variant: &none };
        let first = issue("pars*", Some("^overflow"), Effect::Mute);
        let second = issue("parser", None, Effect::Xfail);
        let rules = Rules::from(vec![first.clone()]);
        assert_eq!(rules.of_failure(test, Some("overflow at #")), Some(first.id));
        assert_eq!(rules.of_failure(test, Some("an overflow")), None);
        assert_eq!(rules.of_failure(test, None), None);
        assert!(!rules.expect_failures());
        let rules = Rules::from(vec![first, second.clone()]);
        assert_eq!(rules.of_failure(test, None), Some(second.id));
        assert_eq!(rules.of_pass(test), Some(second.id));
    }

    #[test]
    fn a_rule_is_about_variants_that_have_what_it_says() {
        let variant = |pairs: &[(&str, &str)]| -> Variant {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let linux =
            KnownIssue { variant: variant(&[("os", "linux")]), ..issue("*", None, Effect::Mute) };
        let rules = Rules::from(vec![linux]);
        let is_known = |pairs: &[(&str, &str)]| {
            let test = Failing { test: "a", case: None, variant: &variant(pairs) };
            rules.of_failure(test, None).is_some()
        };
        assert!(is_known(&[("os", "linux"), ("compiler", "gcc")]));
        assert!(!is_known(&[("os", "mac")]) && !is_known(&[]));
    }

    #[test]
    fn a_case_is_known_by_its_whole_name() {
        let none = Variant::new();
        let case = Failing { test: "unit", case: Some("Parser › reads"), variant: &none };
        let is_known = |glob| {
            let rules = Rules::from(vec![issue(glob, None, Effect::Mute)]);
            rules.of_failure(case, None).is_some()
        };
        assert!(is_known("unit*") && is_known("unit › Parser › *") && is_known("*reads"));
        assert!(!is_known("unit") && !is_known("Parser*"));
    }
}
