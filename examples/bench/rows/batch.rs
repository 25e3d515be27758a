//! The largest batch in one request. Nobody runs its jobs.

use std::time::Instant;

use serde_json::{Value, json};

use super::Scale;
use crate::{
    bare,
    report::{Line, Unit},
    series::Series,
    site::{Backend, Crew, Site},
    target::Target,
};

pub(crate) fn measure(scale: &Scale, backend: Backend) -> Vec<Line> {
    // As many as a batch may have.
    let jobs = scale.count(100_000, 1_000);
    let site = Site::start(scale, backend, Crew::NOBODY);
    let members: Vec<Value> = (0..jobs).map(member).collect();
    let body = json!({"name": "nightly", "jobs": members}).to_string();
    let text = member(0).to_string();
    let mut wire = site.wire();
    let [mut rates, mut limit] = [const { Vec::new() }; 2];
    for _ in 0..scale.rounds {
        let took = match backend {
            Backend::Embedded => bare::sqlite_rows(site.directory(), jobs, &text),
            Backend::Postgres | Backend::PostgresAndRedis => {
                bare::postgres_rows(site.database(), jobs, &text)
            }
        };
        limit.push(jobs as f64 / took.as_secs_f64());
        let started = Instant::now();
        let batch = wire.submit("/job-batches", body.as_bytes());
        rates.push(jobs as f64 / started.elapsed().as_secs_f64());
        assert_eq!(batch["counts"]["waiting"], jobs, "{batch}");
    }
    let what = format!("a batch of {jobs} through the API, {}", backend.as_str());
    vec![
        Line::new(what, Unit::JobsPerSecond, rates.into_iter().collect())
            .beside("bare rows", limit.into_iter().collect::<Series>())
            .reaching(Target::at_least(80_000.0)),
    ]
}

fn member(n: usize) -> Value {
    let file = format!("tests/test_{n}.py");
    json!({"name": format!("test {n}"), "command": ["python3", "-m", "pytest", "-x", file]})
}
