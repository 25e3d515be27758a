//! The service as its operators run it: the program `jobrunner`, in processes of its own, with its
//! defaults.

use std::{
    env,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use jobrunner_core::{
    executor::processes::{self, Process},
    testkit::servers::PrivateRedis,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{postgres::Postgres, rows::Scale, wire::Wire};

const EMAIL: &str = "admin@example.com";

const PASSWORD: &str = "correct-horse-battery";

/// What services have by default.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long anything may take that has no limit of its own.
const LIMIT: Duration = Duration::from_secs(60);

/// What a service keeps its jobs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Embedded,
    Postgres,
    PostgresAndRedis,
}

impl Backend {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Postgres => "Postgres alone",
            Self::PostgresAndRedis => "Postgres + Redis",
        }
    }
}

/// What works for a service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crew {
    pub(crate) workers: usize,
    /// How many jobs each of them runs at one time.
    pub(crate) slots: usize,
}

impl Crew {
    /// Nobody: jobs are taken and wait.
    pub(crate) const NOBODY: Self = Self { workers: 0, slots: 0 };

    /// One worker.
    pub(crate) const fn of(slots: usize) -> Self {
        Self { workers: 1, slots }
    }
}

/// A running service. Dropping it ends its processes and forgets its data.
pub(crate) struct Site {
    backend: Backend,
    address: SocketAddr,
    token: String,
    /// The server first.
    processes: Vec<Child>,
    settings: Vec<(&'static str, String)>,
    directory: TempDir,
    database: String,
    _redis: Option<PrivateRedis>,
    postgres: Option<Postgres>,
}

impl Site {
    /// Starts a service; all of it is up when this returns.
    pub(crate) fn start(scale: &Scale, backend: Backend, crew: Crew) -> Self {
        let postgres = (backend != Backend::Embedded).then(|| Postgres::of(scale));
        let redis = (backend == Backend::PostgresAndRedis).then(PrivateRedis::start);
        let directory = tempfile::Builder::new().prefix("jobrunner-bench-").tempdir();
        let directory = directory.expect("a directory");
        let mut settings = vec![
            ("PATH", PATH.to_owned()),
            ("JWT_SECRET_KEY", "0123456789abcdef0123456789abcdef".to_owned()),
            ("JOBRUNNER_ADMIN_EMAIL", EMAIL.to_owned()),
            ("JOBRUNNER_ADMIN_PASSWORD", PASSWORD.to_owned()),
            ("JOBRUNNER_LOG", "warn".to_owned()),
        ];
        let database = postgres.as_ref().map(Postgres::create_database).unwrap_or_default();
        if postgres.is_some() {
            settings.push(("DATABASE_URL", database.clone()));
        }
        settings.extend(redis.as_ref().map(|redis| ("REDIS_URL", redis.url())));
        let mut site = Self {
            backend,
            address: free_address(),
            token: String::new(),
            processes: Vec::new(),
            settings,
            directory,
            database,
            _redis: redis,
            postgres,
        };
        if site.postgres.is_some() {
            let status = site.program(&["init-db"]).status().expect("a process");
            assert!(status.success(), "init-db fails: {}", site.log());
        }
        site.go_on(crew);
        site
    }

    /// Starts the processes of a service that has none.
    pub(crate) fn go_on(&mut self, crew: Crew) {
        let (listen, slots) = (self.address.to_string(), crew.slots.to_string());
        let first: &[&str] = match self.backend {
            Backend::Embedded => {
                &["up", "--data-dir", "data", "--listen", &listen, "--workers", &slots]
            }
            Backend::Postgres | Backend::PostgresAndRedis => &["api", "--listen", &listen],
        };
        self.spawn(first);
        self.wait("a server", |site| Wire::is_up(site.address));
        if self.token.is_empty() {
            let form = format!("grant_type=password&username={EMAIL}&password={PASSWORD}");
            self.token = Wire::connect(self.address, None).sign_in(&form);
        }
        if self.backend == Backend::Embedded {
            self.wait_for_workers(crew.workers);
        } else {
            self.hire(crew);
        }
    }

    /// Starts workers for a team that has none.
    pub(crate) fn hire(&mut self, crew: Crew) {
        for _ in 0..crew.workers {
            self.spawn(&["worker", "--slots", &crew.slots.to_string()]);
        }
        self.wait_for_workers(crew.workers);
    }

    fn wait_for_workers(&mut self, count: usize) {
        let is_here = |site: &Self| site.wire().get("/workers")["items"].as_array().map(Vec::len);
        self.wait("the workers", |site| is_here(site) == Some(count));
    }

    /// Ends the processes of the service in an orderly way, the workers first.
    pub(crate) fn pause(&mut self) {
        self.end_workers();
        self.end_server();
    }

    /// Ends all processes but the server.
    pub(crate) fn end_workers(&mut self) {
        self.processes.drain(1.min(self.processes.len())..).for_each(end);
    }

    /// Ends the server and leaves its workers alone.
    pub(crate) fn end_server(&mut self) {
        self.processes.drain(..1.min(self.processes.len())).for_each(end);
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire::connect(self.address, Some(&self.token))
    }

