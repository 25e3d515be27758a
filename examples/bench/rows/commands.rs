//! How long the command line takes to submit the jobs of a night, to list them and to cancel them,
//! one command for each. No worker runs them.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
    time::{Duration, Instant},
};

use super::Scale;
use crate::{
    report::{Line, Unit},
    series::{Series, millis},
    site::{Backend, Crew, Site},
    target::Target,
};

/// How many jobs a list has by which what holds a page at a time has grown as far as it does.
const PAGES: usize = 5_000;

pub(crate) fn measure(scale: &Scale, backend: Backend) -> Vec<Line> {
    let jobs = scale.count(20_000, 2 * PAGES);
    let site = Site::start(scale, backend, Crew::NOBODY);
    let suite = site.directory().join("night.yaml");
    let text = format!(
        "name: night\njobs:\n  - name: test ${{n}}\n    command: [python3, -m, pytest, -x, \
         'tests/test_${{n}}.py']\n    matrix: {{n: 1..{jobs}}}\n"
    );
    fs::write(&suite, text).expect("a file");
    let suite = suite.to_str().expect("UTF-8");

    let [mut submit, mut list, mut cancel] = [const { Vec::new() }; 3];
    let [mut memory, mut memory_of_pages] = [const { Vec::new() }; 2];
    for _ in 0..scale.rounds {
        submit.push(millis(run(&site, &["batch", "submit", suite]).took));
        let list_of = |limit: &[&str]| {
            let arguments = ["jobs", "list", "--batch", "@last", "--output", "json"];
            run(&site, &[&arguments[..], limit].concat())
        };
        let pages = list_of(&["-n", &PAGES.to_string()]);
        memory_of_pages.push(pages.mebibytes);
        let whole = list_of(&["--all"]);
        // Each on a line of its own, between two brackets.
        assert_eq!((pages.lines, whole.lines), (PAGES + 2, jobs + 2));
        list.push(millis(whole.took));
        memory.push(whole.mebibytes);
        cancel.push(millis(run(&site, &["batch", "cancel", "@last"]).took));
        let batches = site.wire().get("/job-batches?limit=1");
        assert_eq!(batches["items"][0]["counts"]["canceled"], jobs, "{batches}");
    }
    let backend = backend.as_str();
    let line = |what: &str, values: Vec<f64>, most| {
        let what = format!("{jobs} jobs {what}, {backend}");
        let values: Series = values.into_iter().collect();
        Line::new(what, Unit::Milliseconds, values).reaching(Target::at_most(most))
    };
    let what = format!("memory of that list, {backend}");
    let memory = Line::new(what, Unit::Mebibytes, memory.into_iter().collect())
        .beside("of 5,000 jobs", memory_of_pages.into_iter().collect())
        .reaching(Target::ratio_at_most(1.1));
    vec![
        line("expanded and submitted", submit, 700.0),
        line("listed as JSON", list, 1_000.0),
        memory,
        line("canceled", cancel, 1_000.0),
    ]
}

struct Ran {
    took: Duration,
    /// How many lines it printed.
    lines: usize,
    /// The most memory it had, as far as was seen while it printed.
    mebibytes: f64,
}

/// Runs a command to its end, which is a good one.
fn run(site: &Site, arguments: &[&str]) -> Ran {
    let started = Instant::now();
    let mut command = site.client(arguments);
    let mut process = command.stdout(Stdio::piped()).spawn().expect("a process");
    let status = format!("/proc/{}/status", process.id());
    let mut stdout = BufReader::new(process.stdout.take().expect("a pipe"));
    let (mut line, mut lines, mut mebibytes) = (Vec::new(), 0, 0.0);
    while stdout.read_until(b'\n', &mut line).expect("output") > 0 {
        line.clear();
        lines += 1;
        if lines % 100 == 0 {
            mebibytes = peak(&status).unwrap_or(mebibytes);
        }
    }
    let ended = process.wait().expect("an end");
    assert!(ended.success(), "{arguments:?}: {ended}");
    Ran { took: started.elapsed(), lines, mebibytes }
}

/// The most memory that a process has had; nothing once it has ended.
fn peak(status: &str) -> Option<f64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib / 1024.0)
}
