//! What of others' things somebody may see.

use std::sync::Arc;

use crate::{UserId, project::ProjectName};

/// Whose things a caller may see; goes into every query, so that nothing needs to be hidden later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Nobody's.
    #[default]
    Nothing,
    /// One owner's.
    Owner(UserId),
    /// Those of projects.
    Projects(Arc<[ProjectName]>),
    /// One owner's, and those of projects.
    Either(UserId, Arc<[ProjectName]>),
    /// One owner's within projects.
    Both(UserId, Arc<[ProjectName]>),
    /// Everybody's.
    All,
}

impl Scope {
    /// One owner's things, and those of the projects that they are a member of.
    #[must_use]
    pub fn of(owner: UserId, projects: impl IntoIterator<Item = ProjectName>) -> Self {
        let projects: Arc<[ProjectName]> = projects.into_iter().collect();
        if projects.is_empty() { Self::Owner(owner) } else { Self::Either(owner, projects) }
    }

    /// Whether the scope has what belongs to `owner` and `project` in it.
    #[must_use]
    pub fn contains(&self, owner: UserId, project: Option<&ProjectName>) -> bool {
        let is_among = |names: &[ProjectName]| project.is_some_and(|name| names.contains(name));
        match self {
            Self::Nothing => false,
            Self::Owner(id) => *id == owner,
            Self::Projects(names) => is_among(names),
            Self::Either(id, names) => *id == owner || is_among(names),
            Self::Both(id, names) => *id == owner && is_among(names),
            Self::All => true,
        }
    }

    /// Whether everything that belongs to a project is in the scope.
    #[must_use]
    pub fn has_project(&self, project: &ProjectName) -> bool {
        match self {
            Self::All => true,
            Self::Projects(names) | Self::Either(_, names) => names.contains(project),
            Self::Nothing | Self::Owner(_) | Self::Both(..) => false,
        }
    }

    /// What is left of the scope for somebody who asks for one owner's things, or for those of one
    /// project, or for what is both.
    #[must_use]
    pub fn within(self, owner: Option<UserId>, project: Option<&ProjectName>) -> Self {
        let of_owner = match owner {
            Some(owner) => self.of_owner(owner),
            None => self,
        };
        match project {
            Some(project) => of_owner.in_project(project),
            None => of_owner,
        }
    }

    fn of_owner(self, owner: UserId) -> Self {
        match self {
            Self::Owner(id) | Self::Both(id, _) if id != owner => Self::Nothing,
            Self::All => Self::Owner(owner),
            Self::Either(id, _) if id == owner => Self::Owner(owner),
            Self::Projects(names) | Self::Either(_, names) => Self::Both(owner, names),
            of_theirs => of_theirs,
        }
    }

    fn in_project(self, project: &ProjectName) -> Self {
        let only = || Arc::from([project.clone()]);
        match self {
            Self::Nothing => Self::Nothing,
            Self::All => Self::Projects(only()),
            Self::Owner(id) => Self::Both(id, only()),
            Self::Projects(names) if names.contains(project) => Self::Projects(only()),
            Self::Both(id, names) if names.contains(project) => Self::Both(id, only()),
            Self::Either(_, names) if names.contains(project) => Self::Projects(only()),
            Self::Either(id, _) => Self::Both(id, only()),
            Self::Projects(_) | Self::Both(..) => Self::Nothing,
        }
    }

    /// The only owner whose things may be seen, if there is one.
    #[must_use]
    pub const fn owner(&self) -> Option<UserId> {
        match self {
            Self::Owner(owner) | Self::Both(owner, _) => Some(*owner),
            Self::Nothing | Self::Projects(_) | Self::Either(..) | Self::All => None,
        }
    }

    /// The projects whose things may be seen, if it is not everybody's or one owner's. Beside them
    /// may be those of [`or_owner`](Self::or_owner).
    #[must_use]
    pub fn projects(&self) -> Option<&[ProjectName]> {
        match self {
            Self::Projects(names) | Self::Either(_, names) | Self::Both(_, names) => Some(names),
            Self::Nothing | Self::Owner(_) | Self::All => None,
        }
    }

    /// The owner whose things may be seen beside those of projects.
    #[must_use]
    pub const fn or_owner(&self) -> Option<UserId> {
        match self {
            Self::Either(owner, _) => Some(*owner),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever is asked for, what is left has exactly what is both in the scope and asked for, and
    /// what goes into a statement says the same.
    #[test]
    fn what_is_left_of_a_scope_is_what_is_in_it_and_asked_for() {
        let [a, b] = [UserId::new(), UserId::new()];
        let [p, q] = ["p", "q"].map(|name| name.parse::<ProjectName>().expect("a name"));
        let names = |names: &[&ProjectName]| names.iter().map(|name| (*name).clone()).collect();
        let scopes = [
            Scope::Nothing,
            Scope::All,
            Scope::Owner(a),
            Scope::Projects(names(&[&p])),
            Scope::Either(a, names(&[&p, &q])),
            Scope::Either(a, names(&[&q])),
            Scope::Both(a, names(&[&p])),
        ];
        for scope in scopes {
            for owner in [None, Some(a), Some(b)] {
                for project in [None, Some(&p), Some(&q)] {
                    let left = scope.clone().within(owner, project);
                    for (of, within) in [a, b]
                        .into_iter()
                        .flat_map(|of| [None, Some(&p), Some(&q)].map(|within| (of, within)))
                    {
                        let is_asked_for = owner.is_none_or(|owner| owner == of)
                            && project.is_none_or(|project| Some(project) == within);
                        let expected = scope.contains(of, within) && is_asked_for;
                        let is_left = left.contains(of, within);
                        assert_eq!(is_left, expected, "{scope:?} {owner:?} {project:?}");
                        let is_found = left != Scope::Nothing
                            && left.owner().is_none_or(|owner| owner == of)
                            && (left.projects().is_none_or(|names| {
                                within.is_some_and(|within| names.contains(within))
                            }) || left.or_owner() == Some(of));
                        assert_eq!(is_found, expected, "{left:?}");
                    }
                }
            }
        }
    }
}
