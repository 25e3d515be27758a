//! Memory of processes that have worked and now have nothing to do: their proportional share (PSS),
//! with each kind measured while no other one runs, since the code of a program is shared by those
//! who run it.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use rustix::process::Pid;

use super::Scale;
use crate::{
    report::{Line, Unit},
    series::Series,
    site::{Backend, Crew, Site},
    target::Target,
};

/// Shares of a supervisor, if there is one, and of the process that works.
struct Shares {
    supervisor: f64,
    works: f64,
}

pub(crate) fn measure(scale: &Scale) -> Vec<Line> {
    let [mut up, mut api, mut worker] = [const { Vec::new() }; 3];
    for _ in 0..scale.rounds {
        up.push(after_work(scale, Backend::Embedded, |_| {}));
        api.push(after_work(scale, Backend::Postgres, Site::end_workers));
        worker.push(after_work(scale, Backend::Postgres, Site::end_server));
    }
    let mut lines = Vec::new();
    for (name, shares, most) in [("up", up, 30.0), ("api", api, 16.0), ("worker", worker, 8.0)] {
        let of = |part: fn(&Shares) -> f64| shares.iter().map(part).collect::<Series>();
        let line = |part: &str, values| {
            Line::new(format!("idle memory, {name}{part}"), Unit::Mebibytes, values)
        };
        let total = line("", of(|shares| shares.supervisor + shares.works));
        lines.push(total.reaching(Target::at_most(most)));
        if name != "api" {
            lines.push(line(": supervisor", of(|shares| shares.supervisor)));
            lines.push(line(": runner", of(|shares| shares.works)));
        }
    }
    lines
}

fn after_work(scale: &Scale, backend: Backend, leave_one: fn(&mut Site)) -> Shares {
    let mut site = Site::start(scale, backend, Crew::of(2));
    site.run_batch(scale.count(1_000, 20), &["true"]);
    leave_one(&mut site);
    let families = site.processes();
    let [family] = families.as_slice() else { panic!("one program is left: {families:?}") };
    match family.as_slice() {
        [works] => Shares { supervisor: 0.0, works: at_rest(scale, *works) },
        [supervisor, works] => {
            let works = at_rest(scale, *works);
            Shares { supervisor: share(*supervisor), works }
        }
        more => panic!("a supervisor and its runner: {more:?}"),
    }
}

/// The share of a process once it changes no more.
fn at_rest(scale: &Scale, process: Pid) -> f64 {
    let limit = Duration::from_millis(scale.count(15_000, 100) as u64);
    let started = Instant::now();
    let mut before = share(process);
    loop {
        thread::sleep(limit / 5);
        let now = share(process);
        if (now - before).abs() < 0.01 * before || started.elapsed() > limit {
            return now;
        }
        before = now;
    }
}

/// Proportional share of a process in MiB.
fn share(process: Pid) -> f64 {
    let path = format!("/proc/{}/smaps_rollup", process.as_raw_pid());
    let text = fs::read_to_string(path).expect("a process of this user");
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).expect("a line");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a size");
    kib / 1024.0
}
