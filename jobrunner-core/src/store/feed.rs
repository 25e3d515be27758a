//! The members of a batch are made ready for the store in a thread of their own, while those before
//! them are being stored.

use tokio::{sync::mpsc, task::JoinHandle};

use super::Specs;
use crate::{Error, JobSpec, Result};

/// How many groups are made ready before they can be stored.
const AHEAD: usize = 2;

/// Jobs that one statement stores.
pub(super) trait Group: Default + Send + 'static {
    /// Adds a job.
    fn add(&mut self, spec: JobSpec) -> Result<()>;

    /// Whether it has as many jobs, or bytes, as one statement takes.
    fn is_full(&self) -> bool;

    /// Whether it has no jobs.
    fn is_empty(&self) -> bool;
}

/// The members of a batch in groups. Dropping it ends the thread at its next group.
pub(super) struct Feed<G> {
    groups: mpsc::Receiver<Result<G>>,
    making: JoinHandle<()>,
}

impl<G: Group> Feed<G> {
    pub(super) fn start(specs: Specs) -> Self {
        let (made, groups) = mpsc::channel(AHEAD);
        Self { groups, making: tokio::task::spawn_blocking(move || make(specs, &made)) }
    }

    /// The next group, which has at least one job; `None` after the last. The first error of the
    /// members, or a panic while they were made, ends it.
    pub(super) async fn next(&mut self) -> Result<Option<G>> {
        match self.groups.recv().await {
            Some(group) => group.map(Some),
            None => match (&mut self.making).await {
                Ok(()) => Ok(None),
                Err(panic) => Err(Error::internal("reading the jobs of a batch", panic)),
            },
        }
    }
}

fn make<G: Group>(specs: Specs, made: &mpsc::Sender<Result<G>>) {
    let mut group = G::default();
    for spec in specs {
        let added = spec.and_then(|spec| group.add(spec));
        let next = match added {
            Ok(()) if group.is_full() => Ok(std::mem::take(&mut group)),
            Ok(()) => continue,
            Err(error) => Err(error),
        };
        let is_last = next.is_err();
        if made.blocking_send(next).is_err() || is_last {
            return;
        }
    }
    if !group.is_empty() && made.blocking_send(Ok(group)).is_err() {
        tracing::trace!("nobody stores the last jobs of a batch");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::spec;

    #[derive(Default)]
    struct Pair(Vec<String>);

    impl Group for Pair {
        fn add(&mut self, spec: JobSpec) -> Result<()> {
            self.0.push(spec.name);
            Ok(())
        }

        fn is_full(&self) -> bool {
            self.0.len() == 2
        }

        fn is_empty(&self) -> bool {
            self.0.is_empty()
        }
    }

    fn members(count: usize) -> impl Iterator<Item = Result<JobSpec>> + Send {
        (0..count).map(|n| Ok(spec(&n.to_string())))
    }

    async fn all(specs: Specs) -> Result<Vec<String>> {
        let mut feed = Feed::<Pair>::start(specs);
        let mut names = Vec::new();
        while let Some(group) = feed.next().await? {
            assert!((1..=2).contains(&group.0.len()));
            names.extend(group.0);
        }
        Ok(names)
    }

    #[tokio::test]
    async fn members_come_in_their_order_in_groups_that_are_never_empty() {
        for count in [0, 1, 2, 3, 20] {
            let expected: Vec<String> = (0..count).map(|n| n.to_string()).collect();
            assert_eq!(all(Box::new(members(count))).await.expect("all"), expected);
        }
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_member_ends_the_batch_and_so_does_a_panic() {
        let bad = [Err(Error::invalid("jobs[3]", "is bad"))];
        let refused = all(Box::new(members(3).chain(bad).chain(members(3)))).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        let panicking = members(3).chain(std::iter::from_fn(|| panic!("on purpose")));
        let broken = all(Box::new(panicking)).await;
        assert!(matches!(broken, Err(Error::Internal { .. })), "{broken:?}");
    }

    #[tokio::test]
    async fn a_batch_that_nobody_stores_any_more_is_not_read_to_its_end() {
        let mut feed = Feed::<Pair>::start(Box::new(members(usize::MAX)));
        assert!(feed.next().await.expect("a group").is_some());
        let Feed { groups, making } = feed;
        drop(groups);
        making.await.expect("it ended");
    }
}
