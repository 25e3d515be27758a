//! One, two and four workers: more must never be slower.

use super::Scale;
use crate::{
    limits,
    report::{Line, Unit},
    series::Series,
    site::{Backend, Crew, Site},
    target::Target,
};

const FLEETS: [usize; 3] = [1, 2, 4];

pub(crate) fn measure(scale: &Scale, backend: Backend) -> Vec<Line> {
    let jobs = scale.count(5_000, 50);
    let mut site = Site::start(scale, backend, Crew::of(8));
    site.run_batch(scale.count(500, 10), &["true"]);
    let mut rates = FLEETS.map(|_| Series::default());
    let mut raw = Series::default();
    for _ in 0..scale.rounds {
        let (limit, ()) = limits::commands_around(scale.count(4_000, 40), || {
            for (fleet, rates) in FLEETS.into_iter().zip(&mut rates) {
                site.end_workers();
                site.hire(Crew { workers: fleet, slots: 8 });
                rates.push(jobs as f64 / site.run_batch(jobs, &["true"]).as_secs_f64());
            }
        });
        raw.push(limit);
    }
    let [one, two, four] = rates;
    let line = |workers: &str, values: Series| {
        let what = format!("end to end, {}, {workers} of 8 slots", backend.as_str());
        Line::new(what, Unit::JobsPerSecond, values)
    };
    vec![
        line("1 worker", one.clone()).beside(limits::RAW, raw),
        line("2 workers", two)
            .beside("1 worker", one.clone())
            .reaching(Target::ratio_at_least(1.0)),
        line("4 workers", four).beside("1 worker", one).reaching(Target::ratio_at_least(1.0)),
    ]
}
