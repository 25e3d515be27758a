use std::{
    collections::{HashMap, HashSet},
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitOptions, getpid, set_child_subreaper, waitpid};

use super::processes::{self, Process};
use crate::JobId;

/// How long what a job left behind may take to be gone once it is killed.
const GONE_LIMIT: Duration = Duration::from_secs(5);

/// How long to wait between two looks at processes that were killed.
const PAUSE: Duration = Duration::from_millis(2);

/// Makes this process the one to which processes are handed whose parent has ended, and keeps track
/// of which job they belong to. So a command that left its process group, its session and its
/// parent behind still ends with its job.
///
/// For a process that runs commands and does nothing else: every child of its first thread that no
/// executor has started is taken for something that a command has left behind. In any other process
/// an executor does without, and follows process groups only.
///
/// Whose an orphan is, is told by the environment it was started with; then by its process group or
/// session, which a command or another orphan may share; else it may be of any of the commands that
/// run when it is found, and is ended when the last of them has.
#[derive(Clone, Debug)]
pub struct Reaper(Arc<Family>);

#[derive(Debug)]
struct Family {
    /// The session of this process, which commands begin in.
    session: i32,
    /// The commands that were started here and are not reaped yet, by process id.
    leaders: Mutex<HashMap<i32, Leader>>,
    /// Orphans that are alive, by id and time of start.
    orphans: Mutex<HashMap<(i32, u64), Orphan>>,
    /// How many commands are just being started.
    starting: AtomicUsize,
    /// Nothing more is to be started.
    closed: AtomicBool,
}

/// One attempt of one job.
pub(super) type Run = (JobId, u32);

#[derive(Debug)]
struct Leader {
    run: Run,
    /// What it has started is to be killed.
    is_over: bool,
}

#[derive(Debug)]
struct Orphan {
    session: i32,
    group: i32,
    /// The runs that may have left it.
    of: HashSet<Run>,
}

/// A command that is about to be started.
pub(super) struct Starting {
    family: Arc<Family>,
}

/// A command that was started. To be dropped when its leader was reaped.
#[derive(Debug)]
pub(super) struct Registered {
    family: Arc<Family>,
    leader: i32,
}

impl Reaper {
    /// Becomes the reaper of what this process starts.
    ///
    /// # Errors
    /// There is no `/proc`.
    pub fn install() -> io::Result<Self> {
        set_child_subreaper(Some(getpid()))?;
        if processes::children_of_first_thread().is_none() {
            tracing::warn!("the kernel does not list children: orphans outlive their jobs");
        }
        // Not from getsid(2): the session may be one of another namespace, and is then numbered 0,
        // which rustix takes for a mistake.
        let own = Process::read(getpid()).ok_or_else(|| io::Error::other("there is no /proc"))?;
        let family = Family {
            session: own.session,
            leaders: Mutex::default(),
            orphans: Mutex::default(),
            starting: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        };
        Ok(Self(Arc::new(family)))
    }

    /// Reaps orphans that have ended and kills those whose jobs have. Call it a few times a second
    /// from any thread; it costs one small file as long as there are none.
    pub fn tidy(&self) {
        self.0.end_ownerless();
    }