    /// A command of the client, signed in to this service. Its standard error goes to the log.
    pub(crate) fn client(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(arguments);
        command
            .env("JOBRUNNER_SERVER", format!("http://{}", self.address))
            .env("JOBRUNNER_TOKEN", &self.token)
            .env("XDG_CONFIG_HOME", self.directory.path());
        command
    }

    /// The environment of its processes.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|(name, value)| (*name, value.as_str()))
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn postgres(&self) -> Option<&Postgres> {
        self.postgres.as_ref()
    }

    /// The URL of its database, if that is a server's.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// Its processes: each that was started with its descendants, a supervisor before its runner.
    pub(crate) fn processes(&self) -> Vec<Vec<Pid>> {
        let all = processes::all().expect("a process table");
        self.processes.iter().map(|process| family(&all, Pid::from_child(process))).collect()
    }

    /// Submits a batch of as many equal jobs and waits until all of them have passed.
    pub(crate) fn run_batch(&self, jobs: usize, command: &[&str]) -> Duration {
        let body = batch_of(jobs, command);
        let started = Instant::now();
        let id = self.submit(&body);
        self.wait_for_batch(&id, jobs, started);
        started.elapsed()
    }

    /// Submits a batch of as many equal jobs, and returns its id.
    pub(crate) fn submit_batch(&self, jobs: usize, command: &[&str]) -> String {
        self.submit(&batch_of(jobs, command))
    }

    fn submit(&self, body: &str) -> String {
        let batch = self.wire().submit("/job-batches", body.as_bytes());
        batch["id"].as_str().expect("an id").to_owned()
    }

    /// Waits until all jobs of a batch have passed that was begun then. Looks more often the nearer
    /// the end is: looking costs time of the same processors.
    pub(crate) fn wait_for_batch(&self, id: &str, jobs: usize, begun: Instant) {
        const SELDOM: Duration = Duration::from_millis(250);
        const OFTEN: Duration = Duration::from_millis(2);
        let mut wire = self.wire();
        loop {
            let batch = wire.get(&format!("/job-batches/{id}"));
            if !batch["finished_at"].is_null() {
                assert_eq!(batch["counts"]["passed"], jobs, "all have passed: {batch}");
                assert_eq!(batch["status"], "passed");
                return;
            }
            let count = |name: &str| batch["counts"][name].as_f64().unwrap_or(0.0);
            let ended = count("passed") + count("failed");
            let left = begun.elapsed().as_secs_f64() * (count("total") - ended) / ended.max(1.0);
            thread::sleep(Duration::from_secs_f64(left / 3.0).clamp(OFTEN, SELDOM));
        }
    }

    fn wait(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            let mut ended = self.processes.iter_mut().map(Child::try_wait);
            let lives = ended.all(|ended| ended.is_ok_and(|status| status.is_none()));
            assert!(lives, "a process has ended: {}", self.log());
            assert!(started.elapsed() < LIMIT, "waited in vain for {what}: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn spawn(&mut self, arguments: &[&str]) {
        let process = self.program(arguments).spawn().expect("a process");
        self.processes.push(process);
    }

    /// The program with its settings. It is killed if this thread dies.
    fn program(&self, arguments: &[&str]) -> Command {
        let log = File::options().create(true).append(true).open(self.log_file()).expect("a log");
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(binary())
            .args(arguments)
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        command
    }

    fn log_file(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_file()).unwrap_or_default()).into_owned()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("the log of the service:\n{}", self.log());
        }
        self.pause();
    }
}

/// The request for a batch.
fn batch_of(jobs: usize, command: &[&str]) -> String {
    let jobs: Vec<Value> =
        (0..jobs).map(|n| json!({"name": format!("job {n}"), "command": command})).collect();
    json!({"name": "a batch", "jobs": jobs}).to_string()
}

/// The program, which is built beside the directory of this one.
pub(crate) fn binary() -> PathBuf {
    let this = env::current_exe().expect("a path");
    let built = this.parent().and_then(Path::parent).expect("a directory of examples");
    let binary = built.join("jobrunner");
    assert!(binary.is_file(), "{} is missing; scripts/bench builds it", binary.display());
    binary
}

/// A port that nobody uses now.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address")
}

fn family(all: &[Process], first: Pid) -> Vec<Pid> {
    let mut family = vec![first];
    let mut place = 0;
    while let Some(parent) = family.get(place).copied() {
        let children = all.iter().filter(|process| process.parent == parent.as_raw_pid());
        family.extend(children.map(|process| process.id));
        place += 1;
    }
    family
}

/// Asks a process to end, and kills it if it does not.
fn end(mut process: Child) {
    let started = Instant::now();
    let mut asked = kill_process(Pid::from_child(&process), Signal::TERM).is_ok();
    while process.try_wait().is_ok_and(|status| status.is_none()) {
        if !asked || started.elapsed() > LIMIT {
            asked = process.kill().is_ok();
        }
        thread::sleep(Duration::from_millis(5));
    }
}
