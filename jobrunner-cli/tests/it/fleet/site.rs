//! Where the processes of a fleet run, and with which settings.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use jobrunner_core::testkit::PATIENCE;
use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process},
};
use tempfile::TempDir;

use super::{DRAIN, LEASE, process::Daemon};
use crate::service::{BINARY, EMAIL, PASSWORD};

/// A directory that all processes and their jobs work in, and the settings that they share.
/// Dropping it kills whatever works there, and removes it.
pub(crate) struct Site {
    settings: Vec<(&'static str, String)>,
    directory: TempDir,
    /// How many processes have been started, to tell their logs apart.
    started: AtomicU32,
}

impl Site {
    pub(crate) fn new(database: &str, redis: Option<String>) -> Self {
        let directory = tempfile::Builder::new().prefix("jobrunner-fleet-").tempdir();
        let mut settings = vec![
            ("DATABASE_URL", database.to_owned()),
            ("JWT_SECRET_KEY", uuid::Uuid::new_v4().simple().to_string()),
            ("JOBRUNNER_ADMIN_EMAIL", EMAIL.to_owned()),
            ("JOBRUNNER_ADMIN_PASSWORD", PASSWORD.to_owned()),
            ("LEASE_SECONDS", LEASE.as_secs().to_string()),
            ("DRAIN_SECONDS", DRAIN.as_secs().to_string()),
            ("KILL_GRACE_SECONDS", "1".to_owned()),
            ("JOBRUNNER_LOG", "info".to_owned()),
            ("NO_COLOR", "1".to_owned()),
        ];
        settings.extend(redis.map(|url| ("REDIS_URL", url)));
        Self { settings, directory: directory.expect("a directory"), started: AtomicU32::new(0) }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn init_database(&self) {
        let output = Command::new(BINARY)
            .arg("init-db")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .current_dir(self.directory())
            .output()
            .expect("a process");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "init-db failed: {said}");
    }

    /// Starts a server on a free port.
    pub(crate) fn server(&self, number: usize) -> Daemon {
        self.start(&format!("server-{number}"), &["api", "--listen", "127.0.0.1:0"])
    }

    /// Starts a worker.
    pub(crate) fn worker(&self, number: usize, slots: usize) -> Daemon {
        self.start(&format!("worker-{number}"), &["worker", "--slots", &slots.to_string()])
    }

    fn start(&self, name: &str, arguments: &[&str]) -> Daemon {
        let life = self.started.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}-{life}");
        Daemon::start(self.directory().to_owned(), name, arguments, &self.settings)
    }

    /// Whether something of this attempt is running.
    pub(crate) fn runs(&self, job: &str, attempt: u32) -> bool {
        let marks = [format!("JOBRUNNER_JOB_ID={job}"), format!("JOBRUNNER_ATTEMPT={attempt}")];
        self.processes().into_iter().any(|pid| {
            let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_pid()));
            let environment = environment.unwrap_or_default();
            let variables: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
            marks.iter().all(|mark| variables.contains(&mark.as_bytes()))
        })
    }

    /// What works in the directory.
    fn processes(&self) -> Vec<Pid> {
        let works_here = |pid: &Pid| {
            let directory = fs::read_link(format!("/proc/{}/cwd", pid.as_raw_pid()));
            directory.is_ok_and(|directory| directory == self.directory())
        };
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(Pid::from_raw).filter(works_here).collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Again and again: a process may start another while we look.
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            if Instant::now() > deadline {
                eprintln!("{left:?} still work in {}", self.directory().display());
                return;
            }
            for pid in left {
                match kill_process(pid, Signal::KILL) {
                    Ok(()) | Err(Errno::SRCH) => {}
                    Err(error) => eprintln!("{pid:?} cannot be killed: {error}"),
                }
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
