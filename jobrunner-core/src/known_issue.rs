//! Known issues: failures that somebody has looked at, and that are not to be looked at again for a
//! while.
//!
//! Each is a rule: which tests, of which variants and series, failing with which last line. Those
//! of a project hold for its runs, those of none for the runs of their owner that belong to none.

mod rules;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

pub use self::rules::{Failing, Rules};
use crate::{
    Error, KnownIssueId, ProjectName, Result, UserId, Violation, name,
    series::{Variant, check_variant},
    words::words,
};

/// How many a project may have, and an account beside those of projects: each is looked at for each
/// failure.
pub const MOST_KNOWN_ISSUES: i64 = 500;

/// For how long one holds if nothing else is said.
pub const USUAL_TERM: TimeDelta = TimeDelta::days(30);

/// For how long one may hold from the moment that somebody says so.
pub const LONGEST_TERM: TimeDelta = TimeDelta::days(180);

/// The longest glob, in bytes.
const LONGEST_TEST: usize = 1024;

/// The longest pattern, in bytes.
const LONGEST_PATTERN: usize = 1000;

/// The longest ticket, in bytes.
const LONGEST_TICKET: usize = 2048;

/// How much memory a pattern may take when it is compiled, and while it is searched for.
const PATTERN_MEMORY: usize = 1 << 20;

/// How deep groups may be within each other.
const PATTERN_DEPTH: u32 = 50;

words! {
    /// What becomes of a test that a known issue is about.
    Effect {
        /// Its failures are known: shown apart, and nothing that a gate looks at.
        Mute = "mute",
        /// It is expected to fail: its failures are known, and that it passes is told.
        Xfail = "xfail",
    }
}

/// A known issue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownIssue {
    /// Which one.
    pub id: KnownIssueId,
    /// Who sees to it. Without a project it is their runs that it is about.
    pub owner_id: UserId,
    /// The project whose runs it is about.
    pub project: Option<ProjectName>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From when on it says nothing any more.
    pub expires_at: DateTime<Utc>,
    /// What people call it.
    pub title: String,
    /// The series it is about, by its name; `None` is all.
    pub series: Option<String>,
    /// The tests it is about: `*` stands for any text, `?` for one character. Of a case it is the
    /// name of its test, its class and its own, joined by ` › `.
    pub test: String,
    /// What is in the variants that it is about; nothing is all.
    pub variant: Variant,
    /// A regular expression to be found in the last line of a failure; `None` is any failure. In
    /// such lines numbers are `#`.
    pub pattern: Option<String>,
    /// What becomes of the tests.
    pub effect: Effect,
    /// Where it is written down, often a URL.
    pub ticket: Option<String>,
}

/// What is asked for by somebody who knows an issue.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "a field is that of the issue")]
pub struct NewKnownIssue {
    pub title: String,
    pub project: Option<ProjectName>,
    pub series: Option<String>,
    pub test: String,
    pub variant: Variant,
    pub pattern: Option<String>,
    pub effect: Effect,
    pub ticket: Option<String>,
    /// `None` is the caller.
    pub owner_id: Option<UserId>,
    /// `None` is after [`USUAL_TERM`].
    pub expires_at: Option<DateTime<Utc>>,
}

impl NewKnownIssue {
    /// What it becomes at a moment.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) with every rule that it breaks.
    pub(crate) fn into_issue(self, owner: UserId, now: DateTime<Utc>) -> Result<KnownIssue> {
        // What is shown now is what will be read back.
        let now = now.trunc_subsecs(3);
        let issue = KnownIssue {
            id: KnownIssueId::new(),
            owner_id: owner,
            project: self.project,
            created_at: now,
            expires_at: self.expires_at.unwrap_or(now + USUAL_TERM).trunc_subsecs(3),
            title: self.title,
            series: self.series,
            test: self.test,
            variant: self.variant,
            pattern: self.pattern,
            effect: self.effect,
            ticket: self.ticket,
        };
        let mut wrong = issue.wrong();
        wrong.extend(issue.wrong_term(now));
        if wrong.is_empty() { Ok(issue) } else { Err(Error::Invalid(wrong)) }
    }
}

