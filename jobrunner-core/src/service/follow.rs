use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::{
    select,
    time::{Instant, sleep},
};

use super::{
    Service,
    ordered::OrderedLog,
    place::{Followed, FollowedTo, LogPlace},
};
use crate::{Error, Job, JobId, Result, Status, authz::Principal, queue::Wakeup, user::Scope};

/// The shortest and the longest time between two looks at the output of a running command, whose
/// progress nobody announces.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(800)];

/// How long somebody may go on reading after the account was disabled or its password was changed.
const RECHECK: Duration = Duration::from_secs(3);

impl Service {
    /// A job's output as it comes, from a place on, through all further attempts to the job's end.
    /// Ends early when the caller's account is disabled or changed.
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
        self.service.parts.authz.is_current(&self.caller).await
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
