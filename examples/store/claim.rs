//! Whose job is next.

use std::collections::HashSet;

use jobrunner_core::{
    Error, JobId, Result, SessionId,
    executor::Run,
    lease::{Claim, Leased, Pick},
    store::engine::{tally::Tally, values::number},
};
use tokio::time::Instant;

use crate::state::{Entry, Lease, State, now};

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
        // Nothing is leased beside a suspect.
        let is_alone = self.of_session(session).any(|lease| self.jobs[&lease.job].alone);
        if known.draining || is_alone {
            return Ok(Vec::new());
        }
        self.promote(session);
        let chosen = match pick {
            Pick::Ids(ids) => self.proposed(ids, &host)?,
            Pick::Fair { queues, want } => {
                let mut chosen = self.next(&queues, want as usize, &host)?;
                if chosen.is_empty() && want > 0 {
                    chosen.extend(self.suspect(session, &queues));
                }
                chosen
            }
        };
        let mut leased = Vec::with_capacity(chosen.len());
        for id in chosen {
            let lease = self.lease(id, session, &host, tally)?;
            let job = &self.jobs[&id];
            let (owner, batch, attempt) = (job.owner, job.batch, number(job.charged)?);
            let run = Run { job: id, owner, batch, attempt, spec: job.spec.clone() };
            leased.push(Leased { lease, run });
        }
        Ok(leased)
    }

    fn of_session(&self, session: SessionId) -> impl Iterator<Item = &Lease> {
        self.leases.values().filter(move |lease| lease.session == session)
    }

    /// Makes jobs claimable whose time has come, but for suspects; of those that have lost a worker
    /// one at a time, and none soon after another one in the same session.
    fn promote(&mut self, session: SessionId) {
        let now = now();
        let is_recent = |lease: &Lease| lease.losses > 0 && lease.claimed_at > now - APART;
        let mut may_be_lost = !self.of_session(session).any(is_recent);
        let others = self.due().map(|id| (id, &self.jobs[&id])).filter(|(_, job)| !job.alone);
        let due = others.filter(|(_, job)| job.losses == 0 || std::mem::take(&mut may_be_lost));
        let due: Vec<JobId> = due.map(|(id, _)| id).collect();
        for id in due {
            self.withdraw(id);
            self.wait(id, None);
        }
    }

    /// The jobs whose turn it is in these queues; none is all.
    fn next(&mut self, queues: &[String], want: usize, host: &str) -> Result<Vec<JobId>> {
        let now = now();
        self.take_turns(want, |state, lane| {
            let is_served = is_served(&lane.queue, queues);
            let ids = lane.ready.iter().map(|(_, id)| *id).filter(|_| is_served);
            ids.filter(|id| may_run_on(&state.jobs[id], host, now)).take(want).collect()
        })
    }

    /// Those of the proposed jobs that can be claimed and whose turn it is.
    fn proposed(&mut self, mut ids: Vec<JobId>, host: &str) -> Result<Vec<JobId>> {
        let (now, mut seen) = (now(), HashSet::new());
        ids.retain(|id| seen.insert(*id));
        self.take_turns(ids.len(), |state, lane| {
            let jobs = ids.iter().filter_map(|id| Some((*id, state.jobs.get(id)?)));
            let here = jobs.filter(|(id, job)| lane.ready.contains(&job.place(*id)));
            here.filter(|(_, job)| may_run_on(job, host, now)).map(|(id, _)| id).collect()
        })
    }

    /// The suspect that has waited longest, if a session without leases may run one; that is a turn
    /// of its owner, too.
    fn suspect(&mut self, session: SessionId, queues: &[String]) -> Option<JobId> {
        if self.of_session(session).next().is_some() {
            return None;
        }
        let may_run = |id: &JobId| {
            let Entry { alone, spec, owner, .. } = &self.jobs[id];
            *alone
                && is_served(&spec.queue, queues)
                && !self.queues[&spec.queue].paused
                && self.allowance(*owner).is_none_or(|left| left > 0)
        };
        let id = self.due().find(may_run)?;
        let turn = self.turns.entry(self.jobs[&id].owner).or_default();
        turn.vtime += 1.0 / turn.weight;
        Some(id)
    }
}

fn is_served(queue: &str, queues: &[String]) -> bool {
    queues.is_empty() || queues.iter().any(|served| served == queue)
}

fn may_run_on(job: &Entry, host: &str, now: i64) -> bool {
    job.avoid.as_ref().is_none_or(|(avoided, until)| avoided != host || *until <= now)
}
