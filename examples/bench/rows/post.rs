//! Single submissions by many clients at once, each waiting for its answer. Nobody runs the jobs.

use std::{thread, time::Instant};

use super::Scale;
use crate::{
    limits,
    report::{Line, Unit},
    series::{Series, millis},
    site::{Backend, Crew, Site},
    target::Target,
    wire::Wire,
};

const CLIENTS: usize = 16;

const JOB: &[u8] = br#"{"name": "a job", "command": ["make", "-f", "Makefile", "all"]}"#;

pub(crate) fn measure(scale: &Scale, backend: Backend) -> Vec<Line> {
    let count = scale.count(8_000, 160);
    let site = Site::start(scale, backend, Crew::NOBODY);
    let mut wires: Vec<Wire> = (0..CLIENTS).map(|_| site.wire()).collect();
    submit(&mut wires, scale.count(1_600, 16));
    let [mut rates, mut limit, mut median, mut worst] = [const { Vec::new() }; 4];
    for _ in 0..scale.rounds {
        limit.push(limits::requests_a_second(&mut wires, count));
        let started = Instant::now();
        let times = submit(&mut wires, count);
        rates.push(count as f64 / started.elapsed().as_secs_f64());
        median.push(times.median());
        worst.push(times.quantile(0.99));
    }
    let stored = site.wire().get("/jobs/stats")["waiting"].as_u64().expect("a count");
    let all = scale.count(1_600, 16) + count * scale.rounds as usize;
    assert_eq!(stored, all as u64, "every job that was answered is there");
    let what =
        |figure: &str| format!("POST /jobs, {CLIENTS} clients, {}{figure}", backend.as_str());
    let series = |values: Vec<f64>| values.into_iter().collect::<Series>();
    let (rate, time) = match backend {
        Backend::Embedded => (10_000.0, None),
        Backend::Postgres | Backend::PostgresAndRedis => (7_000.0, Some(Target::at_most(10.0))),
    };
    vec![
        Line::new(what(""), Unit::RequestsPerSecond, series(rates))
            .beside("GET /health/live", series(limit))
            .reaching(Target::at_least(rate)),
        Line::new(what(", p50"), Unit::Milliseconds, series(median)),
        Line::new(what(", p99"), Unit::Milliseconds, series(worst)).reaching(time),
    ]
}

/// How long each submission takes, in milliseconds.
fn submit(wires: &mut [Wire], count: usize) -> Series {
    let each = count / wires.len();
    thread::scope(|scope| {
        let clients: Vec<_> = wires
            .iter_mut()
            .map(|wire| {
                scope.spawn(move || {
                    let times = (0..each).map(|_| {
                        let started = Instant::now();
                        let (status, answer) = wire.send("POST", "/jobs", "application/json", JOB);
                        let took = started.elapsed();
                        assert_eq!(status, 202, "{}", String::from_utf8_lossy(answer));
                        millis(took)
                    });
                    times.collect::<Vec<f64>>()
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    })
}
