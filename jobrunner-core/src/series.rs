//! Series: runs of the same tests, one after the other.
//!
//! A batch belongs to a series, of its own name unless it says otherwise, and says what it has
//! tested. Each of its jobs is a test, whose past are its results in the runs before.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::{BatchId, Violation, name, words::words};

/// How many keys a variant may have.
pub const MAX_VARIANT_KEYS: usize = 8;

/// The longest key of a variant, in bytes.
const MAX_KEY_BYTES: usize = 64;

/// The longest URL of a revision, in bytes.
const MAX_URL_BYTES: usize = 2048;

/// To which series a batch belongs, as its caller says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SeriesChoice {
    /// The one that is called as the batch.
    #[default]
    OfItsName,
    /// The one of this name.
    Named(String),
    /// None: nothing is remembered of it, and it has no verdict.
    None,
}

impl SeriesChoice {
    /// Whether nothing was said about it.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::OfItsName
    }

    /// The name of the series, of a batch of this name.
    #[must_use]
    pub fn name<'a>(&'a self, batch: &'a str) -> Option<&'a str> {
        match self {
            Self::OfItsName => Some(batch),
            Self::Named(name) => Some(name),
            Self::None => None,
        }
    }

    /// Adds the rules that it breaks.
    pub(crate) fn check(&self, wrong: &mut Vec<Violation>) {
        if let Self::Named(name) = self {
            wrong.extend(name::refusal(name).map(|message| Violation::new("series", message)));
        }
    }
}

impl From<Option<String>> for SeriesChoice {
    /// What was said: a name, or null.
    fn from(said: Option<String>) -> Self {
        said.map_or(Self::None, Self::Named)
    }
}

impl Serialize for SeriesChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(name) => serializer.serialize_str(name),
            Self::OfItsName | Self::None => serializer.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for SeriesChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<String>::deserialize(deserializer).map(Self::from)
    }
}

/// What a batch has tested.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// The commit, or another name of it.
    #[serde(default)]
    pub sha: Option<String>,
    /// The branch that it is of: runs are compared with those of the same branch.
    #[serde(default)]
    pub branch: Option<String>,
    /// Whether something was changed that is not in it.
    #[serde(default)]
    pub dirty: bool,
    /// Where to look at it.
    #[serde(default)]
    pub url: Option<String>,
}

impl Revision {
    /// Adds the rules that it breaks.
    pub(crate) fn check(&self, wrong: &mut Vec<Violation>) {
        for (field, text) in [("revision.sha", &self.sha), ("revision.branch", &self.branch)] {
            let message = text.as_deref().and_then(name::refusal);
            wrong.extend(message.map(|message| Violation::new(field, message)));
        }
        let is_url = |url: &str| {
            url.len() <= MAX_URL_BYTES
                && ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme))
                && url.chars().all(|c| !c.is_control() && !c.is_whitespace())
        };
        if self.url.as_deref().is_some_and(|url| !is_url(url)) {
            let message = format!(
                "must begin with http:// or https:// and have at most {MAX_URL_BYTES} bytes"
            );
            wrong.push(Violation::new("revision.url", message));
        }
    }
}

/// What a batch is compared with, if not with the runs before it on its own branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The runs of this branch.
    #[serde(default)]
    pub branch: Option<String>,
    /// This batch alone.
    #[serde(default)]
    pub batch_id: Option<BatchId>,
}

impl Baseline {
    /// Whether it says nothing.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.branch.is_none() && self.batch_id.is_none()
    }

    /// Adds the rules that it breaks.
    pub(crate) fn check(&self, wrong: &mut Vec<Violation>) {
        let message = self.branch.as_deref().and_then(name::refusal);
        wrong.extend(message.map(|message| Violation::new("baseline.branch", message)));
        if self.branch.is_some() && self.batch_id.is_some() {
            let message = "must name a branch or a batch, not both";
            wrong.push(Violation::new("baseline.batch_id", message));
        }
    }
}

words! {
    /// Which failures make the verdict of a batch one.
    #[derive(Default)]
    Gate {
        /// All that are not known issues.
        #[default]
        Failed = "failed",
        /// Those that are new.
        New = "new",
        /// None.
        None = "none",
    }
}

impl Gate {
    /// Whether it is what holds when nothing is said.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over so")]
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// In which of its variants a test was run: up to eight keys with their values.
pub type Variant = BTreeMap<String, String>;

/// Whether these may be the variant of a test.
#[must_use]
pub fn is_variant(variant: &Variant) -> bool {
    let mut wrong = Vec::new();
    check_variant(variant, &mut wrong);
    wrong.is_empty()
}

/// Adds the rules that a variant breaks.
pub(crate) fn check_variant(variant: &Variant, wrong: &mut Vec<Violation>) {
    if variant.len() > MAX_VARIANT_KEYS {
        let message = format!("may have at most {MAX_VARIANT_KEYS} keys");
        wrong.push(Violation::new("variant", message));
        return;
    }
    for (key, value) in variant {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if key.is_empty() || key.len() > MAX_KEY_BYTES || !key.chars().all(is_plain) {
            let message = format!(
                "keys must have 1 to {MAX_KEY_BYTES} characters out of letters, digits, '.', '_' \
                 and '-'"
            );
            wrong.push(Violation::new("variant", message));
        } else if let Some(message) = name::refusal(value) {
            wrong.push(Violation::new(format!("variant.{key}"), message));
        }
    }
}

/// What a test draws its random numbers from; kept and shown, and no part of what the test is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Seed {
    /// A whole number.
    Number(i64),
    /// A text; 1 to 255 bytes on one line.
    Text(String),
}

