use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::process::CommandExt,
    },
    path::Path,
    process::{ChildStderr, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use rustix::fs::{Access, AtFlags, FileType, access, accessat, fstat};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    brief::{self, Beginning},
    cgroup::ControlGroups,
    ending::{Ending, Stopped},
    kill::{Tree, Unreaped},
    limits::Preparation,
    program,
    reaper::{Reaper, Run},
};
use crate::{
    JobSpec,
    attempt::Reason,
    workdir::{AllowedRoots, file_error},
};

/// How long the file system may take until the command runs. A hung network mount costs one blocked
/// thread and fails the attempt; the worker goes on.
const FILE_SYSTEM_LIMIT: Duration = Duration::from_secs(10);

/// How many threads one worker lets hang on file systems that do not answer. The runtime has more,
/// which other work needs.
pub(super) const MOST_WAITING: usize = 64;

/// A command to be started.
pub(super) struct Launch {
    /// What to run, and where.
    pub(super) spec: Arc<JobSpec>,
    /// Its whole environment.
    pub(super) environment: BTreeMap<OsString, OsString>,
    /// Where it may run and where its inputs may lie.
    pub(super) allowed_roots: AllowedRoots,
    /// When canceled, the command is not started any more.
    pub(super) stop: CancellationToken,
    /// Takes the leader if it cannot be reaped at once.
    pub(super) unreaped: Unreaped,
    /// Collects what leaves the process group.
    pub(super) reaper: Option<Reaper>,
    /// Where it gets a control group.
    pub(super) cgroups: Option<ControlGroups>,
    /// Which attempt it is.
    pub(super) run: Run,
    /// The threads that may wait for the file system.
    pub(super) threads: Arc<Semaphore>,
}

/// A command that was started.
pub(super) enum Launched {
    /// It runs, or may have left something behind.
    Running(Box<Running>),
    /// It has ended at once.
    Ended {
        ending: Ending,
        /// What it has written to each of its streams.
        output: [Bytes; 2],
    },
}

/// A command that runs.
pub(super) struct Running {
    /// Its processes.
    pub(super) tree: Tree,
    /// Tells when its leader has ended.
    pub(super) exit: OwnedFd,
    /// Its descriptor 1.
    pub(super) stdout: ChildStdout,
    /// Its descriptor 2.
    pub(super) stderr: ChildStderr,
    /// When it was started.
    pub(super) started: Instant,
    /// What it has done in its first moments.
    pub(super) beginning: Beginning,
}

/// Why a command was not started.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The kind of reason.
    pub(super) reason: Reason,
    /// One sentence that names what is wrong.
    pub(super) error: String,
}

impl Launch {
    /// Checks the working directory and the inputs, finds the program and starts it, off the async
    /// threads and for a bounded time.
    ///
    /// **Cancel safety**: when the future is dropped, a command that is started nevertheless is
    /// killed at once.
    pub(super) async fn carry_out(self) -> Result<Launched, Refusal> {
        let progress = Arc::new(Progress::default());
        let seen = Arc::clone(&progress);
        let spec = Arc::clone(&self.spec);
        let work = async move {
            let thread = Arc::clone(&self.threads).acquire_owned().await;
            spawn_blocking(move || {
                // Given back when the file system has answered, however late.
                let _thread = thread;
                self.block(&seen)
            })
            .await
        };
        match timeout(FILE_SYSTEM_LIMIT, work).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(panic)) => Err(Refusal::spawn(&spec, format!("could not be started: {panic}"))),
            Err(_) => Err(progress.abandon().too_slow(&spec)),
        }
    }

    fn block(self, progress: &Progress) -> Result<Launched, Refusal> {
        self.unreaped.reap();
        progress.enter(Stage::WorkingDir)?;
        let working_dir = self.open_working_dir()?;
        for (index, input) in self.spec.inputs.iter().enumerate() {
            progress.enter(Stage::Input(index))?;
            self.check_input(input)?;
        }
        progress.enter(Stage::Program)?;
        let path = self.environment.get(OsStr::new("PATH")).map(OsString::as_os_str);
        let program = program::find(&self.spec.command[0], &working_dir, path)
            .map_err(|why| Refusal::spawn(&self.spec, why))?;
        progress.enter(Stage::Start)?;
        if self.stop.is_cancelled() {
            return Err(Refusal::canceled());
        }
        self.start(&program, &working_dir)
    }

    fn open_working_dir(&self) -> Result<OwnedFd, Refusal> {
        let path = &self.spec.working_dir;
        let refuse = |why: String| Refusal {
            reason: Reason::WorkingDir,
            error: format!("working directory {path:?} {why}"),
        };
        self.allowed_roots.check_text(path).map_err(refuse)?;
        let directory = self.allowed_roots.open(Path::new(path)).map_err(refuse)?;
        let status = fstat(&directory).map_err(|error| refuse(file_error(&error.into())))?;
        if FileType::from_raw_mode(status.st_mode) != FileType::Directory {
            return Err(refuse("is not a directory".to_owned()));
        }
        accessat(&directory, ".", Access::EXEC_OK, AtFlags::empty())
            .map_err(|error| refuse(file_error(&error.into())))?;
        Ok(directory)
    }

    fn check_input(&self, path: &str) -> Result<(), Refusal> {
        let refuse = |why: String| Refusal {
            reason: Reason::InputMissing,
            error: format!("input {path:?} {why}"),
        };
        self.allowed_roots.check_text(path).map_err(refuse)?;
        let input = self.allowed_roots.open(Path::new(path)).map_err(refuse)?;
        access(path_of(&input), Access::READ_OK).map_err(|error| refuse(file_error(&error.into())))
    }

    /// Starts the program as the leader of a new process group, in the directory that was opened,
    /// with the null device as its input.
    ///
    /// Without limits and control groups no step runs code between fork and exec: then the standard
    /// library uses `posix_spawn`, whose cost does not grow with the memory of this process. All
    /// descriptors of this process close on exec.
    fn start(&self, program: &Path, working_dir: &OwnedFd) -> Result<Launched, Refusal> {
        let starting = match &self.reaper {
            Some(reaper) => Some((reaper, reaper.starting().ok_or_else(Refusal::canceled)?)),
            None => None,
        };
        let refuse = |error: io::Error| Refusal::spawn(&self.spec, spawn_error(&error));
        let mut group = None;
        let mut preparation = Preparation::of(&self.spec, None, false);
        if let Some(cgroups) = &self.cgroups {
            let (made, memory_is_limited) =
                cgroups.create(self.spec.max_memory_mb).map_err(refuse)?;
            let door = made.door().map_err(refuse)?;
            preparation = Preparation::of(&self.spec, Some(door), memory_is_limited);
            group = Some(made);
        }
        let mut command = Command::new(program);
        command
            .arg0(&self.spec.command[0])
            .args(&self.spec.command[1..])
            .env_clear()
            .envs(&self.environment)
            .current_dir(path_of(working_dir))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        preparation.apply(&mut command);
        let started = Instant::now();
        let child = command.spawn().map_err(refuse)?;
        let mut tree = Tree::of(child, group, self.unreaped.clone());
        if let Some((reaper, starting)) = starting {
            tree = tree.with_orphans(reaper, self.run, |leader| starting.started(leader, self.run));
        }
        let exit = tree.exit_descriptor().map_err(refuse)?;
        let pipes =
            tree.leader_mut().and_then(|leader| leader.stdout.take().zip(leader.stderr.take()));
        let (mut stdout, mut stderr) =
            pipes.ok_or_else(|| refuse(io::Error::other("its output has no pipes")))?;
        let beginning = brief::watch(&exit, &mut stdout, &mut stderr).map_err(refuse)?;
        if beginning.is_all && !tree.has_group() {
            let duration = started.elapsed();
            let stopped = tree.is_closed().then_some(Stopped::Canceled);
            let status = Some(tree.finish_blocking().map_err(refuse)?);
            let ending = Ending { status, stopped, out_of_memory: false, duration };
            return Ok(Launched::Ended { ending, output: beginning.output });
        }
        Ok(Launched::Running(Box::new(Running { tree, exit, stdout, stderr, started, beginning })))
    }
}

