use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    process::{Child, ExitStatus},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    process::{
        Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open,
        test_kill_process_group, waitid,
    },
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    task::spawn_blocking,
    time::{sleep, timeout},
};

use super::{
    cgroup::ControlGroup,
    reaper::{Reaper, Registered, Run},
};

/// How long to wait for killed members of a group to be gone from the process table. Usually they
/// are within a millisecond; but where the first process of a container reaps nobody, orphans stay
/// there as zombies for ever, and waiting longer would not help.
const GONE_LIMIT: Duration = Duration::from_millis(100);

/// All that a command has started: its process group, whose leader is a child of ours, and, where
/// there is a reaper, what has left the group. Whatever happens, it is killed before this value is
/// gone.
///
/// The leader is reaped last. Until then its process id, which is also the group's, cannot be given
/// to somebody else, so a signal to the group can only reach what the leader started.
pub(super) struct Tree {
    /// `None` once it was reaped or handed over to be reaped later.
    leader: Option<Leader>,
    id: Pid,
    orphans: Option<Orphans>,
    group: Option<ControlGroup>,
    unreaped: Unreaped,
}

/// Who collects what has left the group, and under which name.
#[derive(Clone)]
struct Orphans {
    reaper: Reaper,
    run: Run,
}

/// A child, and what says that it is one until it was reaped.
#[derive(Debug)]
struct Leader {
    child: Child,
    registered: Option<Registered>,
}

impl Tree {
    /// The tree of a child that was spawned as the leader of a new process group, and into a
    /// control group if there is one.
    pub(super) fn of(child: Child, group: Option<ControlGroup>, unreaped: Unreaped) -> Self {
        let id = Pid::from_child(&child);
        let leader = Some(Leader { child, registered: None });
        Self { leader, id, orphans: None, group, unreaped }
    }

    /// The same, together with what will have left the group.
    pub(super) fn with_orphans(
        mut self,
        reaper: &Reaper,
        run: Run,
        register: impl FnOnce(Pid) -> Registered,
    ) -> Self {
        if let Some(leader) = &mut self.leader {
            leader.registered = Some(register(self.id));
        }
        self.orphans = Some(Orphans { reaper: reaper.clone(), run });
        self
    }

    /// Whether this process kills all that it has started, without regard to whose it is.
    pub(super) fn is_closed(&self) -> bool {
        self.orphans.as_ref().is_some_and(|orphans| orphans.reaper.is_closed())
    }

    /// Whether the kernel has killed one of the processes since there was no memory left. Only
    /// known where there is a control group.
    pub(super) fn out_of_memory(&self) -> bool {
        self.group.as_ref().is_some_and(|group| group.oom_kills() > 0)
    }

    /// The leader's ends of the pipes, once.
    pub(super) fn leader_mut(&mut self) -> Option<&mut Child> {
        self.leader.as_mut().map(|leader| &mut leader.child)
    }

    /// A descriptor that tells when the leader has ended.
    pub(super) fn exit_descriptor(&self) -> io::Result<OwnedFd> {
        Ok(pidfd_open(self.id, PidfdFlags::NONBLOCK)?)
    }

    /// Asks every process to end, also those that were stopped.
    pub(super) async fn terminate(&self) {
        // The leader may end when it is asked, and then it is not known any more what it has
        // started: so those that left come first.
        if let Some(Orphans { reaper, run }) = self.orphans.clone() {
            let leader = self.id;
            let asked = spawn_blocking(move || reaper.terminate(run, leader)).await;
            if let Err(error) = asked {
                tracing::error!(%error, "cannot ask what left a process group to end");
            }
        }
        self.signal(Signal::TERM);
        self.signal(Signal::CONT);
    }

    /// Kills the group. What has left it follows when the leader has ended.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Kills what is left, the leader having ended, reaps it, and waits for a bounded time until
    /// the others are gone too.
    pub(super) async fn finish(mut self) -> io::Result<ExitStatus> {
        self.kill();
        let Some(mut leader) = self.leader.take() else {
            return Err(io::Error::other("the process was reaped before"));
        };
        let status = leader.child.wait()?;
        drop(leader);
        if let Some(group) = &self.group {
            group.kill().await;
        }
        if let Some(Orphans { reaper, run }) = &self.orphans {
            reaper.end(*run).await;
        }
        let gone = async {
            // The id may belong to a new group by now; asking whether it exists harms nobody.
            while test_kill_process_group(self.id).is_ok() {
                sleep(Duration::from_millis(2)).await;
            }
        };
        if timeout(GONE_LIMIT, gone).await.is_err() {
            tracing::debug!(process.group = self.id.as_raw_pid(), "killed processes linger");
        }
        Ok(status)
    }

