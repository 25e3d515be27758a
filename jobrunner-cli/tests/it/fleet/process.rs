//! A server or a worker as a process of its own.

use std::{
    cell::RefCell,
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
};

use jobrunner_core::{
    executor::processes::{self, Process},
    testkit::wait_until,
};
use rustix::process::{Pid, Signal, kill_process};

use super::until;
use crate::service::{BINARY, runner_of};

/// A running process. Dropping it kills it, and shows the end of its log if the test has failed. It
/// is also killed when the thread of the test dies by any other cause.
pub(crate) struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `jobrunner` with these arguments. It works in `directory`, and logs into a file
    /// there.
    pub(crate) fn start(
        directory: PathBuf,
        name: String,
        arguments: &[&str],
        environment: &[(&str, String)],
    ) -> Self {
        let log = directory.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log).expect("a log");
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", BINARY])
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .expect("a process");
        Self { name, child, log }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until it has logged a line with this text, and answers what follows the text.
    pub(crate) async fn says(&self, text: &str) -> String {
        let rest = || {
            let log = self.log();
            let (_, rest) = log.split_once(text)?;
            rest.split_once('\n').map(|(rest, _)| rest.to_owned())
        };
        until(&format!("{} to say {text:?}", self.name), async || rest().is_some()).await;
        rest().expect("it said so")
    }

    /// How many processes its runner has started that have not ended.
    pub(crate) fn children(&self) -> usize {
        let runner = self.runner().as_raw_pid();
        let is_child = |process: &&Process| process.parent == runner && !process.is_zombie;
        processes::all().expect("a process table").iter().filter(is_child).count()
    }

    /// Signals the process that was started: of a worker, that is its supervisor.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("a process that is not collected yet");
    }

    /// The process that does the work of a worker.
    pub(crate) fn runner(&self) -> Pid {
        runner_of(&self.child)
    }

    /// Signals the process that does the work of a worker.
    pub(crate) fn signal_runner(&self, signal: Signal) {
        kill_process(self.runner(), signal).expect("a runner");
    }

    /// How often its supervisor has started another runner.
    pub(crate) fn restarts(&self) -> usize {
        self.log().matches("starts again in").count()
    }

    /// Ends it as a crash would; of a worker, that is its supervisor. Harmless when it has ended.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let child = RefCell::new(&mut self.child);
        let ended = async || child.borrow_mut().try_wait().expect("a child");
        wait_until(&format!("{} to end", self.name), ended).await
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.child.kill().and_then(|()| self.child.wait()).is_err() {
            eprintln!("{} cannot be killed", self.name);
        }
        if thread::panicking() {
            const LINES: usize = 60;
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
            eprintln!("the log of {} ends with:\n{last}\n", self.name);
        }
    }
}