impl Seed {
    /// Adds the rule that it breaks.
    pub(crate) fn check(&self, wrong: &mut Vec<Violation>) {
        if let Self::Text(text) = self {
            wrong.extend(name::refusal(text).map(|message| Violation::new("seed", message)));
        }
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;

        impl de::Visitor<'_> for NumberOrText {
            type Value = Seed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or a text")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Seed, E> {
                Ok(Seed::Number(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Seed, E> {
                let number = i64::try_from(number);
                number.map(Seed::Number).map_err(|_| E::custom("is too large; send it as a text"))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Seed, E> {
                Ok(Seed::Text(text.to_owned()))
            }
        }

        deserializer.deserialize_any(NumberOrText)
    }
}

/// Names a test of a series. Made of the number of the series and of that of the test, so that
/// nobody has to look either up (a UUIDv8).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TestId(Uuid);

const LOW_BITS: u32 = 52;

impl TestId {
    /// The id of a test: `series` is below 2^48.
    #[must_use]
    pub const fn new(series: u64, test: u64) -> Self {
        let high = (series << 16) | 0x8000 | (test >> LOW_BITS);
        let low = (0b10 << 62) | (test & ((1 << LOW_BITS) - 1));
        Self(Uuid::from_u64_pair(high, low))
    }

    /// The number of the series and that of the test; `None` if no test has such an id.
    #[must_use]
    pub const fn numbers(self) -> Option<(u64, u64)> {
        let (high, low) = self.0.as_u64_pair();
        let (series, test) =
            (high >> 16, ((high & 0xfff) << LOW_BITS) | (low & ((1 << LOW_BITS) - 1)));
        if Self::new(series, test).0.as_u128() == self.0.as_u128() {
            Some((series, test))
        } else {
            None
        }
    }

    /// The id as a plain UUID.
    #[must_use]
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for TestId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl std::str::FromStr for TestId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_tells_its_numbers(series in 0..1_u64 << 48, test: u64) {
            let id = TestId::new(series, test);
            prop_assert_eq!(id.numbers(), Some((series, test)));
            prop_assert_eq!(id.as_uuid().get_version_num(), 8);
        }
    }

    #[test]
    fn what_is_no_id_of_a_test_has_no_numbers() {
        assert_eq!(TestId::from(Uuid::now_v7()).numbers(), None);
        assert_eq!(TestId::from(Uuid::nil()).numbers(), None);
    }

    #[test]
    fn a_series_is_named_as_its_batch_unless_it_says_otherwise() {
        assert_eq!(SeriesChoice::default().name("nightly"), Some("nightly"));
        let read = |json| serde_json::from_str::<SeriesChoice>(json).expect("a series");
        assert_eq!(read("null").name("nightly"), None);
        assert_eq!(read("\"weekly\"").name("nightly"), Some("weekly"));
    }

    #[test]
    fn a_seed_stays_a_number_or_a_text() {
        for json in ["7", "-7", "\"7\""] {
            let seed: Seed = serde_json::from_str(json).expect("a seed");
            assert_eq!(serde_json::to_string(&seed).expect("JSON"), json);
        }
        for wrong in ["1.5", "true", "18446744073709551615", "[]"] {
            assert!(serde_json::from_str::<Seed>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_variant_is_told_by_its_field() {
        let fields = |variant: &[(&str, &str)]| {
            let variant = variant.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            let mut wrong = Vec::new();
            check_variant(&variant.collect(), &mut wrong);
            wrong.into_iter().map(|wrong| wrong.field).collect::<Vec<_>>()
        };
        assert!(fields(&[("os", "linux"), ("n", "4")]).is_empty());
        assert_eq!(fields(&[("", "a")]), ["variant"]);
        assert_eq!(fields(&[("a b", "a")]), ["variant"]);
        assert_eq!(fields(&[("os", "")]), ["variant.os"]);
        let keys: Vec<String> = (0..9).map(|n| format!("k{n}")).collect();
        let many: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "v")).collect();
        assert_eq!(fields(&many), ["variant"]);
    }

    #[test]
    fn a_revision_leads_nowhere_but_to_a_page() {
        let fields = |url: &str| {
            let mut wrong = Vec::new();
            Revision { url: Some(url.to_owned()), ..Revision::default() }.check(&mut wrong);
            wrong.into_iter().map(|wrong| wrong.field).collect::<Vec<_>>()
        };
        assert!(fields("https://git.example.com/c/4f2a91c").is_empty());
        assert_eq!(fields("javascript:alert(1)"), ["revision.url"]);
        assert_eq!(fields("https://a b"), ["revision.url"]);
    }
}
