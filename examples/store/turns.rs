//! What waits where, and whose turn it is.

use std::collections::{BTreeMap, BTreeSet};

use jobrunner_core::{
    JobId, Result, UserId,
    lease::QueueState,
    store::engine::{
        fair::{self, Lane, Owner},
        values::{number, stored, time},
    },
};
use uuid::Uuid;

use crate::state::{Entry, Lease, State, now};

pub(crate) struct QueueEntry {
    pub(crate) paused: bool,
    pub(crate) weight: f64,
    /// Whether somebody has ever changed it, so that it is not forgotten.
    pub(crate) is_set_up: bool,
    /// Since when it is known to have no open job.
    unused_since: Option<i64>,
}

/// How far an owner's turns are.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) vtime: f64,
    pub(crate) weight: f64,
}

impl Default for Turn {
    fn default() -> Self {
        Self { vtime: 0.0, weight: 1.0 }
    }
}

pub(crate) struct LaneEntry {
    pub(crate) queue: String,
    pub(crate) owner: UserId,
    /// Among the lanes of its owner.
    vtime: f64,
    /// What can be claimed: by priority, 10 first, then in the order of submission.
    pub(crate) ready: BTreeSet<(u8, JobId)>,
}

impl Entry {
    /// Its place in its lane.
    pub(crate) fn place(&self, id: JobId) -> (u8, JobId) {
        (10 - self.spec.priority, id)
    }
}

impl State {
    /// The lane of an owner in a queue, which is there from now on.
    pub(crate) fn lane(&mut self, owner: UserId, queue: &str) -> usize {
        let fresh =
            || QueueEntry { paused: false, weight: 1.0, is_set_up: false, unused_since: None };
        self.queues.entry(queue.to_owned()).or_insert_with(fresh);
        let known = self.lanes.iter().position(|lane| lane.owner == owner && lane.queue == queue);
        known.unwrap_or_else(|| {
            let queue = queue.to_owned();
            self.lanes.push(LaneEntry { queue, owner, vtime: 0.0, ready: BTreeSet::new() });
            self.lanes.len() - 1
        })
    }

    /// A job can be claimed, from that time on if there is one; a suspect waits for one always.
    pub(crate) fn wait(&mut self, id: JobId, due: Option<i64>) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.deferred = due;
        match due {
            Some(due) => self.deferred.insert((due, id)),
            None => self.lanes[job.lane].ready.insert(job.place(id)),
        };
    }

    /// A job cannot be claimed any more.
    pub(crate) fn withdraw(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        self.lanes[job.lane].ready.remove(&job.place(id));
        if let Some(due) = job.deferred.take() {
            self.deferred.remove(&(due, id));
        }
    }

    /// Jobs whose time has come, the one that has waited longest first.
    pub(crate) fn due(&self) -> impl Iterator<Item = JobId> {
        self.deferred.range(..=(now(), JobId::from(Uuid::max()))).map(|(_, id)| *id)
    }

    pub(crate) fn turn(&self, owner: UserId) -> Turn {
        self.turns.get(&owner).copied().unwrap_or_default()
    }

    /// How many more jobs an owner may have running: none while the account is disabled.
    pub(crate) fn allowance(&self, owner: UserId) -> Option<i64> {
        let user = &self.accounts.get(&owner)?.user;
        if !user.is_active {
            return Some(0);
        }
        let running = self.leases.values().filter(|lease| self.jobs[&lease.job].owner == owner);
        Some(i64::from(user.max_running_jobs?) - stored(running.count() as u64))
    }

    /// Hands out up to `want` turns among the jobs that may be claimed of each lane.
    pub(crate) fn take_turns(
        &mut self,
        want: usize,
        heads: impl Fn(&Self, &LaneEntry) -> Vec<JobId>,
    ) -> Result<Vec<JobId>> {
        let mut active: BTreeMap<UserId, Vec<(i64, &LaneEntry)>> = BTreeMap::new();
        for (id, lane) in (0..).zip(&self.lanes) {
            if !lane.ready.is_empty() && !self.queues[&lane.queue].paused {
                active.entry(lane.owner).or_default().push((id, lane));
            }
        }
        let least = bound(active.keys().map(|owner| self.turn(*owner)));
        let (mut owners, mut lanes) = (Vec::new(), Vec::new());
        for (of, its) in active {
            let (owner, allowance) = (of.as_uuid(), self.allowance(of));
            let Turn { vtime, weight } = self.turn(of);
            owners.push(Owner { id: owner, vtime: vtime.max(least), weight, allowance });
            let turn = |lane: &LaneEntry| Turn {
                vtime: lane.vtime,
                weight: self.queues[&lane.queue].weight,
            };
            let least = bound(its.iter().map(|(_, lane)| turn(lane)));
            let is_one_of_several = its.len() > 1;
            for (id, lane) in its {
                let Turn { vtime, weight } = turn(lane);
                let heads = heads(self, lane).into_iter().map(JobId::as_uuid).collect();
                let vtime = vtime.max(least);
                lanes.push(Lane { id, owner, vtime, weight, is_one_of_several, heads });
            }
        }
        let chosen = fair::share(&mut owners, &mut lanes, want);
        for owner in owners {
            self.turns.entry(owner.id.into()).or_default().vtime = owner.vtime;
        }
        for lane in lanes {
            self.lanes[number::<usize>(lane.id)?].vtime = lane.vtime;
        }
        Ok(chosen.into_iter().map(JobId::from).collect())
    }

    /// A queue as it stands.
    pub(crate) fn queue(&self, name: &str, queue: &QueueEntry) -> Result<QueueState> {
        let lanes = self.lanes.iter().filter(|lane| lane.queue == *name);
        let ready: Vec<_> = lanes.flat_map(|lane| &lane.ready).collect();
        let oldest = ready.iter().map(|(_, id)| self.jobs[id].created_at).min();
        let runs = |lease: &&Lease| self.jobs[&lease.job].spec.queue == *name;
        Ok(QueueState {
            name: name.to_owned(),
            paused: queue.paused,
            weight: queue.weight,
            waiting: ready.len() as u64,
            running: self.leases.values().filter(runs).count() as u64,
            oldest_waiting_at: oldest.map(time).transpose()?,
        })
    }

    /// Forgets the queues that have had no open job for so many milliseconds; how many.
    pub(crate) fn forget_queues(&mut self, unused: i64) -> u64 {
        let (now, before) = (now(), self.queues.len());
        let open = self.jobs.values().filter(|job| !job.status.is_terminal());
        let used: BTreeSet<&str> = open.map(|job| job.spec.queue.as_str()).collect();
        self.queues.retain(|name, queue| {
            let is_used = queue.is_set_up || used.contains(name.as_str());
            let since = (!is_used).then(|| queue.unused_since.unwrap_or(now));
            queue.unused_since = since;
            since.is_none_or(|since| since > now.saturating_sub(unused))
        });
        (before - self.queues.len()) as u64
    }
}

/// The virtual time that those who were idle begin at again: one step of the slowest behind the
/// most advanced.
fn bound(active: impl Iterator<Item = Turn>) -> f64 {
    let (most, step) = active.fold((0.0_f64, 0.0_f64), |(most, step), turn| {
        (most.max(turn.vtime), step.max(1.0 / turn.weight))
    });
    most - step
}
