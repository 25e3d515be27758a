//! What others do with the same commands, where they are installed.

use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::Scale;
use crate::{
    limits,
    report::{Line, Unit},
    series::Series,
    site,
    target::Target,
};

/// `xargs -P2`, which promises nothing.
pub(crate) fn xargs(scale: &Scale) -> Vec<Line> {
    let jobs = scale.count(5_000, 50);
    rate(scale, "xargs", "xargs -P2", jobs, || shell(jobs, "xargs -P2 -n1 /bin/true"))
}

/// `jobrunner run` without a server, beside `xargs -P2` in the same rounds.
pub(crate) fn local(scale: &Scale) -> Vec<Line> {
    let jobs = scale.count(2_000, 50);
    let directory = tempfile::tempdir().expect("a directory");
    let suite = directory.path().join("true.yaml");
    let text = format!(
        "name: true\njobs:\n  - name: test ${{n}}\n    command: [/bin/true]\n    matrix: {{n: 1..{jobs}}}\n"
    );
    fs::write(&suite, text).expect("a file");
    let [mut rates, mut others] = [const { Vec::new() }; 2];
    for _ in 0..scale.rounds {
        let mut command = Command::new(site::binary());
        command.args(["run", "--jobs", "2"]).arg(&suite).current_dir(directory.path());
        command.env("XDG_STATE_HOME", directory.path());
        let started = Instant::now();
        assert!(succeeds(command), "jobrunner run");
        rates.push(jobs as f64 / started.elapsed().as_secs_f64());
        let started = Instant::now();
        shell(jobs, "xargs -P2 -n1 /bin/true");
        others.push(jobs as f64 / started.elapsed().as_secs_f64());
    }
    let line =
        Line::new("jobrunner run, 2 slots", Unit::JobsPerSecond, rates.into_iter().collect());
    let line = line.beside("xargs -P2", others.into_iter().collect());
    vec![line.reaching(Target::ratio_at_least(1.0))]
}

/// GNU parallel with two slots.
pub(crate) fn parallel(scale: &Scale) -> Vec<Line> {
    let jobs = scale.count(500, 10);
    rate(scale, "parallel", "GNU parallel -j2", jobs, || shell(jobs, "parallel -j2 /bin/true"))
}

/// A server and a worker of HyperQueue, for one array of tasks.
pub(crate) fn hyperqueue(scale: &Scale) -> Vec<Line> {
    if !is_installed("hq") {
        return Vec::new();
    }
    let directory = tempfile::tempdir().expect("a directory");
    let server = Started::new(hq(directory.path(), &["server", "start"]));
    until("a server", || succeeds(hq(directory.path(), &["server", "info"])));
    let worker = Started::new(hq(directory.path(), &["worker", "start", "--cpus", "8"]));
    until("a worker", || {
        let output = hq(directory.path(), &["worker", "list"]).output().expect("a process");
        String::from_utf8_lossy(&output.stdout).contains("RUNNING")
    });
    let jobs = scale.count(5_000, 50);
    let lines = rate(scale, "hq", "HyperQueue, 8 slots", jobs, || {
        let array = format!("1-{jobs}");
        let submit = [
            "submit",
            "--array",
            &array,
            "--wait",
            "--stdout",
            "none",
            "--stderr",
            "none",
            "--",
            "/bin/true",
        ];
        assert!(succeeds(hq(directory.path(), &submit)));
    });
    drop((worker, server));
    lines
}

/// Nothing if the program is not installed.
fn rate(scale: &Scale, program: &str, what: &str, jobs: usize, run: impl Fn()) -> Vec<Line> {
    if !is_installed(program) {
        eprintln!("{program} is not installed");
        return Vec::new();
    }
    let [mut rates, mut raw] = [const { Vec::new() }; 2];
    for _ in 0..scale.rounds {
        let (limit, took) = limits::commands_around(scale.count(4_000, 40), || {
            let started = Instant::now();
            run();
            started.elapsed()
        });
        raw.push(limit);
        rates.push(jobs as f64 / took.as_secs_f64());
    }
    let line = Line::new(what, Unit::JobsPerSecond, rates.into_iter().collect::<Series>());
    vec![line.beside(limits::RAW, raw.into_iter().collect())]
}

fn shell(jobs: usize, runner: &str) {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("seq {jobs} | {runner}")]);
    assert!(succeeds(command), "{runner}");
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

fn succeeds(mut command: Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn hq(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("hq");
    command.arg("--server-dir").arg(directory).args(arguments);
    command
}

/// A process that is killed in the end.
struct Started(Child);

impl Started {
    fn new(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("a process"))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if self.0.kill().and_then(|()| self.0.wait()).is_err() {
            eprintln!("process {} cannot be killed", self.0.id());
        }
    }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "waited in vain for {what}");
        thread::sleep(Duration::from_millis(50));
    }
}
