//! How soon a job is run when there is nothing else to do, as its submitter sees it.

use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::Scale;
use crate::{
    report::{Line, Unit},
    series::{Series, millis},
    site::{Backend, Crew, Site},
    target::Target,
    watch::Watched,
    wire::Wire,
};

/// From the moment a submission is sent, in milliseconds.
#[derive(Default)]
struct Times {
    answered: Series,
    started: Series,
    /// When a look at the job says that it has ended.
    finished: Series,
}

pub(crate) fn measure(scale: &Scale, backend: Backend) -> Vec<Line> {
    let count = scale.count(100, 3);
    let site = Site::start(scale, backend, Crew::of(8));
    let watched = Watched::in_directory(site.directory());
    let mut wire = site.wire();
    submit(&mut wire, &watched, scale.count(20, 1));
    let [mut medians, mut worst, mut limits] = [const { Vec::new() }; 3];
    for _ in 0..scale.rounds {
        let limit = bare(&mut wire, &watched, count);
        let times = submit(&mut wire, &watched, count);
        medians.push(times.each_at(0.5));
        worst.push(times.each_at(0.99));
        limits.push(limit.each_at(0.5));
    }
    let steps = [
        ("answer", "GET /health/live", answer_by(backend)),
        ("started", "posix_spawn to exec", start_by(backend)),
        ("finished", "posix_spawn to wait", end_by(backend)),
    ];
    let mut lines = Vec::new();
    for (place, (step, limit, (median_target, worst_target))) in steps.into_iter().enumerate() {
        let of = |rounds: &[[f64; 3]]| rounds.iter().map(|round| round[place]).collect::<Series>();
        let what = |p: &str| format!("idle, {}, submit → {step}, {p}", backend.as_str());
        lines.push(
            Line::new(what("p50"), Unit::Milliseconds, of(&medians))
                .beside(limit, of(&limits))
                .reaching(median_target),
        );
        let line = Line::new(what("p99"), Unit::Milliseconds, of(&worst));
        lines.push(line.reaching(worst_target));
    }
    lines
}

type Bounds = (Option<Target>, Option<Target>);

fn answer_by(backend: Backend) -> Bounds {
    ((backend == Backend::Embedded).then_some(Target::at_most(1.0)), None)
}

fn start_by(backend: Backend) -> Bounds {
    match backend {
        Backend::Embedded => (Some(Target::at_most(1.5)), None),
        Backend::Postgres | Backend::PostgresAndRedis => {
            (Some(Target::at_most(2.5)), Some(Target::at_most(5.0)))
        }
    }
}

fn end_by(backend: Backend) -> Bounds {
    match backend {
        Backend::Embedded => (Some(Target::at_most(3.5)), None),
        Backend::Postgres | Backend::PostgresAndRedis => (Some(Target::at_most(5.0)), None),
    }
}

fn submit(wire: &mut Wire, watched: &Watched, count: usize) -> Times {
    let body = json!({"name": "idle", "command": [watched.program()]}).to_string();
    let mut times = Times::default();
    for n in 0..count {
        rest(n);
        let sent = Instant::now();
        let job = wire.submit("/jobs", body.as_bytes());
        times.answered.push(millis(sent.elapsed()));
        times.started.push(millis(watched.started().saturating_duration_since(sent)));
        watched.ended();
        let id = job["id"].as_str().expect("an id");
        let job = ended(wire, id);
        times.finished.push(millis(sent.elapsed()));
        assert_eq!(job["status"], "passed", "{job}");
    }
    times
}

/// The same steps without a service that does anything.
fn bare(wire: &mut Wire, watched: &Watched, count: usize) -> Times {
    let mut times = Times::default();
    for _ in 0..count {
        let sent = Instant::now();
        let (status, _) = wire.send("GET", "/health/live", "text/plain", b"");
        times.answered.push(millis(sent.elapsed()));
        assert_eq!(status, 200);
        let sent = Instant::now();
        let mut command = Command::new(watched.program());
        let output = command.env_clear().stdin(Stdio::null()).output().expect("a process");
        times.finished.push(millis(sent.elapsed()));
        assert!(output.status.success());
        times.started.push(millis(watched.started().saturating_duration_since(sent)));
        watched.ended();
    }
    times
}

/// Waits until a job that is about to end has ended. Each look takes processor time from the
/// service.
fn ended(wire: &mut Wire, id: &str) -> Value {
    loop {
        let job = wire.get(&format!("/jobs/{id}"));
        if !job["finished_at"].is_null() {
            return job;
        }
        thread::sleep(Duration::from_micros(300));
    }
}

/// Long enough for everything to have come to rest, and never in step with what happens at equal
/// intervals.
fn rest(n: usize) {
    thread::sleep(Duration::from_micros(30_000 + (n as u64 * 7_919) % 20_000));
}

impl Times {
    fn each_at(&self, quantile: f64) -> [f64; 3] {
        [&self.answered, &self.started, &self.finished].map(|series| series.quantile(quantile))
    }
}
