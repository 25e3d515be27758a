//! Whose job is next.

use std::collections::{HashMap, HashSet};

use jobrunner_core::{
    Error, JobId, Result, UserId,
    executor::Run,
    lease::{Claim, Leased, Pick},
    store::engine::{
        fair::{self, Lane},
        tally::Tally,
        values::number,
    },
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::state::{Entry, LaneEntry, State, now};

/// In one session, those that have lost a worker are leased so far apart, in milliseconds.
const APART: i64 = 500;

impl State {
    /// Leases what is to be claimed.
    pub(crate) fn claim(
        &mut self,
        Claim { session, pick }: Claim,
        tally: &mut Tally,
    ) -> Result<Vec<Leased>> {
        let known = self.sessions.get(&session).filter(|it| it.expires_at > Instant::now());
        let known = known.ok_or(Error::NotFound("session"))?;
        let host = known.of.host.clone();
        if known.draining {
            return Ok(Vec::new());
        }
        self.promote(session);
        let (queues, want, proposed) = match pick {
            Pick::Fair { queues, want } => (queues, want as usize, None),
            Pick::Ids(ids) => (Vec::new(), ids.len(), Some(ids)),
        };
        let mut lanes = self.open_lanes(&queues, &host)?;
        fair::order(&mut lanes);
        let heads: Vec<Vec<Uuid>> = match proposed {
            None => lanes.iter().map(|lane| self.heads(lane, want, &host)).collect(),
            Some(ids) => self.among(&lanes, ids, &host),
        };
        let chosen = fair::share(&mut lanes, &heads, want);
        let mut leased = Vec::with_capacity(chosen.len());
        for id in chosen.into_iter().map(JobId::from) {
            let lease = self.lease(id, session, &host, tally)?;
            let job = &self.jobs[&id];
            let (owner, batch, attempt) = (job.owner, job.batch, number(job.charged)?);
            let run = Run { job: id, owner, batch, attempt, spec: job.spec.clone() };
            leased.push(Leased { lease, run });
        }
        for lane in lanes {
            self.lanes[number::<usize>(lane.id)?].vtime = lane.vtime;
        }
        Ok(leased)
    }

    /// Makes jobs claimable whose time has come; of those that have lost a worker one at a time,
    /// and none soon after another one in the same session.
    fn promote(&mut self, session: jobrunner_core::SessionId) {
        let now = now();
        let is_recent = |lease: &crate::state::Lease| {
            lease.session == session && lease.losses > 0 && lease.claimed_at > now - APART
        };
        let mut may_be_lost = !self.leases.values().any(is_recent);
        let due: Vec<JobId> = self
            .deferred
            .range(..=(now, JobId::from(Uuid::max())))
            .map(|(_, id)| *id)
            .filter(|id| self.jobs[id].losses == 0 || std::mem::take(&mut may_be_lost))
            .collect();
        for id in due {
            self.withdraw(id);
            self.wait(id, None);
        }
    }

    /// The lanes that something can be claimed of.
    fn open_lanes(&self, queues: &[String], host: &str) -> Result<Vec<Lane>> {
        let mut running: HashMap<UserId, i64> = HashMap::new();
        for lease in self.leases.values() {
            *running.entry(self.jobs[&lease.job].owner).or_default() += 1;
        }
        let mut lanes = Vec::new();
        for (id, lane) in (0..).zip(&self.lanes) {
            let queue = &self.queues[&lane.queue];
            let account = self.accounts.get(&lane.owner);
            let is_served = queues.is_empty() || queues.contains(&lane.queue);
            let is_active = account.is_none_or(|account| account.user.is_active);
            let limit = account.and_then(|account| account.user.max_running_jobs);
            let runs = running.get(&lane.owner).copied().unwrap_or(0);
            let allowance = limit.map(|limit| i64::from(limit) - runs);
            if is_served
                && is_active
                && !queue.paused
                && allowance.is_none_or(|left| left > 0)
                && self.claimable(lane, host).next().is_some()
            {
                let (owner, weight) = (lane.owner.as_uuid(), queue.weight);
                lanes.push(Lane { id, owner, vtime: lane.vtime, weight, allowance });
            }
        }
        Ok(lanes)
    }

    fn claimable<'a>(
        &'a self,
        lane: &'a LaneEntry,
        host: &str,
    ) -> impl Iterator<Item = JobId> + 'a {
        let (host, now) = (host.to_owned(), now());
        let ids = lane.ready.iter().map(|(_, id)| *id);
        ids.filter(move |id| may_run_on(&self.jobs[id], &host, now))
    }

    fn heads(&self, lane: &Lane, want: usize, host: &str) -> Vec<Uuid> {
        let lane = usize::try_from(lane.id).ok().and_then(|id| self.lanes.get(id));
        let Some(lane) = lane else { return Vec::new() };
        self.claimable(lane, host).take(want).map(JobId::as_uuid).collect()
    }

    /// Those of the proposed jobs that can be claimed, lane by lane.
    fn among(&self, lanes: &[Lane], proposed: Vec<JobId>, host: &str) -> Vec<Vec<Uuid>> {
        let (mut seen, now) = (HashSet::new(), now());
        let mut heads: HashMap<i64, Vec<Uuid>> = HashMap::new();
        for id in proposed.into_iter().filter(|id| seen.insert(*id)) {
            let Some(job) = self.jobs.get(&id) else { continue };
            let place = (10 - job.spec.priority, id);
            if self.lanes[job.lane].ready.contains(&place) && may_run_on(job, host, now) {
                let lane = i64::try_from(job.lane).unwrap_or(i64::MAX);
                heads.entry(lane).or_default().push(id.as_uuid());
            }
        }
        lanes.iter().map(|lane| heads.remove(&lane.id).unwrap_or_default()).collect()
    }
}

fn may_run_on(job: &Entry, host: &str, now: i64) -> bool {
    job.avoid.as_ref().is_none_or(|(avoided, until)| avoided != host || *until <= now)
}
