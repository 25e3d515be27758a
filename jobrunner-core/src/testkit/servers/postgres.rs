use std::{
    env,
    ffi::OsStr,
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};

use uuid::Uuid;

use super::{
    POSTGRES_VARIABLE,
    guard::{Guard, Recipe},
    program,
};

/// Whom PostgreSQL runs as when the tests run as root, as it refuses to run as root itself.
const USER: &str = "postgres";

/// A PostgreSQL server that belongs to one test.
pub struct PrivatePostgres {
    guard: Guard,
    programs: PathBuf,
    port: u16,
}

/// A PostgreSQL server that other tests use too, each with a database of its own.
pub struct SharedPostgres {
    url: String,
    programs: PathBuf,
    _own: Option<PrivatePostgres>,
}

/// How a [`PrivatePostgres`] is to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct PostgresBuilder {
    durable: bool,
    counting: bool,
}

impl PostgresBuilder {
    /// With PostgreSQL's own settings for what must survive the loss of power. Without, a commit
    /// still survives the death of the server, but not that of the machine, and is much faster.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// With `pg_stat_statements`, which counts in databases that are set to
    /// `pg_stat_statements.track = 'top'` and costs nothing in others.
    #[must_use]
    pub fn counting_statements(mut self) -> Self {
        self.counting = true;
        self
    }

    /// Starts a server.
    #[must_use]
    pub fn start(self) -> PrivatePostgres {
        let programs = programs();
        let directory = tempfile::Builder::new().prefix("jobrunner-postgres-").tempdir();
        let directory = directory.expect("a directory");
        let demotion = Demotion::of_root(directory.path());
        let data = directory.path().join("data");
        initialise(&demotion, &programs, &data);
        let mut guard = self.guard(&demotion, &programs, directory.keep());
        let port = guard.start();
        PrivatePostgres { guard, programs, port }
    }

    fn guard(self, demotion: &Demotion, programs: &Path, directory: PathBuf) -> Guard {
        let server = programs.join("postgres");
        let data = directory.join("data");
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", directory.display()),
            "max_connections=200".to_owned(),
            "timezone=UTC".to_owned(),
        ];
        if !self.durable {
            let fast = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
            settings.extend(fast.map(str::to_owned));
        }
        if self.counting {
            let quiet =
                ["shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track=none"];
            settings.extend(quiet.map(str::to_owned));
        }
        let mut command = demotion.command(&server);
        command.extend([OsStr::new("-D"), data.as_os_str()]);
        for setting in &settings {
            command.extend([OsStr::new("-c"), OsStr::new(setting)]);
        }
        command.push(OsStr::new("-p"));
        let ready = "database system is ready to accept connections";
        Guard::new(directory.clone(), &Recipe { command: &command, haste: "QUIT", ready })
    }
}

impl PrivatePostgres {
    /// Starts a server that is fast rather than safe; see [`PostgresBuilder::durable`].
    #[must_use]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// A server with other settings.
    #[must_use]
    pub fn builder() -> PostgresBuilder {
        PostgresBuilder::default()
    }

    /// A server for all tests of this run that only need a database.
    #[must_use]
    pub fn shared() -> &'static SharedPostgres {
        static SHARED: LazyLock<SharedPostgres> = LazyLock::new(|| {
            if let Ok(url) = env::var(POSTGRES_VARIABLE) {
                return SharedPostgres { url, programs: programs(), _own: None };
            }
            let own = PrivatePostgres::start();
            SharedPostgres { url: own.url(), programs: own.programs.clone(), _own: Some(own) }
        });
        &SHARED
    }

    /// Where its database `postgres` is; its user may do anything.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://jobrunner@127.0.0.1:{}/postgres", self.port)
    }

    /// Makes an empty database and answers its URL.
    #[must_use]
    pub fn create_database(&self) -> String {
        create_database(&self.programs, &self.url())
    }

    /// Lets the server crash: clients lose their connections, commits survive. Starts it again on
    /// the same port, and returns when it has recovered.
    pub fn restart_immediately(&mut self) {
        self.guard.stop("QUIT");
        self.start_again();
    }

    /// Runs a statement in the database `postgres`, as an administrator would, and answers what it
    /// answers: columns separated by `|`, one row a line.
    #[must_use]
    pub fn ask(&self, sql: &str) -> String {
        psql(&self.programs, &self.url(), sql)
    }

    /// Cuts every client off, as `pg_terminate_backend` does; answers how many there were.
    pub fn disconnect_all(&self) -> usize {
        let sql = "select pg_terminate_backend(pid) from pg_stat_activity \
                   where backend_type = 'client backend' and pid <> pg_backend_pid()";
        self.ask(sql).lines().count()
    }

    /// Ends the server in an orderly way, without waiting for its clients.
    pub fn stop(&mut self) {
        self.guard.stop("INT");
    }

    /// Starts a stopped server again, on the same port and with its data.
    pub fn start_again(&mut self) {
        assert!(self.guard.start_on(self.port), "somebody else took the port {}", self.port);
    }
}

