//! Who may do what: what each role allows, and what each scope of a personal access token leaves of
//! it. Nothing else decides it.

use super::Action;
use crate::{Role, user::TokenScope};

/// What an account may do.
pub(super) const fn role_allows(role: Role, action: Action) -> bool {
    match action {
        Action::Read | Action::OwnAccount => true,
        Action::Submit | Action::Control | Action::SeeWorkers => {
            matches!(role, Role::Admin | Role::Operator)
        }
        Action::Administer => matches!(role, Role::Admin),
    }
}

/// What a token may do for an account that may do it. None takes its owner's account over.
pub(super) const fn scope_allows(scope: TokenScope, action: Action) -> bool {
    match action {
        Action::OwnAccount => false,
        Action::Read | Action::SeeWorkers => matches!(scope, TokenScope::Read | TokenScope::Admin),
        Action::Submit => matches!(scope, TokenScope::Submit | TokenScope::Admin),
        Action::Control => matches!(scope, TokenScope::Control | TokenScope::Admin),
        Action::Administer => matches!(scope, TokenScope::Admin),
    }
}

/// The least role that allows it, for who is told that theirs does not.
pub(super) const fn least_role(action: Action) -> Role {
    match action {
        Action::Read | Action::OwnAccount => Role::Viewer,
        Action::Submit | Action::Control | Action::SeeWorkers => Role::Operator,
        Action::Administer => Role::Admin,
    }
}

/// The scope to ask for, for who is told that a token has it not; `None` if no token has it.
pub(super) const fn scope_for(action: Action) -> Option<TokenScope> {
    match action {
        Action::Read | Action::SeeWorkers => Some(TokenScope::Read),
        Action::Submit => Some(TokenScope::Submit),
        Action::Control => Some(TokenScope::Control),
        Action::Administer => Some(TokenScope::Admin),
        Action::OwnAccount => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIONS: [Action; 6] = [
        Action::Read,
        Action::Submit,
        Action::Control,
        Action::SeeWorkers,
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
            let allowing = TokenScope::ALL.into_iter().filter(|it| scope_allows(*it, action));
            let least = allowing.min_by_key(|scope| *scope == TokenScope::Admin);
            assert_eq!(scope_for(action), least, "{action:?}");
        }
    }
}
