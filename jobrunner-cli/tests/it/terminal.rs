//! Commands have no terminal, and what is typed reaches the program all the same: in a real
//! pseudo-terminal, which script(1) makes.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use jobrunner_core::{
    executor::processes::{self, Process},
    testkit::PATIENCE,
};
use rustix::process::{Pid, Signal, kill_process};

use crate::service::BINARY;

const INTERRUPT: &[u8] = b"\x03";
const QUIT: &[u8] = b"\x1c";
const STOP: &[u8] = b"\x1a";

/// A terminal with an interactive shell, in a directory with a suite.
struct Terminal {
    script: Child,
    keys: ChildStdin,
    directory: tempfile::TempDir,
}

impl Terminal {
    /// A shell, and a suite of one job that runs this script.
    fn with_job(shell: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let suite = serde_json::json!({"name": "s", "jobs": [{"name": "a", "shell": shell}]});
        fs::write(directory.path().join("s.yaml"), suite.to_string()).expect("written");
        let mut script = Command::new("script")
            .args(["--quiet", "--flush", "--command"])
            .arg("exec bash --norc --noprofile -i")
            .arg("typescript")
            .env("JOBRUNNER", BINARY)
            .env("KILL_GRACE_SECONDS", "1")
            .env("PS1", "")
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("script is installed");
        let keys = script.stdin.take().expect("a pipe");
        Self { script, keys, directory }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn press(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).and_then(|()| self.keys.flush()).expect("it reads");
    }

    fn line(&mut self, line: &str) {
        self.press(format!("{line}\n").as_bytes());
    }

    /// Starts the suite, and waits until its job runs; the exit code comes into the file `code`.
    fn run(&mut self) -> Running {
        self.line("sh -c 'echo $$ >supervisor; exec \"$JOBRUNNER\" run s.yaml'; echo $? >code");
        let supervisor = pid_in(&self.file("supervisor"));
        until("the job to run", || self.file("pid").exists());
        let job = pid_in(&self.file("pid"));
        let of_supervisor = |process: &Process| process.parent == supervisor.as_raw_pid();
        let children = processes::all().expect("a table").into_iter().filter(of_supervisor);
        let runner = children.min_by_key(|process| process.started).expect("a runner");
        Running { supervisor, runner, job }
    }

    /// What the program ended with.
    fn code(&self) -> String {
        let file = self.file("code");
        until("the end", || !read(&file).trim().is_empty());
        read(&file).trim().to_owned()
    }

    /// What was shown.
    fn shown(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.file("typescript")).unwrap_or_default()).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.script.kill().is_ok() {
            self.script.wait().expect("gone");
        }
    }
}

struct Running {
    supervisor: Pid,
    runner: Process,
    job: Pid,
}