impl SharedPostgres {
    /// Where a database is in which nobody should store anything.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes an empty database and answers its URL.
    #[must_use]
    pub fn create_database(&self) -> String {
        create_database(&self.programs, &self.url)
    }
}

/// The directory of the latest PostgreSQL. Debian keeps the servers off the path.
fn programs() -> PathBuf {
    let version = |directory: &PathBuf| {
        let name = directory.file_name().and_then(OsStr::to_str);
        name.and_then(|name| name.parse::<u32>().ok()).unwrap_or(0)
    };
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path()).collect();
    versions.sort_by_key(|directory| std::cmp::Reverse(version(directory)));
    let debian: Vec<PathBuf> = versions.iter().map(|directory| directory.join("bin")).collect();
    let initdb = program("initdb", "postgresql", &debian);
    // A distribution may link it into a common directory; its siblings are where it really is.
    let initdb = initdb.canonicalize().expect("a path");
    initdb.parent().expect("a directory").to_owned()
}

fn initialise(demotion: &Demotion, programs: &Path, data: &Path) {
    let initdb = programs.join("initdb");
    let mut command = demotion.command(&initdb);
    let arguments =
        ["--auth=trust", "-U", "jobrunner", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"];
    command.extend(arguments.map(OsStr::new));
    command.push(data.as_os_str());
    let output = Command::new(command[0]).args(&command[1..]).current_dir("/").output();
    expect_success("initdb", &output.expect("initdb can be run"));
}

fn create_database(programs: &Path, url: &str) -> String {
    let name = format!("test_{}", Uuid::now_v7().simple());
    psql(programs, url, &format!("create database {name}"));
    let (server, _) = url.rsplit_once('/').expect("the URL of a database");
    format!("{server}/{name}")
}

fn psql(programs: &Path, url: &str, sql: &str) -> String {
    let output = Command::new(programs.join("psql"))
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql])
        .output();
    let output = output.expect("psql can be run");
    expect_success(sql, &output);
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

fn expect_success(what: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what} failed: {said}");
}

/// How to become somebody that PostgreSQL agrees to run as.
struct Demotion {
    words: Vec<String>,
}

impl Demotion {
    /// Gives the directory to [`USER`] if the tests run as root; otherwise nothing needs to be
    /// done.
    fn of_root(directory: &Path) -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self { words: Vec::new() };
        }
        let accounts = fs::read_to_string("/etc/passwd").expect("the accounts");
        let account = accounts.lines().find_map(|line| {
            let mut fields = line.strip_prefix(USER)?.strip_prefix(':')?.split(':').skip(1);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        });
        let (user, group) = account.expect("Debian's package makes an account `postgres`");
        chown(directory, Some(user), Some(group)).expect("root may give away a directory");
        let setpriv = program("setpriv", "util-linux", &[]);
        let setpriv = setpriv.to_str().expect("a plain path").to_owned();
        let words = [
            setpriv,
            format!("--reuid={user}"),
            format!("--regid={group}"),
            "--init-groups".to_owned(),
            "--".to_owned(),
        ];
        Self { words: words.into() }
    }

    fn command<'a>(&'a self, program: &'a Path) -> Vec<&'a OsStr> {
        self.words.iter().map(OsStr::new).chain([program.as_os_str()]).collect()
    }
}
