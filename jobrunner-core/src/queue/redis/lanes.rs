//! The lanes in Redis: what is kept there, and the scripts that change it.
//!
//! All keys begin with the prefix in braces, so that a cluster keeps them in one place:
//!
//! | key | what |
//! |---|---|
//! | `jobs:QUEUE:OWNER` | sorted set: the lane's jobs, by priority and then by age |
//! | `lanes:OWNER` | sorted set: queues in which the owner has jobs, by virtual time |
//! | `owners` | sorted set: owners that have jobs, by virtual time |
//! | `idle` | sorted set: owners that ran out of jobs a short time ago, by virtual time |
//! | `queues` | hash: the weights of queues, other than 1 |
//! | `weights` | hash: the weights of owners, other than 1 |
//! | `clock` | the virtual time |
//! | `epoch` | exists if the lanes are complete |
//! | `server` | the run id of the server that the lanes were made on |
//! | `rebuilder` | who rebuilds the lanes now; expires |
//! | `rebuilds` | how often the lanes were rebuilt since the server lost everything |

use std::fmt::Display;

use redis::{RedisResult, Script, aio::MultiplexedConnection};
use uuid::Uuid;

use crate::{JobId, UserId, lease::Claimable};

/// How many turns an owner that was not served may be ahead of the others afterwards.
const BURST: u32 = 64;

/// How long a rebuild may take from page to page, in milliseconds.
const HOLD: u32 = 15_000;

/// 2020-01-01 in milliseconds since 1970.
const FIRST_MILLISECOND: u64 = 1_577_836_800_000;

/// A script out of `queries/redis`.
macro_rules! lua {
    ($name:literal) => {
        Script::new(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/queries/redis/",
            $name,
            ".lua"
        )))
    };
}

/// The lanes under one prefix.
pub(super) struct Lanes {
    prefix: String,
    pop: Script,
    push: Script,
    open: Script,
    hold: Script,
    complete: Script,
}

/// A job to be put into its lane.
pub(super) struct Entry<'a> {
    pub(super) job: JobId,
    pub(super) priority: u8,
    pub(super) queue: &'a str,
    pub(super) owner: UserId,
    /// That of the queue and that of the owner; `None` if they are not known here.
    pub(super) weights: Option<(f64, f64)>,
}

impl<'a> From<&'a Claimable> for Entry<'a> {
    fn from(claimable: &'a Claimable) -> Self {
        let Claimable { job, priority, queue, owner, weight, owner_weight } = claimable;
        let weights = Some((*weight, *owner_weight));
        Self { job: *job, priority: *priority, queue, owner: *owner, weights }
    }
}

impl Entry<'_> {
    /// Orders a lane: by priority, 10 first, then by the time of submission in milliseconds; Redis
    /// orders what is equal by the id. Exact, since it is less than 2^53.
    fn score(&self) -> u64 {
        let priority = 10 - u64::from(self.priority.min(10));
        (priority << 40) + age(self.job.as_uuid()).min((1 << 40) - 1)
    }

    fn is_beside(&self, other: &Self) -> bool {
        (self.queue, self.owner, self.weights) == (other.queue, other.owner, other.weights)
    }
}

/// When an id was made, in milliseconds since 2020.
fn age(id: Uuid) -> u64 {
    let made = id.get_timestamp().map_or(0, |made| {
        let (seconds, nanos) = made.to_unix();
        seconds * 1000 + u64::from(nanos / 1_000_000)
    });
    made.saturating_sub(FIRST_MILLISECOND)
}