    /// Kills all that this process has started and lets nothing more be started. For a process that
    /// is about to end itself: nothing is reaped, and the executors take no end for the end of a
    /// command.
    ///
    /// Blocks for `limit` at most.
    ///
    /// # Errors
    /// Something does not go away.
    pub fn end_everything(&self, limit: Duration) -> io::Result<usize> {
        let deadline = Instant::now() + limit;
        self.0.closed.store(true, Ordering::SeqCst);
        let mut killed = 0;
        loop {
            // In this order: what was being started before the look is seen by the next one.
            let quiet = self.0.starting.load(Ordering::SeqCst) == 0;
            let left = deadline.saturating_duration_since(Instant::now());
            killed += processes::kill_descendants(left, || {})?;
            if quiet {
                return Ok(killed);
            }
            if left.is_zero() {
                let message = "a command is being started and does not get to its end";
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            thread::sleep(PAUSE);
        }
    }

    /// Announces a command; `None` when nothing more is to be started.
    pub(super) fn starting(&self) -> Option<Starting> {
        self.0.starting.fetch_add(1, Ordering::SeqCst);
        let starting = Starting { family: Arc::clone(&self.0) };
        (!self.0.closed.load(Ordering::SeqCst)).then_some(starting)
    }

    /// Whether everything is being ended: how a command ends now says nothing about it.
    pub(super) fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::SeqCst)
    }

    /// Asks all that a run has started to end, wherever it went, those excepted that are in the
    /// leader's own process group.
    ///
    /// Blocks for some milliseconds.
    pub(super) fn terminate(&self, run: Run, leader: Pid) {
        let mut found = processes::descendants(leader).unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot look for what a command has started");
            Vec::new()
        });
        found.extend(self.0.look().into_iter().filter(|(_, of)| only_of(of, run)).map(|(p, _)| p));
        for process in found.iter().filter(|process| process.group != leader.as_raw_pid()) {
            for signal in [Signal::TERM, Signal::CONT] {
                signal_or_note(process, signal);
            }
        }
    }

    /// Kills what a run left behind whose leader has ended, and returns when it is gone.
    ///
    /// **Cancel safety**: what is left is killed by the next [`tidy`](Self::tidy).
    pub(super) async fn end(&self, run: Run) {
        self.0.disown(run);
        let started = Instant::now();
        while self.0.end_ownerless() > 0 {
            if started.elapsed() > GONE_LIMIT {
                tracing::error!(job.id = %run.0, "processes of an ended job cannot be killed");
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The same for a thread that may block.
    pub(super) fn end_blocking(&self, run: Run) {
        self.0.disown(run);
        let started = Instant::now();
        while self.0.end_ownerless() > 0 {
            if started.elapsed() > GONE_LIMIT {
                tracing::error!(job.id = %run.0, "processes of an ended job cannot be killed");
                return;
            }
            thread::sleep(PAUSE);
        }
    }

    /// A run has ended; what it left behind is killed by the next [`tidy`](Self::tidy).
    pub(super) fn abandon(&self, run: Run) {
        self.0.disown(run);
    }
}

impl Starting {
    /// The command was started.
    pub(super) fn started(self, leader: Pid, run: Run) -> Registered {
        let leader = leader.as_raw_pid();
        self.family.leaders().insert(leader, Leader { run, is_over: false });
        Registered { family: Arc::clone(&self.family), leader }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        self.family.starting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.family.leaders().remove(&self.leader);
    }
}

impl Family {
    /// Kills the orphans that no run is left for; answers how many there were.
    fn end_ownerless(&self) -> usize {
        let found = self.look();
        let ownerless = found.iter().filter(|(_, of)| of.is_empty());
        ownerless.inspect(|(process, _)| signal_or_note(process, Signal::KILL)).count()
    }

    fn disown(&self, run: Run) {
        // First, so that an orphan that is found in between is not given to it.
        for leader in self.leaders().values_mut().filter(|leader| leader.run == run) {
            leader.is_over = true;
        }
        for orphan in self.orphans().values_mut() {
            orphan.of.remove(&run);
        }
    }

    /// The orphans that are alive, each with the runs that may have left it. Reaps those that have
    /// ended.
    fn look(&self) -> Vec<(Process, HashSet<Run>)> {
        let Some(children) = processes::children_of_first_thread() else {
            return Vec::new();
        };
        let mut orphans = self.orphans();
        let mut found = Vec::new();
        for id in children {
            if self.leaders().contains_key(&id.as_raw_pid()) {
                continue;
            }
            let Some(process) = Process::read(id) else { continue };
            if process.is_zombie {
                reap(id);
                continue;
            }
            found.push(process);
        }
        let seen: HashSet<_> = found.iter().map(key).collect();
        orphans.retain(|key, _| seen.contains(key));
        found
            .into_iter()
            .map(|process| {
                let known = orphans.get(&key(&process)).map(|orphan| orphan.of.clone());
                let of = known.unwrap_or_else(|| {
                    let of = self.runs_behind(&process, &orphans);
                    let Process { session, group, .. } = process;
                    orphans.insert(key(&process), Orphan { session, group, of: of.clone() });
                    of
                });
                (process, of)
            })
            .collect()
    }

    fn runs_behind(
        &self,
        process: &Process,
        orphans: &HashMap<(i32, u64), Orphan>,
    ) -> HashSet<Run> {
        let leaders = self.leaders();
        let mut running =
            leaders.values().filter(|leader| !leader.is_over).map(|leader| leader.run);
        if let Some((job, attempt)) = process.mark() {
            let marked = job.parse().ok().zip(attempt.parse().ok());
            return running.find(|run| Some(*run) == marked).into_iter().collect();
        }
        if let Some(leader) = leaders.get(&process.group) {
            return if leader.is_over { HashSet::new() } else { HashSet::from([leader.run]) };
        }
        let related = |orphan: &&Orphan| {
            orphan.group == process.group
                || (orphan.session == process.session && process.session != self.session)
        };
        match orphans.values().find(related) {
            Some(relative) => relative.of.clone(),
            None => running.collect(),
        }
    }

    fn leaders(&self) -> MutexGuard<'_, HashMap<i32, Leader>> {
        self.leaders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn orphans(&self) -> MutexGuard<'_, HashMap<(i32, u64), Orphan>> {
        self.orphans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn key(process: &Process) -> (i32, u64) {
    (process.id.as_raw_pid(), process.started)
}

fn only_of(of: &HashSet<Run>, run: Run) -> bool {
    of.iter().all(|other| *other == run)
}

fn reap(id: Pid) {
    if let Err(error) = waitpid(Some(id), WaitOptions::NOHANG) {
        tracing::debug!(process.id = id.as_raw_pid(), %error, "cannot reap an orphan");
    }
}

fn signal_or_note(process: &Process, signal: Signal) {
    if let Err(error) = process.signal(signal) {
        tracing::warn!(process.id = process.id.as_raw_pid(), %error, "cannot signal a process");
    }
}
