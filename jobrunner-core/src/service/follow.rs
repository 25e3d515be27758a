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

use super::Service;
use crate::{
    Error, Job, JobId, Result, Status, Violation,
    authz::{Principal, Scope},
    log::{LogKey, Stream},
    queue::Wakeup,
};

/// How much of a stream is read from the store at a time.
const READ_BYTES: usize = 64 * 1024;

/// The shortest and the longest time between two looks at the output of a running command, whose
/// progress nobody announces.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(800)];

/// How long somebody may go on reading after the account was disabled or its password was changed.
const RECHECK: Duration = Duration::from_secs(3);

/// How far a job's output has been read, as `ATTEMPT:STDOUT:STDERR`: the attempt, and how many bytes its
/// command had written to each stream.
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
    const fn of(&mut self, stream: Stream) -> &mut u64 {
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

    /// Reads a part of each stream of the attempt; whether there was anything.
    async fn read(&mut self, is_final: bool) -> Result<bool> {
        let key = LogKey { job: self.id, attempt: self.place.attempt };
        let before = self.ready.len();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let from = *self.place.of(stream);
            let store = &self.service.parts.store;
            for chunk in store.read_log(key, stream, from, READ_BYTES).await? {
                let place = *self.place.of(stream);
                if chunk.offset > place {
                    *self.place.of(stream) = chunk.offset;
                    let gap = Followed::Gap { stream, from: place, to: chunk.offset };
                    self.ready.push_back((self.place, gap));
                }
                let skipped = usize::try_from(place.saturating_sub(chunk.offset));
                let skipped = skipped.unwrap_or(usize::MAX).min(chunk.bytes.len());
                let mut bytes = chunk.bytes.slice(skipped..);
                if !is_final {
                    bytes.truncate(whole_characters(&bytes));
                }
                if bytes.is_empty() {
                    continue;
                }
                let offset = *self.place.of(stream);
                *self.place.of(stream) += bytes.len() as u64;
                self.ready.push_back((self.place, Followed::Output { stream, offset, bytes }));
            }
        }
        Ok(self.ready.len() > before)
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

/// How many of the bytes do not belong to a character of UTF-8 that is cut off at their end.
fn whole_characters(bytes: &[u8]) -> usize {
    let is_start = |byte: u8| byte & 0b1100_0000 != 0b1000_0000;
    let tail = bytes.len().saturating_sub(3)..bytes.len();
    for place in tail.rev() {
        let wanted = match bytes[place] {
            byte if byte >= 0b1111_0000 => 4,
            byte if byte >= 0b1110_0000 => 3,
            byte if byte >= 0b1100_0000 => 2,
            byte if is_start(byte) => return bytes.len(),
            _ => continue,
        };
        return if bytes.len() - place < wanted { place } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_is_cut_off_is_held_back() {
        let text = "aü世🦀".as_bytes();
        let whole: Vec<usize> =
            (0..=text.len()).map(|end| whole_characters(&text[..end])).collect();
        assert_eq!(whole, [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10]);
        assert_eq!(whole_characters(b"a\xff\xfe"), 2, "what looks like a beginning is waited for");
        assert_eq!(whole_characters(b"\x80\x80\x80\x80"), 4, "what is no character is not");
    }

    #[test]
    fn a_place_is_read_back_from_its_text() {
        let place = LogPlace { attempt: 2, stdout: 10, stderr: u64::MAX };
        assert_eq!(place.to_string().parse(), Ok(place));
        for wrong in ["", "1", "1:2", "1:2:x", "-1:0:0", "4294967296:0:0", "1:2:3:4"] {
            assert!(wrong.parse::<LogPlace>().is_err(), "{wrong}");
        }
    }
}