/// What is to change in a known issue; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "a field is that of the issue")]
pub struct KnownIssueUpdate {
    pub title: Option<String>,
    pub series: Option<Option<String>>,
    pub test: Option<String>,
    pub variant: Option<Variant>,
    pub pattern: Option<Option<String>>,
    pub effect: Option<Effect>,
    pub ticket: Option<Option<String>>,
    pub owner_id: Option<UserId>,
    pub expires_at: Option<DateTime<Utc>>,
}

impl KnownIssue {
    /// The issue with these changes.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) with every rule that they break.
    pub(crate) fn updated(self, update: KnownIssueUpdate, now: DateTime<Utc>) -> Result<Self> {
        let is_prolonged = update.expires_at.is_some();
        let changed = Self {
            title: update.title.unwrap_or(self.title),
            series: update.series.unwrap_or(self.series),
            test: update.test.unwrap_or(self.test),
            variant: update.variant.unwrap_or(self.variant),
            pattern: update.pattern.unwrap_or(self.pattern),
            effect: update.effect.unwrap_or(self.effect),
            ticket: update.ticket.unwrap_or(self.ticket),
            owner_id: update.owner_id.unwrap_or(self.owner_id),
            expires_at: update.expires_at.unwrap_or(self.expires_at).trunc_subsecs(3),
            ..self
        };
        let mut wrong = changed.wrong();
        wrong.extend(changed.wrong_term(now).filter(|_| is_prolonged));
        if wrong.is_empty() { Ok(changed) } else { Err(Error::Invalid(wrong)) }
    }

    fn wrong(&self) -> Vec<Violation> {
        let line = |field, text: &str, longest: usize| {
            let is_line = !text.is_empty() && !text.chars().any(char::is_control);
            let message = format!("must be one line of 1 to {longest} bytes");
            (!is_line || text.len() > longest).then(|| Violation::new(field, message))
        };
        let mut wrong = Vec::new();
        wrong.extend(name::refusal(&self.title).map(|why| Violation::new("title", why)));
        let series = self.series.as_deref().and_then(name::refusal);
        wrong.extend(series.map(|why| Violation::new("series", why)));
        wrong.extend(line("test", &self.test, LONGEST_TEST));
        check_variant(&self.variant, &mut wrong);
        wrong.extend(self.pattern.as_deref().and_then(|it| compile(it).err()));
        let ticket = self.ticket.as_deref();
        wrong.extend(ticket.and_then(|ticket| line("ticket", ticket, LONGEST_TICKET)));
        wrong
    }

    fn wrong_term(&self, now: DateTime<Utc>) -> Option<Violation> {
        let is_right = self.expires_at > now && self.expires_at <= now + LONGEST_TERM;
        let message = format!("must be within {} days from now", LONGEST_TERM.num_days());
        (!is_right).then(|| Violation::new("expires_at", message))
    }
}

/// A pattern to search with: in time that grows with the text alone, whatever the pattern is.
fn compile(pattern: &str) -> Result<Regex, Violation> {
    let wrong = |message: String| Violation::new("pattern", message);
    if pattern.is_empty() || pattern.len() > LONGEST_PATTERN || pattern.contains('\0') {
        return Err(wrong(format!("must have 1 to {LONGEST_PATTERN} bytes, none of them NUL")));
    }
    let compiled = RegexBuilder::new(pattern)
        .size_limit(PATTERN_MEMORY)
        .dfa_size_limit(PATTERN_MEMORY)
        .nest_limit(PATTERN_DEPTH)
        .build();
    compiled.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            wrong("takes too much memory; repeat less in it".to_owned())
        }
        error => {
            // Of a report of several lines, the last says what is wrong.
            let told = error.to_string();
            let why = told.lines().last().unwrap_or_default().trim_start_matches("error: ");
            wrong(format!("must be a regular expression: {why}"))
        }
    })
}

