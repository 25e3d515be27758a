//! Callers whose account was looked up a moment ago.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{Principal, SecretDigest};
use crate::{SignInId, UserId};

/// For how long an account is taken to be what it was. Other processes may change it meanwhile.
const LASTS: Duration = Duration::from_secs(1);

/// How many callers are remembered at most.
const MOST: usize = 10_000;

/// Remembers callers who were let in, so that a caller of a thousand requests a second is looked up
/// once. Nobody who was refused is remembered.
#[derive(Debug, Default)]
pub(super) struct Callers(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: HashMap<Shown, (Principal, Instant)>,
    /// How often something was forgotten.
    changes: u64,
}

/// What of a token tells who its caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shown {
    /// Whose it is, the sign-in that it belongs to, and the account's token version when it was
    /// given out.
    Signed(UserId, SignInId, i64),
    /// A personal one.
    Secret(SecretDigest),
}

/// When somebody began to look an account up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looking {
    since: Instant,
    changes: u64,
}

impl Callers {
    /// Who this is, if that was looked up within the last second.
    pub(super) fn get(&self, token: Shown) -> Option<Principal> {
        let state = self.lock();
        let (caller, since) = state.known.get(&token)?;
        (since.elapsed() < LASTS).then(|| caller.clone())
    }

    /// To be called before an account is looked up that is to be remembered.
    pub(super) fn look(&self) -> Looking {
        Looking { since: Instant::now(), changes: self.lock().changes }
    }

    /// Remembers a caller who was let in, unless an account was changed while this one was looked
    /// up: what was found may be from before.
    pub(super) fn remember(&self, looking: Looking, token: Shown, caller: &Principal) {
        let mut state = self.lock();
        if state.changes != looking.changes {
            return;
        }
        if state.known.len() >= MOST {
            state.known.clear();
        }
        state.known.insert(token, (caller.clone(), looking.since));
    }

    /// Forgets an account with all its sign-ins.
    pub(super) fn forget(&self, user: UserId) {
        let mut state = self.lock();
        state.changes += 1;
        state.known.retain(|_, (caller, _)| caller.id != user);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Role, authz::Proof, project::Memberships};

    fn caller() -> Principal {
        Principal {
            id: UserId::new(),
            email: "a@b".to_owned(),
            role: Role::Operator,
            token_version: 0,
            projects: Memberships::default(),
            within: None,
            by: Proof::SignIn(SignInId::new()),
        }
    }

    fn token(caller: &Principal) -> Shown {
        Shown::Signed(caller.id, caller.sign_in().expect("a sign-in"), 0)
    }

    fn found(callers: &Callers, caller: &Principal) -> bool {
        callers.get(token(caller)).as_ref() == Some(caller)
    }

    fn remember(callers: &Callers, looking: Looking, caller: &Principal) {
        callers.remember(looking, token(caller), caller);
    }

    #[test]
    fn a_caller_is_known_for_a_second_by_that_sign_in() {
        let (callers, caller) = (Callers::default(), caller());
        assert!(!found(&callers, &caller));
        remember(&callers, callers.look(), &caller);
        assert!(found(&callers, &caller));
        let sign_in = caller.sign_in().expect("a sign-in");
        for other in [
            Shown::Signed(caller.id, SignInId::new(), 0),
            Shown::Signed(caller.id, sign_in, 1),
            Shown::Secret([0; 32]),
        ] {
            assert_eq!(callers.get(other), None, "{other:?}");
        }
        let mut old = callers.look();
        old.since = old.since.checked_sub(LASTS).expect("the machine runs for a second");
        remember(&callers, old, &caller);
        assert!(!found(&callers, &caller));
    }

    #[test]
    fn who_was_looked_up_before_a_change_is_not_known_after_it() {
        let callers = Callers::default();
        let (caller, other) = (caller(), caller());
        remember(&callers, callers.look(), &caller);
        remember(&callers, callers.look(), &other);
        let meanwhile = callers.look();
        callers.forget(caller.id);
        remember(&callers, meanwhile, &caller);
        assert!(!found(&callers, &caller));
        assert!(found(&callers, &other));
    }

    #[test]
    fn no_more_callers_are_kept_than_that() {
        let callers = Callers::default();
        for _ in 0..=MOST {
            remember(&callers, callers.look(), &caller());
        }
        assert!(callers.lock().known.len() <= MOST);
    }
}
