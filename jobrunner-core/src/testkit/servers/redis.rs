use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    sync::LazyLock,
};

use uuid::Uuid;

use super::{
    REDIS_VARIABLE,
    guard::{Guard, Recipe},
    program,
};

/// A Redis server that keeps nothing: stopped and started again, it is empty.
pub struct PrivateRedis {
    guard: Guard,
    port: u16,
}

/// A Redis server that other tests use too, each with keys of its own.
pub struct SharedRedis {
    url: String,
    _own: Option<PrivateRedis>,
}

impl PrivateRedis {
    /// Starts a server.
    #[must_use]
    pub fn start() -> Self {
        let server = program("redis-server", "redis-server", &[]);
        let directory = tempfile::Builder::new().prefix("jobrunner-redis-").tempdir();
        let directory = directory.expect("a directory").keep();
        let mut command = vec![server.as_os_str()];
        let settings = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"];
        command.extend(settings.map(OsStr::new));
        command.extend([directory.as_os_str(), OsStr::new("--port")]);
        let ready = "Ready to accept connections";
        let recipe = Recipe { command: &command, haste: "KILL", ready };
        let mut guard = Guard::new(directory.clone(), &recipe);
        let port = guard.start();
        Self { guard, port }
    }

    /// A server for all tests of this run that only need keys of their own.
    #[must_use]
    pub fn shared() -> &'static SharedRedis {
        static SHARED: LazyLock<SharedRedis> = LazyLock::new(|| match env::var(REDIS_VARIABLE) {
            Ok(url) => SharedRedis { url, _own: None },
            Err(_) => {
                let own = PrivateRedis::start();
                SharedRedis { url: own.url(), _own: Some(own) }
            }
        });
        &SHARED
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Forgets everything it holds, as `FLUSHALL` does.
    pub fn wipe(&self) {
        let mut client = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        client.write_all(b"FLUSHALL\r\n").expect("a Redis that listens");
        let mut answer = String::new();
        BufReader::new(client).read_line(&mut answer).expect("an answer");
        assert_eq!(answer, "+OK\r\n");
    }

    /// Ends the server at once; what it held is gone.
    pub fn stop(&mut self) {
        self.guard.stop("KILL");
    }

    /// Starts a stopped server again, on the same port and empty.
    pub fn start_again(&mut self) {
        assert!(self.guard.start_on(self.port), "somebody else took the port {}", self.port);
    }
}

impl SharedRedis {
    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A prefix for keys that nobody else uses.
    #[must_use]
    pub fn fresh_prefix(&self) -> String {
        format!("test-{}", Uuid::now_v7().simple())
    }
}