/// A pattern that finds exactly a text.
#[must_use]
pub fn pattern_of(text: &str) -> String {
    format!("^{}$", regex::escape(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(change: impl FnOnce(&mut NewKnownIssue)) -> Result<KnownIssue> {
        let mut new = NewKnownIssue {
            title: "the parser overflows".to_owned(),
            project: None,
            series: None,
            test: "parser*".to_owned(),
            variant: Variant::new(),
            pattern: None,
            effect: Effect::Mute,
            ticket: None,
            owner_id: None,
            expires_at: None,
        };
        change(&mut new);
        new.into_issue(UserId::new(), Utc::now())
    }

    fn field(made: Result<KnownIssue>) -> String {
        match made {
            Err(Error::Invalid(wrong)) => {
                assert_eq!(wrong.len(), 1, "{wrong:?}");
                wrong[0].field.clone()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_wrong_with_an_issue_is_told_by_its_field() {
        let made = new(|_| ()).expect("an issue");
        assert_eq!(made.expires_at - made.created_at, USUAL_TERM);
        assert_eq!(field(new(|it| it.title.clear())), "title");
        assert_eq!(field(new(|it| it.series = Some("a\nb".to_owned()))), "series");
        assert_eq!(field(new(|it| it.test = "x".repeat(LONGEST_TEST + 1))), "test");
        assert_eq!(field(new(|it| it.ticket = Some(String::new()))), "ticket");
        let variant = |it: &mut NewKnownIssue| it.variant = [("a b".into(), "c".into())].into();
        assert_eq!(field(new(variant)), "variant");
        let at = |term: TimeDelta| new(|it| it.expires_at = Some(Utc::now() + term));
        assert_eq!(field(at(TimeDelta::seconds(-1))), "expires_at");
        assert_eq!(field(at(LONGEST_TERM + TimeDelta::hours(1))), "expires_at");
        assert!(at(LONGEST_TERM - TimeDelta::hours(1)).is_ok());
    }

    #[test]
    fn a_hostile_pattern_is_refused() {
        let long = "x".repeat(LONGEST_PATTERN + 1);
        let deep = format!("{}x{}", "(".repeat(200), ")".repeat(200));
        let hostile =
            ["", "a\0", "(", "[a", r"\w{1000}{1000}", "(?:a{500}){500}", &long, &deep, r"(a)\1"];
        for pattern in hostile {
            let made = new(|it| it.pattern = Some(pattern.to_owned()));
            assert_eq!(field(made), "pattern", "{pattern}");
        }
        // What makes other engines try for ever is harmless.
        assert!(new(|it| it.pattern = Some("(a+)+$".to_owned())).is_ok());
    }

    #[test]
    fn an_issue_that_has_ended_can_be_changed_and_prolonged() {
        let now = Utc::now();
        let ended =
            KnownIssue { expires_at: now - TimeDelta::days(1), ..new(|_| ()).expect("one") };
        let title = KnownIssueUpdate { title: Some("b".to_owned()), ..Default::default() };
        assert_eq!(ended.clone().updated(title, now).expect("changed").title, "b");
        let at = |at| KnownIssueUpdate { expires_at: Some(at), ..Default::default() };
        assert!(ended.clone().updated(at(now + USUAL_TERM), now).is_ok());
        assert_eq!(field(ended.updated(at(now), now)), "expires_at");
    }

    #[test]
    fn the_pattern_of_a_line_finds_that_line_alone() {
        let line = "a.c:#: expected (x) [y] \\ *";
        let found = compile(&pattern_of(line)).expect("a pattern");
        assert!(found.is_match(line) && !found.is_match("a.c:#: expected (x) [y] \\ * z"));
    }
}
