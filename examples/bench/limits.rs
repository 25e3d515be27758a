//! What the machine can do at best: the limits that figures are set beside.

use std::{
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::wire::Wire;

/// What the limit of commands is called in the table.
pub(crate) const RAW: &str = "raw";

/// How many commands a second two threads run, each one after the other: `posix_spawn`, both pipes
/// read to their end, and wait.
pub(crate) fn commands_a_second(count: usize) -> f64 {
    count as f64 / commands(count).as_secs_f64()
}

/// The same, half of them before something is done and half after it, since what else a machine
/// does comes and goes.
pub(crate) fn commands_around<T>(count: usize, run: impl FnOnce() -> T) -> (f64, T) {
    let before = commands(count / 2);
    let done = run();
    let after = commands(count / 2);
    (count as f64 / (before + after).as_secs_f64(), done)
}

/// The time for an even number of commands.
fn commands(count: usize) -> Duration {
    const THREADS: usize = 2;
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..count / THREADS).for_each(|_| truth()));
        }
    });
    started.elapsed()
}

fn truth() {
    let output = Command::new("/bin/true").env_clear().stdin(Stdio::null()).output();
    assert!(output.expect("a process").status.success());
}

/// How many requests a second a server answers to so many clients at once that only ask whether it
/// lives.
pub(crate) fn requests_a_second(wires: &mut [Wire], count: usize) -> f64 {
    let each = count / wires.len();
    let started = Instant::now();
    thread::scope(|scope| {
        for wire in wires.iter_mut() {
            scope.spawn(move || {
                for _ in 0..each {
                    let (status, _) = wire.send("GET", "/health/live", "text/plain", b"");
                    assert_eq!(status, 200);
                }
            });
        }
    });
    (each * wires.len()) as f64 / started.elapsed().as_secs_f64()
}
