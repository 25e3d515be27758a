use std::{collections::VecDeque, fmt, str::FromStr, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::{
    select,
    time::{Instant, sleep},
};

use super::{Service, ordered::OrderedLog};
use crate::{
    Error, Job, JobId, Result, Status, Violation,
    authz::{Principal, Scope},
    log::Stream,
    queue::Wakeup,
};

/// The shortest and the longest time between two looks at the output of a running command, whose
/// progress nobody announces.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(800)];

/// How long somebody may go on reading after the account was disabled or its password was changed.
const RECHECK: Duration = Duration::from_secs(3);

/// How far a job's output has been read, as `ATTEMPT:STDOUT:STDERR`: the attempt, and how many bytes
/// its command had written to each stream. An empty text is the beginning, as in the specification
/// of event streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogPlace {
    /// Which attempt; 0 is the beginning of the last one there is.
    pub attempt: u32,
    /// The offset in descriptor 1.
    pub stdout: u64,
    /// The offset in descriptor 2.
    pub stderr: u64,
}

impl fmt::Display for LogPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.attempt, self.stdout, self.stderr)
    }
}

impl FromStr for LogPlace {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let wrong = || Violation::new("Last-Event-ID", "must be the id of an event, unchanged");
        let mut parts = text.trim().splitn(3, ':');
        let mut next = || parts.next().and_then(|part| part.parse().ok());
        let (attempt, stdout, stderr) = (next(), next(), next());
        let attempt = attempt.and_then(|attempt: u64| u32::try_from(attempt).ok());
        match (attempt, stdout, stderr) {
            (Some(attempt), Some(stdout), Some(stderr)) => Ok(Self { attempt, stdout, stderr }),
            _ => Err(wrong()),
        }
    }
}

impl LogPlace {
    pub(super) const fn of(&mut self, stream: Stream) -> &mut u64 {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }
}

/// What happens to a job that somebody follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// Its command has written something.
    Output {
        /// To which stream.
        stream: Stream,
        /// How many bytes it had written to it before.
        offset: u64,
        /// What it wrote. While it runs, a character of UTF-8 is not cut in two.
        bytes: Bytes,
    },
    /// Part of what it wrote was not kept.
    Gap {
        /// Of which stream.
        stream: Stream,
        /// Where the kept head ends.
        from: u64,
        /// Where the kept tail starts.
        to: u64,
    },
    /// It stands differently, or another attempt was started.
    Status(Status),
    /// It has ended so, and everything was told.
    End(Status),
}

/// An event with the place behind it, from which to go on after it.
pub type FollowedTo = (LogPlace, Followed);

impl Service {
    /// A job's output as it comes, from a place on, through all further attempts to the job's end. Ends
    /// early when the caller's account is disabled or changed.
    ///
    /// **Cancel safety**: dropping the stream is all it takes to stop.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound). Later errors are items of the stream, and its last ones.
    pub async fn follow(
        &self,
        caller: &Principal,
        id: JobId,
        from: LogPlace,
    ) -> Result<BoxStream<'static, Result<FollowedTo>>> {
        let wakeups = self.parts.queue.wakeups();
        self.job(caller, id).await?;
        let follower = Follower {
            service: self.clone(),
            caller: Arc::new(caller.clone()),
            id,
            wakeups,
            place: from,
            told: None,
            ready: VecDeque::new(),
            pause: PAUSES[0],
            checked: Instant::now(),
            is_over: false,
        };
        Ok(stream::try_unfold(follower, Follower::next).boxed())
    }

    /// Whether a caller could still be authenticated as before.
    pub(super) async fn is_current(&self, caller: &Principal) -> Result<bool> {
        let account = self.parts.store.signed_in_account(caller.id, caller.sign_in).await?;
        Ok(account.is_some_and(|account| {
            account.user.is_active
                && account.user.role == caller.role
                && account.token_version == caller.token_version
        }))
    }
}

struct Follower {
    service: Service,
    caller: Arc<Principal>,
    id: JobId,
    wakeups: BoxStream<'static, Wakeup>,
    place: LogPlace,
    /// What was last told of how it stands.
    told: Option<(Status, u32)>,
    ready: VecDeque<FollowedTo>,
    pause: Duration,
    checked: Instant,
    is_over: bool,
}

impl Follower {
    async fn next(mut self) -> Result<Option<(FollowedTo, Self)>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some((event, self)));
            }
            if self.is_over || !self.may_go_on().await? {
                return Ok(None);
            }
            self.look().await?;
            if self.ready.is_empty() {
                self.wait().await;
            } else {
                self.pause = PAUSES[0];
            }
        }
    }

    async fn may_go_on(&mut self) -> Result<bool> {
        if self.checked.elapsed() < RECHECK {
            return Ok(true);
        }
        self.checked = Instant::now();
        self.service.is_current(&self.caller).await
    }

    /// Gathers what is new.
    async fn look(&mut self) -> Result<()> {
        // The job first: what it wrote before it ended is there when it is known to have ended.
        let store = &self.service.parts.store;
        let job = store.job(self.id, Scope::All).await?.ok_or(Error::NotFound("job"))?;
        if self.place.attempt == 0 {
            self.place.attempt = job.attempt;
        }
        if self.told != Some((job.status, job.attempt)) && self.place.attempt == job.attempt {
            self.told = Some((job.status, job.attempt));
            if !job.status.is_terminal() {
                self.ready.push_back((self.place, Followed::Status(job.status)));
            }
        }
        let is_behind = self.place.attempt < job.attempt;
        let is_final = is_behind || job.status != Status::Running;
        if self.place.attempt > 0 && self.read(is_final).await? {
            return Ok(());
        }
        if is_behind {
            self.place = LogPlace { attempt: self.place.attempt + 1, ..LogPlace::default() };
            return Box::pin(self.look()).await;
        }
        self.end(&job);
        Ok(())
    }

    fn end(&mut self, job: &Job) {
        if job.status.is_terminal() && self.ready.is_empty() {
            self.ready.push_back((self.place, Followed::End(job.status)));
            self.is_over = true;
        }
    }

    /// Reads the next output of the attempt; whether there was anything.
    async fn read(&mut self, is_final: bool) -> Result<bool> {
        let store = Arc::clone(&self.service.parts.store);
        let mut log = OrderedLog::new(store, self.id, self.place);
        self.ready.extend(log.read(is_final).await?);
        let has_more = log.place() != self.place;
        self.place = log.place();
        Ok(has_more)
    }

    /// Waits until there may be something new.
    async fn wait(&mut self) {
        let deadline = sleep(self.pause);
        tokio::pin!(deadline);
        self.pause = (self.pause * 2).min(PAUSES[1]);
        loop {
            select! {
                () = &mut deadline => return,
                Some(wakeup) = self.wakeups.next() => match wakeup {
                    Wakeup::Changed { job: Some(job), .. } if job != self.id => {}
                    Wakeup::Work | Wakeup::Cancel => {}
                    Wakeup::Changed { .. } | Wakeup::Lagged => return,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_from_its_text() {
        let place = LogPlace { attempt: 2, stdout: 10, stderr: u64::MAX };
        assert_eq!(place.to_string().parse(), Ok(place));
        assert_eq!("".parse(), Ok(LogPlace::default()), "an empty id is the beginning");
        for wrong in ["1", "1:2", "1:2:x", "-1:0:0", "4294967296:0:0", "1:2:3:4"] {
            assert!(wrong.parse::<LogPlace>().is_err(), "{wrong}");
        }
    }
}
