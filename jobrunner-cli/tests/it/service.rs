//! `jobrunner up` as a process of its own, and a client to talk to it.

use std::{
    cell::RefCell,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use jobrunner_core::{
    executor::processes::{self, Process},
    testkit::{PATIENCE, wait_until, wait_while_progressing},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_jobrunner");
pub(crate) const EMAIL: &str = "admin@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A running service. Dropping it kills it with SIGKILL.
pub(crate) struct Service {
    process: Child,
    pub(crate) url: String,
    http: reqwest::Client,
    token: String,
    /// Where it said to be since then.
    moved: mpsc::Receiver<String>,
}

impl Service {
    /// Starts the service on a free port and signs in.
    pub(crate) async fn start(directory: &Path, workers: u32) -> Self {
        Self::start_with(directory, workers, &[]).await
    }

    /// The same, with more settings.
    pub(crate) async fn start_with(
        directory: &Path,
        workers: u32,
        settings: &[(&str, &str)],
    ) -> Self {
        Self::start_as(directory, workers, &[], settings).await
    }

    /// The same, with more arguments, too.
    pub(crate) async fn start_as(
        directory: &Path,
        workers: u32,
        arguments: &[&str],
        settings: &[(&str, &str)],
    ) -> Self {
        Self::start_by(Command::new(BINARY), directory, workers, arguments, settings).await
    }

    /// Starts it where there are so many descriptors for each of its processes.
    pub(crate) async fn start_within(directory: &Path, workers: u32, descriptors: u32) -> Self {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("ulimit -n {descriptors} && exec \"$0\" \"$@\"")).arg(BINARY);
        Self::start_by(shell, directory, workers, &[], &[]).await
    }

    async fn start_by(
        mut program: Command,
        directory: &Path,
        workers: u32,
        arguments: &[&str],
        settings: &[(&str, &str)],
    ) -> Self {
        let mut process = program
            .args([
                "up",
                "--listen",
                "127.0.0.1:0",
                "--workers",
                &workers.to_string(),
                "--data-dir",
            ])
            .arg(directory)
            .args(arguments)
            .env("JOBRUNNER_ADMIN_EMAIL", EMAIL)
            .env("JOBRUNNER_ADMIN_PASSWORD", PASSWORD)
            .envs(settings.iter().copied())
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a process");
        let stderr = BufReader::new(process.stderr.take().expect("a pipe"));
        let (lines, said) = mpsc::sync_channel(64);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
        let place = |line: String| {
            let (_, url) = line.split_once("page      ")?;
            Some(url.trim().trim_end_matches('/').to_owned())
        };
        let url = loop {
            let line = said.recv_timeout(PATIENCE).expect("the service says where it is");
            if let Some(url) = place(line) {
                break url;
            }
        };
        // Keeps the pipe empty for as long as the service talks.
        let (moves, moved) = mpsc::sync_channel(64);
        std::thread::spawn(move || {
            let places = said.into_iter().filter_map(place);
            places.take_while(|url| moves.send(url.clone()).is_ok()).for_each(drop);
        });
        let http = crate::tls::client().build().expect("a client");
        let mut service = Self { process, url, http, token: String::new(), moved };
        service.token = service.token_of(EMAIL).await;
        service
    }

    /// A token of an account with the usual password.
    pub(crate) async fn token_of(&self, email: &str) -> String {
        let form = [("username", email), ("password", PASSWORD)];
        let request = self.http.post(format!("{}/api/v1/auth/token", self.url)).form(&form);
        let answer = request.send().await.expect("an answer");
        let token: Value = answer.json().await.expect("JSON");
        token["access_token"].as_str().expect("a token").to_owned()
    }

    /// Ends it as the loss of its machine would: neither the supervisor nor the runner can do
    /// anything for the other.
    pub(crate) fn kill(mut self) {
        let runner = runner_of(&self.process);
        let seen = Process::read(runner).expect("it runs");
        // Stopped first, it does not see the runner end.
        let supervisor = Pid::from_child(&self.process);
        kill_process(supervisor, Signal::STOP).expect("it runs");
        kill_process(runner, Signal::KILL).expect("it runs");
        self.process.kill().expect("killed");
        self.process.wait().expect("gone");
        let started = Instant::now();
        let is_there = |now: Process| !now.is_zombie && now.started == seen.started;
        while Process::read(runner).is_some_and(is_there) {
            assert!(started.elapsed() < PATIENCE, "the runner does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// The process that was started.
    pub(crate) fn supervisor(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// The process that does the work.
    pub(crate) fn runner(&self) -> Pid {
        runner_of(&self.process)
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended_by_itself(mut self) -> std::process::ExitStatus {
        let process = RefCell::new(&mut self.process);
        let ended = async || process.borrow_mut().try_wait().expect("a child");
        wait_until("the service to end", ended).await
    }

    /// Waits until another runner serves.
    pub(crate) async fn comes_back(&mut self) {
        let moved = &self.moved;
        self.url = wait_until("the service to come back", async || moved.try_recv().ok()).await;
    }

    /// How much memory of the runner is resident, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        resident_of(self.runner())
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let bytes = self.bytes(path).await;
        serde_json::from_slice(&bytes).expect("JSON")
    }

    pub(crate) async fn bytes(&self, path: &str) -> Vec<u8> {
        let request = self.http.get(format!("{}/api/v1{path}", self.url)).bearer_auth(&self.token);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.bytes().await.expect("a body").to_vec()
    }

    /// A request that is not sent yet.
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.request_with(&self.token, method, path)
    }

    /// A request of somebody else that is not sent yet.
    pub(crate) fn request_with(
        &self,
        token: &str,
        method: reqwest::Method,
        path: &str,
    ) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.url)).bearer_auth(token)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.post_bytes(path, serde_json::to_vec(body).expect("JSON")).await
    }

    pub(crate) async fn post_bytes(&self, path: &str, body: Vec<u8>) -> (u16, Value) {
        let answer = self
            .http
            .post(format!("{}/api/v1{path}", self.url))
            .bearer_auth(&self.token)
            .header("Content-Type", "application/json")
            .body(body)
            .send()
            .await
            .expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.expect("JSON"))
    }

    /// Submits a job and answers its id.
    pub(crate) async fn job(&self, name: &str, command: &[&str], more: Value) -> String {
        let mut job = json!({"name": name, "command": command});
        for (key, value) in more.as_object().into_iter().flatten() {
            job[key] = value.clone();
        }
        let (status, job) = self.post("/jobs", &job).await;
        assert_eq!(status, 202, "{job}");
        job["id"].as_str().expect("an id").to_owned()
    }

    /// Asks until a field has a value.
    pub(crate) async fn until(&self, path: &str, field: &str, value: &Value) -> Value {
        wait_while_progressing(&format!("{field} of {path} to be {value}"), async || {
            let answer = self.get(path).await;
            if answer[field] == *value { Ok(answer) } else { Err(answer) }
        })
        .await
    }

    /// Asks until a job or a batch has ended, for as long as it prints or its counts change.
    pub(crate) async fn ended(&self, path: &str) -> Value {
        wait_while_progressing(&format!("{path} to end"), async || {
            let answer = self.get(path).await;
            if !answer["finished_at"].is_null() {
                return Ok(answer);
            }
            let is_job = answer["counts"].is_null() && answer["status"] == "running";
            let logs = format!("{path}/logs?tail_bytes=1");
            let printed =
                if is_job { self.get(&logs).await["stdout_bytes"].take() } else { json!(0) };
            Err((answer, printed))
        })
        .await
    }
}

/// How much memory of a process is resident, in bytes.
pub(crate) fn resident_of(process: Pid) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.as_raw_pid()));
    let status = status.expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// The process that a supervisor has started to do the work.
pub(crate) fn runner_of(supervisor: &Child) -> Pid {
    let of_supervisor =
        |process: &Process| process.parent == Pid::from_child(supervisor).as_raw_pid();
    let children = processes::all().expect("a process table").into_iter().filter(of_supervisor);
    // What it adopted came later.
    children.min_by_key(|process| process.started).expect("it has a runner").id
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may be gone already; nothing can be done about it here in any case.
        if self.process.kill().is_ok() {
            self.process.wait().expect("gone");
        }
    }
}

/// Waits for a condition on this machine.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    wait_until(what, async || holds().then_some(())).await;
}
