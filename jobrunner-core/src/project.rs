//! Projects: what several accounts share. A job or a batch belongs to its owner, and to a project
//! if it names one.

use std::{fmt, str::FromStr, sync::Arc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{UserId, Violation, words::words};

/// The longest name of a project, in bytes.
const LONGEST: usize = 63;

/// The longest description, in bytes.
const LONGEST_DESCRIPTION: usize = 4_096;

/// How many projects an account may be a member of: each is a place that its lists are read from.
pub const MOST_PROJECTS: usize = 200;

words! {
    /// What a member of a project may do with what belongs to it, as far as their account's role
    /// lets them do it at all.
    ProjectRole {
        /// Everything operators may, and see to the members.
        Maintainer = "maintainer",
        /// Submit, and control what belongs to the project.
        Operator = "operator",
        /// Read what belongs to the project.
        Viewer = "viewer",
    }
}

/// What a project is called, which never changes: `[a-z0-9][a-z0-9._-]{0,62}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ProjectName(Arc<str>);

impl ProjectName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProjectName {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let begins_well = text.bytes().next().is_some_and(is_plain);
        let is_well = text.bytes().all(|byte| is_plain(byte) || b"._-".contains(&byte));
        if begins_well && is_well && text.len() <= LONGEST {
            return Ok(Self(text.into()));
        }
        Err(Violation::new(
            "project",
            "must be 1 to 63 of a-z, 0-9, '.', '_' and '-', of which the first is a letter or a digit",
        ))
    }
}

impl TryFrom<String> for ProjectName {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Violation> {
        text.parse()
    }
}

impl From<ProjectName> for String {
    fn from(name: ProjectName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// What it is called.
    pub name: ProjectName,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it has been put away: what belongs to it can be read and nothing else.
    pub is_archived: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What is to change in a project; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectUpdate {
    /// Another description; `Some(None)` removes it.
    pub description: Option<Option<String>>,
    /// Put it away, or take it out again.
    pub is_archived: Option<bool>,
}

/// Whether a description may be given.
///
/// # Errors
/// It is too long, or has a NUL byte.
pub fn check_description(text: Option<&str>) -> Result<(), Violation> {
    if text.is_some_and(|text| text.len() > LONGEST_DESCRIPTION || text.contains('\0')) {
        return Err(Violation::new(
            "description",
            format!("must have at most {LONGEST_DESCRIPTION} bytes and no NUL byte"),
        ));
    }
    Ok(())
}

/// Somebody who belongs to a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Whose account.
    pub user_id: UserId,
    /// Its address.
    pub email: String,
    /// What they may do in the project.
    pub role: ProjectRole,
    /// Since when.
    pub added_at: DateTime<Utc>,
}

/// A project that an account is a member of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Which project.
    pub project: ProjectName,
    /// What the account may do in it: of an archived one no more than to read.
    pub role: ProjectRole,
}

/// The projects of one account, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memberships(Arc<[Membership]>);

impl Memberships {
    /// What the account may do in a project; `None` if it is no member.
    #[must_use]
    pub fn role_in(&self, project: &ProjectName) -> Option<ProjectRole> {
        self.0.iter().find(|known| known.project == *project).map(|known| known.role)
    }

    /// The projects.
    pub fn iter(&self) -> impl Iterator<Item = &Membership> {
        self.0.iter()
    }
}

impl From<Vec<Membership>> for Memberships {
    fn from(of: Vec<Membership>) -> Self {
        Self(of.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_contract() {
        let longest = "a".repeat(63);
        for name in ["a", "0", "web", "team.web-2_x", longest.as_str()] {
            assert_eq!(name.parse::<ProjectName>().expect(name).as_str(), name);
        }
        let too_long = "a".repeat(64);
        for name in ["", "A", ".a", "-a", "_a", "a b", "ä", "a/b", "a\n", too_long.as_str()] {
            assert_eq!(name.parse::<ProjectName>().expect_err(name).field, "project");
            let json = serde_json::to_string(name).expect("JSON");
            assert!(serde_json::from_str::<ProjectName>(&json).is_err(), "{name}");
        }
    }
}
