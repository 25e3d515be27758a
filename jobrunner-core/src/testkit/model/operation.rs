use proptest::{
    collection::vec,
    prelude::{Just, Strategy},
    prop_oneof,
    sample::Index,
};

use crate::{batch::RerunOnly, job::Reason};

/// A job to submit.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) priority: u8,
    pub(super) queue: usize,
    pub(super) max_attempts: u32,
}

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Passed,
    Skipped,
    Not(Reason),
}

impl End {
    /// Why it did not pass.
    pub(super) const fn reason(self) -> Option<Reason> {
        match self {
            Self::Passed | Self::Skipped => None,
            Self::Not(reason) => Some(reason),
        }
    }
}

/// Something that happens. An [`Index`] picks one of what there is at that moment.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Submit {
        owner: usize,
        member: Member,
    },
    SubmitBatch {
        owner: usize,
        members: Vec<Member>,
    },
    Rerun {
        batch: Index,
        only: RerunOnly,
    },
    Claim {
        hand: usize,
        want: u32,
    },
    ClaimIds {
        hand: usize,
        jobs: Vec<Index>,
    },
    /// Reports the ends of leases of a worker, and claims in the same call.
    Exchange {
        hand: usize,
        leases: Vec<(Index, End)>,
        want: u32,
    },
    Finish {
        lease: Index,
        end: End,
    },
    FinishTwice {
        lease: Index,
    },
    /// Repeats or begins what an old token may not do any more.
    UseOldToken {
        lease: Index,
    },
    Release {
        lease: Index,
    },
    Renew {
        hand: usize,
    },
    Cancel {
        job: Index,
    },
    CancelBatch {
        batch: Index,
    },
    /// The worker goes away, and another one comes in its place.
    Close {
        hand: usize,
    },
    Delete {
        job: Index,
    },
    DeleteBatch {
        batch: Index,
    },
}

/// How many workers and owners there are.
pub(super) const HANDS: usize = 3;
pub(super) const OWNERS: usize = 2;

/// The queues that jobs go to.
pub(super) const QUEUES: [&str; 2] = ["default", "other"];

fn member() -> impl Strategy<Value = Member> {
    (0..=10_u8, 0..QUEUES.len(), 1..=3_u32).prop_map(|(priority, queue, max_attempts)| Member {
        priority,
        queue,
        max_attempts,
    })
}

fn index() -> impl Strategy<Value = Index> {
    proptest::arbitrary::any::<Index>()
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        4 => Just(End::Passed),
        2 => Just(End::Skipped),
        3 => Just(End::Not(Reason::ExitCode)),
        1 => Just(End::Not(Reason::Timeout)),
        1 => Just(End::Not(Reason::InputMissing)),
        1 => Just(End::Not(Reason::Canceled)),
    ]
}

/// Any operation; those that move jobs on come more often than those that end them at once.
pub(super) fn any() -> impl Strategy<Value = Operation> {
    let hand = 0..HANDS;
    let only = prop_oneof![Just(RerunOnly::All), Just(RerunOnly::Failed)];
    prop_oneof![
        3 => (0..OWNERS, member()).prop_map(|(owner, member)| Operation::Submit { owner, member }),
        3 => (0..OWNERS, vec(member(), 1..6))
            .prop_map(|(owner, members)| Operation::SubmitBatch { owner, members }),
        1 => (index(), only).prop_map(|(batch, only)| Operation::Rerun { batch, only }),
        8 => (hand.clone(), 1..6_u32).prop_map(|(hand, want)| Operation::Claim { hand, want }),
        2 => (hand.clone(), vec(index(), 1..4))
            .prop_map(|(hand, jobs)| Operation::ClaimIds { hand, jobs }),
        8 => (hand.clone(), vec((index(), end()), 1..4), 1..6_u32)
            .prop_map(|(hand, leases, want)| Operation::Exchange { hand, leases, want }),
        10 => (index(), end()).prop_map(|(lease, end)| Operation::Finish { lease, end }),
        1 => index().prop_map(|lease| Operation::FinishTwice { lease }),
        3 => index().prop_map(|lease| Operation::UseOldToken { lease }),
        2 => index().prop_map(|lease| Operation::Release { lease }),
        1 => hand.clone().prop_map(|hand| Operation::Renew { hand }),
        2 => index().prop_map(|job| Operation::Cancel { job }),
        1 => index().prop_map(|batch| Operation::CancelBatch { batch }),
        2 => hand.prop_map(|hand| Operation::Close { hand }),
        1 => index().prop_map(|job| Operation::Delete { job }),
        1 => index().prop_map(|batch| Operation::DeleteBatch { batch }),
    ]
}
