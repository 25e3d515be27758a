mod hasher;

use std::{sync::Arc, time::Duration};

use argon2::password_hash::{PasswordVerifier, phc::PasswordHash};
use tokio::sync::Semaphore;

use crate::{
    Error, Result,
    user::{NewPassword, normal},
};
use hasher::Hasher;

/// How many passwords are hashed at one time: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;

/// How many more may wait for their turn. With 50 ms for each, nobody waits for long.
const WAITING: usize = 8;

/// Longer input is refused before it is hashed.
const MAX_BYTES: usize = 1024;

/// Hashes and checks passwords with Argon2id, a bounded number at a time, off the async threads.
/// Those that wait for their turn are few, too: what is more is refused at once
/// ([`TooMany`](Error::TooMany)).
#[derive(Clone, Debug)]
pub struct Passwords {
    strangers: Lane,
    known: Lane,
}

/// Whose password it is. The known do not wait for strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of somebody who has signed in, now or from there before.
    Known,
    /// Of anybody.
    Stranger,
}

/// Those who wait for each other.
#[derive(Clone, Debug)]
struct Lane {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Lane {
    fn new(at_once: usize) -> Self {
        let places = Arc::new(Semaphore::new(at_once + WAITING));
        Self { places, turns: Arc::new(Semaphore::new(at_once)) }
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// A hash that no known password has, to compare with when there is no account, and for
    /// accounts that nobody signs in to. It takes as long to compare as any other: its parameters
    /// are the same.
    pub(crate) const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1\
        $am9icnVubmVyIG5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    /// Hashes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { strangers: Lane::new(AT_ONCE), known: Lane::new(1) }
    }

    /// The password's hash in PHC string form, with a salt of its own.
    ///
    /// # Errors
    /// [`TooMany`](Error::TooMany). The system has no randomness.
    pub async fn hash(&self, password: &NewPassword) -> Result<String> {
        let password = password.clone();
        // Only who has signed in sets passwords.
        run(&self.known, move || {
            let hash = Hasher.hash(password.expose().as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|e| Error::internal("hashing a password", e))
        })
        .await?
    }

    /// Whether the password belongs to the hash. Takes as long without a hash as with one.
    ///
    /// # Errors
    /// [`TooMany`](Error::TooMany). The stored hash is damaged.
    pub async fn verify(&self, whose: Whose, password: &str, hash: Option<String>) -> Result<bool> {
        if password.len() > MAX_BYTES {
            return Ok(false);
        }
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| Self::NOBODYS.to_owned());
        let password = password.to_owned();
        let lane = if whose == Whose::Known { &self.known } else { &self.strangers };
        run(lane, move || {
            let hash =
                PasswordHash::new(&hash).map_err(|e| Error::internal("reading a hash", e))?;
            let fits = |text: &str| Hasher.verify_password(text.as_bytes(), &hash).is_ok();
            let normal = normal(&password);
            // Earlier versions hashed what was typed.
            Ok((fits(&normal) || normal != password && fits(&password)) && known)
        })
        .await?
    }
}

async fn run<T: Send + 'static>(
    lane: &Lane,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let Ok(place) = Arc::clone(&lane.places).try_acquire_owned() else {
        let after = Duration::from_secs(1);
        return Err(Error::TooMany { what: "too many passwords are being checked", after });
    };
    let turn = Arc::clone(&lane.turns).acquire_owned().await;
    let turn = turn.map_err(|e| Error::internal("hashing a password", e))?;
    let task = tokio::task::spawn_blocking(move || {
        let _held = (place, turn);
        work()
    });
    task.await.map_err(|e| Error::internal("hashing a password", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobodys_hash_costs_what_others_cost_and_no_password_has_it() {
        let passwords = Passwords::new();
        let password = NewPassword::choose("a password of mine", "a@b").expect("it may be set");
        let hash = passwords.hash(&password).await.expect("a hash");
        let parameters =
            |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parameters(&hash), parameters(Passwords::NOBODYS));
        let lengths = |hash: &str| hash.split('$').map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(&hash), lengths(Passwords::NOBODYS));
        for password in ["", "a password of mine", "nobody has this password"] {
            let nobodys = passwords
                .verify(Whose::Stranger, password, Some(Passwords::NOBODYS.to_owned()))
                .await;
            assert!(!nobodys.expect("an answer"));
            assert!(!passwords.verify(Whose::Stranger, password, None).await.expect("an answer"));
        }
        assert!(
            passwords
                .verify(Whose::Known, "a password of mine", Some(hash))
                .await
                .expect("an answer")
        );
    }

    #[tokio::test]
    async fn a_password_fits_however_its_letters_are_composed_and_as_earlier_versions_hashed_it() {
        let (composed, decomposed) =
            ("Zw\u{f6}lf Boxk\u{e4}mpfer", "Zwo\u{308}lf Boxka\u{308}mpfer");
        let passwords = Passwords::new();
        let fits = async |password: &str, hash: &str| {
            passwords
                .verify(Whose::Known, password, Some(hash.to_owned()))
                .await
                .expect("an answer")
        };
        let password = NewPassword::choose(decomposed, "a@b").expect("it may be set");
        let hash = passwords.hash(&password).await.expect("a hash");
        assert!(fits(composed, &hash).await && fits(decomposed, &hash).await);
        assert!(!fits("Zwolf Boxkampfer", &hash).await);
        let earlier = Hasher.hash(decomposed.as_bytes()).expect("a hash").to_string();
        assert!(fits(decomposed, &earlier).await && !fits(composed, &earlier).await);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_many_passwords_at_once_few_are_hashed_and_the_known_do_not_wait_for_strangers() {
        let passwords = Passwords::new();
        let check = |whose| passwords.verify(whose, "a wrong password", None);
        let strangers = futures_util::future::join_all((0..100).map(|_| check(Whose::Stranger)));
        let known = async {
            // The places of strangers are taken when this is asked.
            tokio::task::yield_now().await;
            check(Whose::Known).await
        };
        let (strangers, known) = tokio::join!(strangers, known);
        assert!(!known.expect("an answer"));
        let (checked, refused): (Vec<_>, Vec<_>) = strangers.into_iter().partition(Result::is_ok);
        assert_eq!(checked.len(), AT_ONCE + WAITING);
        assert!(refused.iter().all(|refused| matches!(refused, Err(Error::TooMany { .. }))));
        assert!(!check(Whose::Stranger).await.expect("there is room again"));
    }
}
