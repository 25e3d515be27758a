//! Many short jobs from their submission to the end of the last, by one worker.

use std::fs;

use rustix::process::Pid;

use super::Scale;
use crate::{
    limits,
    report::{Line, Unit},
    series::Series,
    site::{Backend, Crew, Site},
    target::Target,
};

/// The number of slots whose figures are the promise.
const USUAL: usize = 8;

pub(crate) fn measure(scale: &Scale, backend: Backend) -> Vec<Line> {
    let slots = [USUAL, 2, 32];
    let few = scale.count(slots.len(), 1);
    slots[..few].iter().flat_map(|slots| with_slots(scale, backend, *slots)).collect()
}

fn with_slots(scale: &Scale, backend: Backend, slots: usize) -> Vec<Line> {
    let jobs = scale.count(5_000, 50);
    let what = |figure: &str| {
        let figure = if figure.is_empty() { String::new() } else { format!(": {figure}") };
        format!("end to end, {}, {slots} slots{figure}", backend.as_str())
    };
    let mut site = Site::start(scale, backend, Crew::of(slots));
    site.run_batch(scale.count(500, 10), &["true"]);
    let [mut rates, mut raw, mut log, mut own] = [const { Vec::new() }; 4];
    for _ in 0..scale.rounds {
        let (limit, took) = limits::commands_around(scale.count(4_000, 40), || {
            let before = (log_position(&site), own_time(&site));
            let took = site.run_batch(jobs, &["true"]);
            log.push((log_position(&site) - before.0) / jobs as f64);
            own.push((own_time(&site) - before.1) * 1e6 / jobs as f64);
            took
        });
        raw.push(limit);
        rates.push(jobs as f64 / took.as_secs_f64());
    }
    let series = |values: Vec<f64>| values.into_iter().collect::<Series>();
    let mut lines = vec![
        Line::new(what(""), Unit::JobsPerSecond, series(rates))
            .beside(limits::RAW, series(raw))
            .reaching((slots == USUAL).then_some(match backend {
                Backend::Embedded => Target::ratio_at_least(0.8),
                Backend::Postgres | Backend::PostgresAndRedis => Target::ratio_at_least(0.75),
            })),
        Line::new(what("processor time of its own, a job"), Unit::Microseconds, series(own)),
    ];
    if slots == USUAL && backend != Backend::Embedded {
        let line = Line::new(what("log of the database, a job"), Unit::Bytes, series(log));
        lines.push(line.reaching(Target::at_most(1_200.0)));
        lines.extend(counted(scale, &mut site, jobs, what));
    }
    lines
}

/// What a batch costs the database, over all the life of the processes that run it, since a
/// connection says what it has done when it is closed.
fn counted(
    scale: &Scale,
    site: &mut Site,
    jobs: usize,
    what: impl Fn(&str) -> String,
) -> Vec<Line> {
    site.pause();
    let database = site.database().to_owned();
    let postgres = |site: &Site| {
        let postgres = site.postgres().expect("a server");
        postgres.count_statements(&database);
        postgres.work(&database)
    };
    let before = postgres(site);
    site.go_on(Crew::of(USUAL));
    site.run_batch(jobs, &["true"]);
    site.pause();
    let after = postgres(site);
    scale.profile(site.postgres().expect("a server"), &database);
    let each = |total: f64| [total / jobs as f64].into_iter().collect::<Series>();
    vec![
        Line::new(
            what("statements, a job"),
            Unit::Count,
            each(after.statements - before.statements),
        ),
        Line::new(
            what("transactions, a job"),
            Unit::Count,
            each(after.transactions - before.transactions),
        ),
    ]
}

fn log_position(site: &Site) -> f64 {
    site.postgres().map_or(0.0, crate::postgres::Postgres::log_position)
}

/// Processor time of all processes of the service in seconds, that of their commands and of a
/// database left out.
fn own_time(site: &Site) -> f64 {
    site.processes().iter().flatten().map(|process| processor_time(*process)).sum()
}

fn processor_time(process: Pid) -> f64 {
    // A command that was running a moment ago has ended and counts nothing.
    let line = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_pid()));
    let line = line.unwrap_or_default();
    let after_name = line.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: f64 =
        after_name.split(' ').skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum();
    // In /proc, whatever the kernel's own clock does.
    const TICKS_A_SECOND: f64 = 100.0;
    ticks / TICKS_A_SECOND
}
