//! Where it was measured, and with what.

use std::{fs, process::Command, thread};

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) memory_gib: u64,
    pub(crate) kernel: String,
    /// Of the directory that databases and output are in.
    pub(crate) file_system: String,
    pub(crate) postgres: String,
    pub(crate) redis: String,
    pub(crate) rust: String,
}

impl Machine {
    pub(crate) fn this() -> Self {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib: u64 = value(&memory, "MemTotal")
            .and_then(|size| size.split(' ').next()?.parse().ok())
            .unwrap_or(0);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let directory = std::env::temp_dir();
        let directory = directory.to_string_lossy();
        let redis = said("redis-server", &["--version"]);
        Self {
            processor: value(&cpus, "model name").unwrap_or("processors").to_owned(),
            processors: thread::available_parallelism().map_or(0, usize::from),
            memory_gib: kib.div_ceil(1 << 20),
            kernel: kernel.trim().to_owned(),
            file_system: said("stat", &["--file-system", "--format=%T", &directory]),
            postgres: said("pg_config", &["--version"]),
            redis: redis.split(' ').take(3).collect::<Vec<_>>().join(" "),
            rust: said("rustc", &["--version"]),
        }
    }
}

/// The version of the code that this was built from, as git names it; with `-dirty` if it was
/// changed.
pub(crate) fn commit() -> String {
    said("git", &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"])
}

/// What stands behind a name and a colon, where it stands first.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

/// The first line that a program prints; nothing if it is not here.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}
