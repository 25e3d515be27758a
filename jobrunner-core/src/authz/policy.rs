//! Who may do what: what each role allows at all, what each role in a project allows with what
//! belongs to it, and what each scope of a personal access token leaves of both. Nothing else
//! decides it.

use super::Action;
use crate::{ProjectRole, Role, user::TokenScope};

/// What an account may do.
pub(super) const fn role_allows(role: Role, action: Action) -> bool {
    match action {
        Action::Read | Action::OwnAccount => true,
        Action::Submit | Action::Control | Action::SeeWorkers | Action::Manage => {
            matches!(role, Role::Admin | Role::Operator)
        }
        Action::Administer => matches!(role, Role::Admin),
    }
}

/// Whether an account may do what its role allows with its own things.
pub(super) const fn owner_may(action: Action) -> bool {
    matches!(action, Action::Read | Action::Control | Action::Manage)
}

/// What a member of a project may do with what belongs to it, if the account's role allows it.
pub(super) const fn member_may(role: ProjectRole, action: Action) -> bool {
    match action {
        Action::Read => true,
        Action::Submit | Action::Control => {
            matches!(role, ProjectRole::Maintainer | ProjectRole::Operator)
        }
        Action::Manage => matches!(role, ProjectRole::Maintainer),
        Action::SeeWorkers | Action::Administer | Action::OwnAccount => false,
    }
}

/// Whether what is good for one project alone may do it there.
pub(super) const fn one_project_allows(action: Action) -> bool {
    member_may(ProjectRole::Maintainer, action)
}

/// The least role in a project that allows it, for who is told that theirs does not.
pub(super) const fn least_project_role(action: Action) -> ProjectRole {
    match action {
        Action::Read => ProjectRole::Viewer,
        Action::Submit | Action::Control => ProjectRole::Operator,
        Action::Manage | Action::SeeWorkers | Action::Administer | Action::OwnAccount => {
            ProjectRole::Maintainer
        }
    }
}

/// What a token may do for an account that may do it. None takes its owner's account over.
pub(super) const fn scope_allows(scope: TokenScope, action: Action) -> bool {
    match action {
        Action::OwnAccount => false,
        Action::Read | Action::SeeWorkers => matches!(scope, TokenScope::Read | TokenScope::Admin),
        Action::Submit => matches!(scope, TokenScope::Submit | TokenScope::Admin),
        Action::Control => matches!(scope, TokenScope::Control | TokenScope::Admin),
        Action::Manage | Action::Administer => matches!(scope, TokenScope::Admin),
    }
}

/// The least role that allows it, for who is told that theirs does not.
pub(super) const fn least_role(action: Action) -> Role {
    match action {
        Action::Read | Action::OwnAccount => Role::Viewer,
        Action::Submit | Action::Control | Action::SeeWorkers | Action::Manage => Role::Operator,
        Action::Administer => Role::Admin,
    }
}

/// The scope to ask for, for who is told that a token has it not; `None` if no token has it.
pub(super) const fn scope_for(action: Action) -> Option<TokenScope> {
    match action {
        Action::Read | Action::SeeWorkers => Some(TokenScope::Read),
        Action::Submit => Some(TokenScope::Submit),
        Action::Control => Some(TokenScope::Control),
        Action::Manage | Action::Administer => Some(TokenScope::Admin),
        Action::OwnAccount => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIONS: [Action; 7] = [
        Action::Read,
        Action::Submit,
        Action::Control,
        Action::SeeWorkers,
        Action::Manage,
        Action::Administer,
        Action::OwnAccount,
    ];

    #[test]
    fn what_is_advised_is_enough_and_no_less_would_be() {
        for action in ACTIONS {
            let least = least_role(action);
            for role in Role::ALL {
                // Admin is declared first.
                assert_eq!(role_allows(role, action), role <= least, "{role} {action:?}");
            }
            let least = least_project_role(action);
            for role in ProjectRole::ALL.into_iter().filter(|_| one_project_allows(action)) {
                // Maintainer is declared first.
                assert_eq!(member_may(role, action), role <= least, "{role} {action:?}");
            }
            let allowing = TokenScope::ALL.into_iter().filter(|it| scope_allows(*it, action));
            let least = allowing.min_by_key(|scope| *scope == TokenScope::Admin);
            assert_eq!(scope_for(action), least, "{action:?}");
        }
    }
}