    /// The same as [`finish`](Self::finish), for a thread that may block; only without a control
    /// group.
    pub(super) fn finish_blocking(mut self) -> io::Result<ExitStatus> {
        self.kill();
        let Some(mut leader) = self.leader.take() else {
            return Err(io::Error::other("the process was reaped before"));
        };
        let status = leader.child.wait()?;
        drop(leader);
        if let Some(Orphans { reaper, run }) = &self.orphans {
            reaper.end_blocking(*run);
        }
        let started = Instant::now();
        while test_kill_process_group(self.id).is_ok() && started.elapsed() < GONE_LIMIT {
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(status)
    }

    /// Whether a control group holds the processes.
    pub(super) const fn has_group(&self) -> bool {
        self.group.is_some()
    }

    fn signal(&self, signal: Signal) {
        if self.leader.is_none() {
            return;
        }
        match kill_process_group(self.id, signal) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => {
                let group = self.id.as_raw_pid();
                tracing::warn!(process.group = group, %error, "cannot signal a process group");
            }
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.kill();
        if let Some(Orphans { reaper, run }) = &self.orphans {
            reaper.abandon(*run);
        }
        if let Some(leader) = self.leader.take() {
            self.unreaped.push(leader);
        }
    }
}

/// Children that were killed and not waited for: a destructor cannot wait. They are reaped when the
/// next command is started, so that at most those of one moment stay behind as zombies.
#[derive(Clone, Debug, Default)]
pub(super) struct Unreaped(Arc<Mutex<Vec<Leader>>>);

impl Unreaped {
    /// Reaps those that have ended since.
    pub(super) fn reap(&self) {
        let mut leaders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        leaders.retain_mut(|leader| matches!(leader.child.try_wait(), Ok(None)));
    }

    fn push(&self, mut leader: Leader) {
        if matches!(leader.child.try_wait(), Ok(None)) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(leader);
        }
    }
}

/// Tells when a process has ended, without reaping it.
pub(super) struct Exit(AsyncFd<OwnedFd>);

impl Exit {
    /// Watches a descriptor of [`Group::exit_descriptor`].
    #[expect(
        deprecated,
        reason = "its unsafe successor asks for a descriptor that stays open, as an owned one does"
    )]
    pub(super) fn watch(descriptor: OwnedFd) -> io::Result<Self> {
        AsyncFd::with_interest(descriptor, Interest::READABLE).map(Self)
    }

    /// Returns when the process has ended. Cancel safe.
    pub(super) async fn wait(&self) -> io::Result<()> {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        loop {
            let mut ready = self.0.readable().await?;
            if waitid(WaitId::PidFd(ready.get_inner().as_fd()), look)?.is_some() {
                return Ok(());
            }
            ready.clear_ready();
        }
    }
}

/// The name of a signal, as `SIGKILL`.
#[must_use]
pub fn signal_name(number: i32) -> String {
    let name = match Signal::from_named_raw(number) {
        Some(Signal::HUP) => "SIGHUP",
        Some(Signal::INT) => "SIGINT",
        Some(Signal::QUIT) => "SIGQUIT",
        Some(Signal::ILL) => "SIGILL",
        Some(Signal::TRAP) => "SIGTRAP",
        Some(Signal::ABORT) => "SIGABRT",
        Some(Signal::BUS) => "SIGBUS",
        Some(Signal::FPE) => "SIGFPE",
        Some(Signal::KILL) => "SIGKILL",
        Some(Signal::USR1) => "SIGUSR1",
        Some(Signal::SEGV) => "SIGSEGV",
        Some(Signal::USR2) => "SIGUSR2",
        Some(Signal::PIPE) => "SIGPIPE",
        Some(Signal::ALARM) => "SIGALRM",
        Some(Signal::TERM) => "SIGTERM",
        Some(Signal::STKFLT) => "SIGSTKFLT",
        Some(Signal::XCPU) => "SIGXCPU",
        Some(Signal::XFSZ) => "SIGXFSZ",
        Some(Signal::VTALARM) => "SIGVTALRM",
        Some(Signal::PROF) => "SIGPROF",
        Some(Signal::IO) => "SIGIO",
        Some(Signal::POWER) => "SIGPWR",
        Some(Signal::SYS) => "SIGSYS",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_called_by_their_names() {
        assert_eq!(signal_name(Signal::KILL.as_raw()), "SIGKILL");
        assert_eq!(signal_name(Signal::SEGV.as_raw()), "SIGSEGV");
        assert_eq!(signal_name(40), "signal 40");
    }
}