/// A path that leads to what a descriptor stands for, in this process and in one that is just being
/// started by it.
pub(super) fn path_of(descriptor: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", descriptor.as_raw_fd())
}

impl Refusal {
    fn canceled() -> Self {
        let error = "was canceled before it was started".to_owned();
        Self { reason: Reason::Canceled, error }
    }

    /// The program could not be started; `why` follows its name.
    pub(super) fn spawn(spec: &JobSpec, why: String) -> Self {
        let program = spec.command.first().map_or("", String::as_str);
        Self { reason: Reason::SpawnFailed, error: format!("program {program:?} {why}") }
    }
}

/// What a launch is busy with, shared between the thread that does it and the task that waits.
#[derive(Default)]
struct Progress(Mutex<Abandonable>);

#[derive(Default)]
struct Abandonable {
    stage: Stage,
    abandoned: bool,
}

#[derive(Clone, Copy, Default)]
enum Stage {
    #[default]
    Queued,
    WorkingDir,
    Input(usize),
    Program,
    Start,
}

impl Progress {
    /// Goes on to the next stage, unless nobody waits any more.
    fn enter(&self, stage: Stage) -> Result<(), Refusal> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.stage = stage;
        if state.abandoned {
            let error = "took too long to start".to_owned();
            return Err(Refusal { reason: Reason::SpawnFailed, error });
        }
        Ok(())
    }

    /// Forbids any further stage, and tells which one took too long.
    fn abandon(&self) -> Stage {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.abandoned = true;
        state.stage
    }
}

impl Stage {
    fn too_slow(self, spec: &JobSpec) -> Refusal {
        let seconds = FILE_SYSTEM_LIMIT.as_secs();
        let why = format!("could not be checked: the file system did not answer for {seconds} s");
        match self {
            Self::Queued => Refusal::spawn(
                spec,
                format!("could not be started: no thread was free for {seconds} s"),
            ),
            Self::WorkingDir => Refusal {
                reason: Reason::WorkingDir,
                error: format!("working directory {:?} {why}", spec.working_dir),
            },
            Self::Input(index) => Refusal {
                reason: Reason::InputMissing,
                error: format!("input {:?} {why}", spec.inputs[index]),
            },
            Self::Program | Self::Start => Refusal::spawn(spec, why),
        }
    }
}

fn spawn_error(error: &io::Error) -> String {
    match error.kind() {
        // The file is there, so it is its interpreter or loader that is missing.
        io::ErrorKind::NotFound => "cannot be run: its interpreter does not exist".to_owned(),
        io::ErrorKind::ArgumentListTooLong => {
            "cannot be run: its arguments and environment are longer than the kernel allows"
                .to_owned()
        }
        _ => format!("cannot be run: {error}"),
    }
}