impl Lanes {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            prefix: format!("{{{prefix}}}"),
            pop: lua!("pop"),
            push: lua!("push"),
            open: lua!("open"),
            hold: lua!("hold"),
            complete: lua!("complete"),
        }
    }

    /// The name of a key or a channel.
    pub(super) fn key(&self, name: impl Display) -> String {
        format!("{}:{name}", self.prefix)
    }

    /// Takes the next jobs. `None` when the lanes are not complete.
    pub(super) async fn pop(
        &self,
        redis: &mut MultiplexedConnection,
        queues: &[String],
        want: u32,
    ) -> RedisResult<Option<Vec<JobId>>> {
        let mut call = self.pop.prepare_invoke();
        for key in ["epoch", "queues", "weights", "clock", "owners", "idle"] {
            call.key(self.key(key));
        }
        call.arg(&self.prefix).arg(want).arg(BURST).arg(queues);
        let jobs: Option<Vec<String>> = call.invoke_async(redis).await?;
        Ok(jobs.map(|jobs| jobs.iter().filter_map(|job| job.parse().ok()).collect()))
    }

    /// Puts jobs into their lanes, in groups that keep the server for a few milliseconds at most.
    pub(super) async fn push(
        &self,
        redis: &mut MultiplexedConnection,
        entries: &[Entry<'_>],
    ) -> RedisResult<()> {
        const GROUP: usize = 500;
        for group in entries.chunks(GROUP) {
            let mut call = self.push.prepare_invoke();
            for key in ["queues", "weights", "clock", "owners", "idle"] {
                call.key(self.key(key));
            }
            call.arg(&self.prefix);
            for lane in group.chunk_by(Entry::is_beside) {
                let Some(Entry { queue, owner, weights, .. }) = lane.first() else { continue };
                let text = |weight: f64| weight.to_string();
                let [queue_weight, owner_weight] = match weights {
                    Some((queue, owner)) => [text(*queue), text(*owner)],
                    None => [String::new(), String::new()],
                };
                call.arg(*queue).arg(owner.to_string()).arg(queue_weight).arg(owner_weight);
                call.arg(lane.len());
                for entry in lane {
                    call.arg(entry.score()).arg(entry.job.to_string());
                }
            }
            call.invoke_async::<()>(redis).await?;
        }
        Ok(())
    }

    /// Makes sure that the server takes writes, and that the lanes were made in its present life.
    pub(super) async fn open(&self, redis: &mut MultiplexedConnection) -> RedisResult<()> {
        let info: String = redis::cmd("INFO").arg("server").query_async(redis).await?;
        let run = info.lines().find_map(|line| line.strip_prefix("run_id:")).unwrap_or_default();
        let mut call = self.open.prepare_invoke();
        call.key(self.key("epoch")).key(self.key("server")).key(self.key("rebuilder"));
        call.arg(run.trim()).invoke_async(redis).await
    }

    /// Declares the lanes incomplete; a rebuild that is under way starts again.
    pub(super) async fn forget(&self, redis: &mut MultiplexedConnection) -> RedisResult<()> {
        let keys = [self.key("epoch"), self.key("rebuilder")];
        redis::cmd("DEL").arg(&keys).query_async(redis).await
    }

    pub(super) async fn are_complete(
        &self,
        redis: &mut MultiplexedConnection,
    ) -> RedisResult<bool> {
        redis::cmd("EXISTS").arg(self.key("epoch")).query_async(redis).await
    }

    /// Begins a rebuild, or begins again, if nobody else is at it.
    pub(super) async fn begin(
        &self,
        redis: &mut MultiplexedConnection,
        who: &str,
    ) -> RedisResult<bool> {
        let mut set = redis::cmd("SET");
        set.arg(self.key("rebuilder")).arg(who).arg("NX").arg("PX").arg(HOLD);
        let answer: Option<String> = set.query_async(redis).await?;
        Ok(answer.is_some() || self.hold(redis, who).await?)
    }

    /// Goes on with a rebuild, if it is still the caller's.
    pub(super) async fn hold(
        &self,
        redis: &mut MultiplexedConnection,
        who: &str,
    ) -> RedisResult<bool> {
        let mut call = self.hold.prepare_invoke();
        call.key(self.key("rebuilder")).arg(who).arg(HOLD).invoke_async(redis).await
    }

    /// Ends a rebuild, if it is still the caller's: the lanes are complete.
    pub(super) async fn complete(
        &self,
        redis: &mut MultiplexedConnection,
        who: &str,
    ) -> RedisResult<bool> {
        let mut call = self.complete.prepare_invoke();
        for key in ["epoch", "rebuilder", "rebuilds"] {
            call.key(self.key(key));
        }
        call.arg(who).invoke_async(redis).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_in_the_order_of_priority_and_then_of_submission() {
        let entry = |job, priority| Entry {
            job,
            priority,
            queue: "default",
            owner: UserId::new(),
            weights: None,
        };
        let (one, other) = (JobId::new(), JobId::new());
        assert!(entry(one, 5).score() <= entry(other, 5).score());
        assert!(entry(other, 10).score() < entry(one, 9).score());
        let (first, last) = (JobId::from(Uuid::nil()), JobId::from(Uuid::max()));
        assert!(entry(first, 4).score() > entry(last, 5).score(), "whatever the ids are");
        assert!(entry(last, 0).score() < 1 << 53);
    }
}