impl Running {
    /// Waits until nothing of it is left.
    fn gone(&self) {
        until("everything to be gone", || {
            [self.supervisor, self.runner.id, self.job].iter().all(|pid| is_gone(*pid))
        });
    }
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

fn pid_in(file: &Path) -> Pid {
    let pid = || read(file).strip_suffix('\n').and_then(|pid| pid.parse().ok());
    until("a process id", || pid().is_some());
    pid().and_then(Pid::from_raw).expect("a process id")
}

fn is_gone(pid: Pid) -> bool {
    Process::read(pid).is_none_or(|process| process.is_zombie)
}

fn is_stopped(pid: Pid) -> bool {
    let stat = read(Path::new(&format!("/proc/{}/stat", pid.as_raw_pid())));
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A job that says who it is and then waits.
const WAITS: &str = "echo $$ >pid; until test -e go; do sleep 0.05; done";

#[test]
fn a_command_has_no_terminal_to_read_from_or_to_type_into() {
    // Each ends with a code of its own if the terminal can be had: read, written, or typed into by
    // TIOCSTI.
    let shell = "echo $$ >pid
        (read -r line </dev/tty) 2>read && exit 11
        (echo >/dev/tty) 2>write && exit 12
        perl -e 'open(my $tty, \"+<\", \"/dev/tty\") or exit 0; ioctl($tty, 0x5412, \"x\"); exit 1' || exit 13
        set -- $(ps -o tty= -p $$); test \"$1\" = '?' || exit 14";
    let mut terminal = Terminal::with_job(shell);
    terminal.run();
    assert_eq!(terminal.code(), "0", "{}", terminal.shown());
    for file in ["read", "write"] {
        let said = read(&terminal.file(file));
        assert!(said.contains("No such device or address"), "{said}");
    }
    assert!(terminal.shown().contains("s: passed of 1 job"), "{}", terminal.shown());
}

#[test]
fn the_runner_leaves_the_terminal_and_the_supervisor_stays() {
    let mut terminal = Terminal::with_job(WAITS);
    let Running { supervisor, runner, job } = terminal.run();
    assert_eq!(runner.session, runner.id.as_raw_pid());
    let supervisor = Process::read(supervisor).expect("it runs");
    assert_ne!(supervisor.session, runner.session);
    let job = Process::read(job).expect("it runs");
    assert_eq!((job.session, job.group), (runner.session, job.id.as_raw_pid()));
    fs::write(terminal.file("go"), "").expect("written");
    assert_eq!(terminal.code(), "0");
    // The bar is drawn as before.
    assert!(terminal.shown().contains("0/1"), "{}", terminal.shown());
}

#[test]
fn an_interrupt_cancels_and_a_second_one_ends_it_at_once() {
    let mut terminal = Terminal::with_job(WAITS);
    let once = terminal.run();
    terminal.press(INTERRUPT);
    assert_eq!(terminal.code(), "3", "{}", terminal.shown());
    once.gone();

    // It does not end when it is asked to: only the second interrupt ends it, before the grace is
    // over.
    let mut terminal = Terminal::with_job(&format!("trap '' TERM; {WAITS}"));
    terminal.line("export KILL_GRACE_SECONDS=600");
    let twice = terminal.run();
    terminal.press(INTERRUPT);
    until("the first to be heard", || terminal.shown().contains("once more to stop at once"));
    // One that comes sooner than 0.3 seconds after the first would be the same request.
    std::thread::sleep(Duration::from_millis(400));
    terminal.press(INTERRUPT);
    assert_eq!(terminal.code(), "130", "{}", terminal.shown());
    twice.gone();
}

#[test]
fn quit_ends_everything() {
    let mut terminal = Terminal::with_job(WAITS);
    terminal.line("ulimit -c 0");
    let running = terminal.run();
    terminal.press(QUIT);
    assert_eq!(terminal.code(), "131", "{}", terminal.shown());
    running.gone();
}

#[test]
fn a_stop_stops_both_until_they_go_on_and_not_the_command() {
    let mut terminal = Terminal::with_job(WAITS);
    let Running { supervisor, runner, job } = terminal.run();
    for _ in 0..2 {
        terminal.press(STOP);
        until("both to stop", || is_stopped(supervisor) && is_stopped(runner.id));
        assert!(!is_stopped(job), "commands go on");
        terminal.line("fg");
        until("both to go on", || !is_stopped(supervisor) && !is_stopped(runner.id));
    }
    fs::write(terminal.file("go"), "").expect("written");
    until("the end", || terminal.shown().contains("s: passed of 1 job"));
}

#[test]
fn a_closed_window_ends_everything() {
    let mut terminal = Terminal::with_job(WAITS);
    let running = terminal.run();
    // The terminal is gone with the process that had made it.
    terminal.script.kill().expect("killed");
    running.gone();
}

#[test]
fn nothing_is_left_when_one_of_the_two_is_killed() {
    for is_supervisor in [true, false] {
        let mut terminal = Terminal::with_job(&format!("setsid sleep 7781 & {WAITS}"));
        let running = terminal.run();
        let killed = if is_supervisor { running.supervisor } else { running.runner.id };
        kill_process(killed, Signal::KILL).expect("it runs");
        assert_eq!(terminal.code(), "137");
        running.gone();
        let is_left = |process: &Process| {
            let line = fs::read(format!("/proc/{}/cmdline", process.id.as_raw_pid()));
            line.is_ok_and(|line| line.ends_with(b"sleep\x007781\0"))
        };
        until("orphans to be gone", || !processes::all().expect("a table").iter().any(is_left));
    }
}

#[test]
fn nothing_stops_where_no_shell_is_there_to_let_it_go_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let suite = format!("name: s\njobs:\n  - {{name: a, shell: '{WAITS}'}}\n");
    fs::write(directory.path().join("s.yaml"), suite).expect("written");
    let mut running = Command::new("setsid")
        .args([BINARY, "run", "s.yaml"])
        .current_dir(directory.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process");
    until("the job to run", || directory.path().join("pid").exists());
    kill_process(Pid::from_child(&running), Signal::TSTP).expect("it runs");
    fs::write(directory.path().join("go"), "").expect("written");
    assert!(running.wait().expect("it ends").success());
}
