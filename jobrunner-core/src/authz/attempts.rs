//! How often somebody may try to sign in.
//!
//! Whoever guesses passwords is slowed down, by where they are, by whose account it is, and by
//! both. An attempt that succeeds counts for nothing, and where an account was once signed in to
//! from an address, what strangers do elsewhere, or there with other accounts, no longer matters:
//! nobody is locked out by them. Each process counts for itself.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How many attempts may fail at once, and how long it takes until one more may.
struct Limit {
    at_once: f64,
    one_in: Duration,
}

/// On one account from one address: somebody who has forgotten which password it was.
const OF_BOTH: Limit = Limit { at_once: 10.0, one_in: Duration::from_secs(10) };

/// From one address, on whatever accounts: an office behind one address.
const OF_ADDRESS: Limit = Limit { at_once: 40.0, one_in: Duration::from_secs(1) };

/// On one account, from whatever addresses. One address alone does not get here.
const OF_ACCOUNT: Limit = Limit { at_once: 50.0, one_in: Duration::from_secs(2) };

/// How many addresses, accounts and pairs are remembered at most, each.
const MOST: usize = 10_000;

/// Counts attempts that fail.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    addresses: HashMap<Option<IpAddr>, Bucket>,
    accounts: HashMap<String, Bucket>,
    pairs: HashMap<(Option<IpAddr>, String), Pair>,
}

/// An account at an address.
#[derive(Debug, Default)]
struct Pair {
    bucket: Bucket,
    /// Whether it was signed in to from there.
    is_known: bool,
}

/// How many failures are used up.
#[derive(Debug)]
struct Bucket {
    used: f64,
    since: Instant,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { used: 0.0, since: Instant::now() }
    }
}

/// An attempt that has not failed yet.
#[derive(Debug)]
pub(super) struct Attempt {
    address: Option<IpAddr>,
    account: String,
    /// Whether the account was signed in to from there before.
    pub(super) is_known: bool,
}

impl Attempts {
    /// Lets an attempt begin. It counts as failed until it is [taken back](Self::undo).
    ///
    /// # Errors
    /// There were too many; after so long there may be another one.
    pub(super) fn begin(&self, from: Option<IpAddr>, account: &str) -> Result<Attempt, Duration> {
        self.begin_at(from, account, Instant::now())
    }

    fn begin_at(
        &self,
        from: Option<IpAddr>,
        account: &str,
        now: Instant,
    ) -> Result<Attempt, Duration> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State { addresses, accounts, pairs } = &mut *state;
        make_room(addresses, |bucket| bucket.is_full(&OF_ADDRESS, now));
        make_room(accounts, |bucket| bucket.is_full(&OF_ACCOUNT, now));
        make_room(pairs, |pair| !pair.is_known && pair.bucket.is_full(&OF_BOTH, now));
        let (address, account) = (from.map(network), account.to_owned());
        let pair = pairs.entry((address, account.clone())).or_default();
        let mut all = vec![(&mut pair.bucket, &OF_BOTH)];
        if !pair.is_known {
            // What comes from nowhere is of this process.
            if from.is_some() {
                all.push((addresses.entry(address).or_default(), &OF_ADDRESS));
            }
            all.push((accounts.entry(account.clone()).or_default(), &OF_ACCOUNT));
        }
        let wait = all.iter_mut().map(|(bucket, limit)| bucket.wait(limit, now)).max();
        match wait.filter(|wait| !wait.is_zero()) {
            Some(wait) => Err(wait),
            None => {
                all.into_iter().for_each(|(bucket, _)| bucket.used += 1.0);
                Ok(Attempt { address, account, is_known: pair.is_known })
            }
        }
    }

    /// An attempt has not failed: it counts for nothing. If it has succeeded, the account is known
    /// there from now on.
    pub(super) fn undo(&self, attempt: Attempt, has_succeeded: bool) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State { addresses, accounts, pairs } = &mut *state;
        let give_back = |bucket: Option<&mut Bucket>| {
            if let Some(bucket) = bucket {
                bucket.used = (bucket.used - 1.0).max(0.0);
            }
        };
        if !attempt.is_known {
            give_back(addresses.get_mut(&attempt.address));
            give_back(accounts.get_mut(&attempt.account));
        }
        let pair = pairs.entry((attempt.address, attempt.account)).or_default();
        pair.is_known |= has_succeeded;
        give_back(Some(&mut pair.bucket));
    }
}

