//! What commands write: two gigabytes by one job, of which the head and the tail are kept, and as
//! much by 64 jobs at once.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::Scale;
use crate::{
    report::{Line, Unit},
    series::Series,
    site::{Backend, Crew, Site},
    target::Target,
};

/// How many jobs write at once.
const WRITERS: usize = 64;

pub(crate) fn measure(scale: &Scale, backend: Backend) -> Vec<Line> {
    let bytes = scale.count(2_000_000_000, 40 << 20);
    let site = Site::start(scale, backend, Crew::of(WRITERS));
    let [one, part] = [bytes, bytes / WRITERS].map(text);
    let [mut alone, mut together, mut pipe, mut file] = [const { Vec::new() }; 4];
    for _ in 0..scale.rounds {
        pipe.push(through_a_pipe(&one, bytes));
        file.push(into_a_file(&one, site.directory(), bytes));
        alone.push(by_one_job(&site, &one, bytes));
        let took = site.run_batch(WRITERS, &part.each_ref().map(String::as_str));
        together.push(megabytes(bytes / WRITERS * WRITERS, took));
    }
    let series = |values: &[f64]| values.iter().copied().collect::<Series>();
    let gigabytes = bytes as f64 / 1e9;
    let what = |who: &str| format!("output of {gigabytes:.0} GB {who}, {}", backend.as_str());
    let line =
        |who: &str, values: &[f64]| Line::new(what(who), Unit::MegabytesPerSecond, series(values));
    vec![
        line("through one job", &alone)
            .beside("the pipe", series(&pipe))
            .reaching(Target::ratio_at_least(0.5)),
        line("through one job", &alone).beside("a file, fsync", series(&file)),
        line("through 64 jobs at once", &together).beside("the pipe", series(&pipe)),
    ]
}

/// A command that writes so many bytes of lines, no two of which are alike.
fn text(bytes: usize) -> [String; 3] {
    ["sh", "-c", &format!("seq 1000000000 | head -c {bytes}")].map(str::to_owned)
}

fn by_one_job(site: &Site, command: &[String], bytes: usize) -> f64 {
    let body = json!({"name": "a flood", "command": command}).to_string();
    let mut wire = site.wire();
    let started = Instant::now();
    let job = wire.submit("/jobs", body.as_bytes());
    let path = format!("/jobs/{}", job["id"].as_str().expect("an id"));
    let job = loop {
        let job = wire.get(&path);
        if !job["finished_at"].is_null() {
            break job;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let took = started.elapsed();
    assert_eq!(job["status"], "passed", "{job}");
    assert_eq!(job["result"]["stdout_bytes"], bytes, "every byte was seen: {job}");
    assert_eq!(job["result"]["truncated"], bytes > (17 << 20), "the middle is left out: {job}");
    megabytes(bytes, took)
}

fn through_a_pipe(command: &[String], bytes: usize) -> f64 {
    let started = Instant::now();
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut pipe = child.stdout.take().expect("a pipe");
    let (mut buffer, mut read) = (vec![0; 64 << 10], 0);
    loop {
        match pipe.read(&mut buffer).expect("output") {
            0 => break,
            count => read += count,
        }
    }
    assert!(child.wait().expect("an end").success());
    assert_eq!(read, bytes);
    megabytes(bytes, started.elapsed())
}

fn into_a_file(command: &[String], directory: &Path, bytes: usize) -> f64 {
    let path = directory.join("output");
    let started = Instant::now();
    let file = File::create(&path).expect("a file");
    let status = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stdout(file.try_clone().expect("a descriptor"))
        .status();
    assert!(status.expect("a process").success());
    file.sync_all().expect("it is on the disk");
    let took = started.elapsed();
    fs::remove_file(&path).expect("the file goes");
    megabytes(bytes, took)
}

/// Millions of bytes a second.
fn megabytes(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}
