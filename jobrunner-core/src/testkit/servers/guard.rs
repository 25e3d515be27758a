use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::tail;
use crate::testkit::PATIENCE;

/// A server under a shell that outlives this process by as long as it takes to clean up. It cannot
/// be the server's parent-death signal, which goes by the thread that started it and not by the
/// process.
pub(super) struct Guard {
    shell: Child,
    /// `None` once the guard has been told to clean up.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    directory: PathBuf,
    /// What the server writes to its log when it takes connections.
    ready: &'static str,
}

/// How a server is started and known to be up.
pub(super) struct Recipe<'a> {
    /// Without the port, which is added as the last word.
    pub(super) command: &'a [&'a OsStr],
    /// The signal that ends it at once.
    pub(super) haste: &'static str,
    pub(super) ready: &'static str,
}

impl Guard {
    /// Guards a server that is still to be started. The directory belongs to the guard from now on.
    pub(super) fn new(directory: PathBuf, recipe: &Recipe<'_>) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", include_str!("guard.sh"), "guard"])
            .arg(&directory)
            .arg(recipe.haste)
            .args(recipe.command)
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // What kills the group of the tests, as ctrl-c does, leaves the guard to clean up.
            .process_group(0)
            .spawn()
            .expect("a shell");
        let orders = shell.stdin.take();
        let answers = BufReader::new(shell.stdout.take().expect("a pipe"));
        Self { shell, orders, answers, directory, ready: recipe.ready }
    }

    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn order(&mut self, order: &str) {
        let orders = self.orders.as_mut().expect("a guard on duty");
        writeln!(orders, "{order}").expect("a guard that listens");
    }

    /// Starts the server on a free port, and returns it when the server takes connections.
    pub(super) fn start(&mut self) -> u16 {
        loop {
            let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
            let port = listener.local_addr().expect("an address").port();
            drop(listener);
            // Otherwise somebody else took it since.
            if self.start_on(port) {
                return port;
            }
        }
    }

    /// Starts the server, and returns when it takes connections; `false` when the port is taken.
    pub(super) fn start_on(&mut self, port: u16) -> bool {
        let before = fs::metadata(self.log()).map_or(0, |log| log.len());
        self.order(&format!("start {port}"));
        let started = Instant::now();
        loop {
            let log = since(&self.log(), before);
            if log.contains(self.ready) {
                return true;
            }
            if log.contains("Address already in use") {
                self.stop("KILL");
                return false;
            }
            assert!(started.elapsed() < PATIENCE, "a test server did not come up: {log}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends the server by a signal, and returns when it has ended.
    pub(super) fn stop(&mut self, signal: &str) {
        self.order(signal);
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("an answer of the guard");
        assert_eq!(answer, "ended\n");
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the log of {} ends with:\n{}", self.directory.display(), tail(&self.log()));
        }
        drop(self.orders.take());
        if let Err(error) = self.shell.wait() {
            eprintln!("the guard of {} is lost: {error}", self.directory.display());
        }
    }
}

fn since(log: &Path, from: u64) -> String {
    let text = fs::read(log).unwrap_or_default();
    let from = usize::try_from(from).expect("a small log").min(text.len());
    String::from_utf8_lossy(&text[from..]).into_owned()
}