impl Bucket {
    /// How long it takes until it may be used once more.
    fn wait(&mut self, limit: &Limit, now: Instant) -> Duration {
        let back = now.saturating_duration_since(self.since).as_secs_f64();
        self.used = (self.used - back / limit.one_in.as_secs_f64()).max(0.0);
        self.since = now;
        limit.one_in.mul_f64((self.used + 1.0 - limit.at_once).max(0.0))
    }

    /// Whether it is as one that was never used.
    fn is_full(&mut self, limit: &Limit, now: Instant) -> bool {
        self.wait(limit, now);
        self.used == 0.0
    }
}

/// Forgets what says nothing, and if that is not enough everything.
fn make_room<K: Eq + Hash, V>(
    map: &mut HashMap<K, V>,
    mut says_nothing: impl FnMut(&mut V) -> bool,
) {
    if map.len() < MOST {
        return;
    }
    map.retain(|_, value| !says_nothing(value));
    if map.len() >= MOST {
        map.clear();
    }
}

/// What one customer of a provider has: an address of IPv4, and a network of 64 bits of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    fn failed(attempts: &Attempts, from: &str, account: &str, now: Instant) -> usize {
        let begun = |_: &usize| attempts.begin_at(address(from), account, now).is_ok();
        (0..1000).filter(begun).count()
    }

    #[test]
    fn guessing_is_slowed_down_by_account_and_address() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        assert_eq!(failed(&attempts, "192.0.2.1", "a@b", start), 10);
        let wait = attempts.begin_at(address("192.0.2.1"), "a@b", start).expect_err("too many");
        assert!(wait > Duration::from_secs(9) && wait <= Duration::from_secs(10), "{wait:?}");
        let later = start + Duration::from_secs(21);
        assert_eq!(failed(&attempts, "192.0.2.1", "a@b", later), 2);
        // With other accounts, too: forty in all.
        let each = (0..100).map(|n| failed(&attempts, "192.0.2.1", &format!("{n}@b"), later));
        assert_eq!(each.sum::<usize>(), 40 - 2);
        // From elsewhere there are attempts left at the account.
        assert_eq!(failed(&attempts, "192.0.2.2", "a@b", later), 10);
        let botnet = (3..100).map(|n| failed(&attempts, &format!("192.0.2.{n}"), "a@b", later));
        assert_eq!(botnet.sum::<usize>(), 50 - 12);
    }

    #[test]
    fn who_was_there_before_is_not_locked_out_by_strangers() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let attempt = attempts.begin_at(address("192.0.2.1"), "a@b", now).expect("the first");
        assert!(!attempt.is_known);
        attempts.undo(attempt, true);
        for n in 0..100 {
            failed(&attempts, "192.0.2.1", &format!("{n}@b"), now);
            failed(&attempts, &format!("192.0.2.{}", n + 2), "a@b", now);
        }
        let new = attempts.begin_at(address("192.0.2.1"), "new@b", now);
        assert!(new.is_err(), "strangers wait");
        let attempt = attempts.begin_at(address("192.0.2.1"), "a@b", now).expect("let in");
        assert!(attempt.is_known);
        attempts.undo(attempt, true);
        assert_eq!(failed(&attempts, "192.0.2.1", "a@b", now), 10, "a thief there is slowed, too");
    }

    #[test]
    fn what_succeeds_or_is_not_looked_at_counts_for_nothing() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for n in 0..1000 {
            let from = address("2001:db8::1");
            let attempt = attempts.begin_at(from, &n.to_string(), now).expect("let in");
            attempts.undo(attempt, n % 2 == 0);
        }
        // All of a network of IPv6 is one address.
        let each =
            (0..100).map(|n| failed(&attempts, &format!("2001:db8::{n}"), &format!("{n}@b"), now));
        assert_eq!(each.sum::<usize>(), 40);
        assert_eq!(failed(&attempts, "2001:db8:0:1::1", "x@b", now), 10);
    }

    #[test]
    fn no_more_is_remembered_than_that() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for n in 0..MOST + 10 {
            let from = Some(IpAddr::V4(u32::try_from(n).expect("few").into()));
            attempts.begin_at(from, &n.to_string(), now).expect("the first of each");
        }
        let state = attempts.0.lock().expect("no panic");
        assert!(state.pairs.len() <= MOST && state.accounts.len() <= MOST);
        assert!(state.addresses.len() <= MOST);
    }
}
