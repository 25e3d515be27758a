use std::{path::PathBuf, time::Duration};

use chrono::{DateTime, Utc};
use clap::Args;
use jobrunner_core::retry::RetryOn;

use super::{Remote, Wait, key, pair};
use crate::{find::JobRef, time};

/// Example: jobrunner submit --wait --timeout 10m -- make -j4 check
#[derive(Debug, Args)]
pub(crate) struct Submit {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// What to call it [default: the command]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The queue to wait in
    #[arg(long, add = crate::complete::queues())]
    pub(crate) queue: Option<String>,
    /// 0 to 10, 10 first
    #[arg(long, value_parser = priority)]
    pub(crate) priority: Option<u8>,
    /// The longest it may run, as in 90s or 2h
    #[arg(long, value_name = "DURATION", value_parser = limit)]
    pub(crate) timeout: Option<Duration>,
    /// A variable for its environment; can be repeated
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) env: Vec<(String, String)>,
    /// The directory to run in [default: this one]
    #[arg(short = 'C', long, value_name = "DIR")]
    pub(crate) working_dir: Option<PathBuf>,
    /// How many times it may be run until it passes
    #[arg(long, value_name = "N")]
    pub(crate) max_attempts: Option<u32>,
    #[command(flatten)]
    pub(crate) retry: Retry,
    /// Exit codes by which it says that it had nothing to do: it is passed, and skipped
    #[arg(
        long = "skip-exit-code",
        value_name = "N,M",
        value_delimiter = ',',
        value_parser = clap::value_parser!(i32).range(1..=255)
    )]
    pub(crate) skip_exit_codes: Vec<i32>,
    #[command(flatten)]
    pub(crate) limits: Limits,
    /// A path that must be readable before it is started; can be repeated
    #[arg(long = "input", value_name = "PATH")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Where it writes JUnit files, below its directory; * and ? stand for parts of a name, ** for
    /// any directories; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub(crate) junit: Vec<String>,
    /// Not before this time: 22:30, "2026-11-27 22:30", 2h
    #[arg(long, value_name = "TIME", value_parser = time::future)]
    pub(crate) at: Option<DateTime<Utc>>,
    /// After another job; not possible yet, and refused with what to do instead
    #[arg(long, value_name = "JOB", hide = true)]
    pub(crate) after: Option<JobRef>,
    /// Submit it once, however often this is repeated with the same key and job
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub(crate) idempotency_key: Option<String>,
    #[command(flatten)]
    pub(crate) wait: Wait,
    /// The program and its arguments; no shell reads them
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// Which failures are followed by another attempt, and when.
#[derive(Debug, Args)]
#[group(id = "retrying")]
pub(crate) struct Retry {
    /// Run it again only after these: exit codes, signal, timeout, silent [default: every failure]
    #[arg(
        long = "retry-on",
        value_name = "A,B",
        value_delimiter = ',',
        value_parser = clap::value_parser!(RetryOn),
        requires = "max_attempts"
    )]
    pub(crate) on: Vec<RetryOn>,
    /// How long to wait before it is run again, as in 30s
    #[arg(
        long = "retry-delay",
        value_name = "DURATION",
        value_parser = whole_seconds,
        requires = "max_attempts"
    )]
    pub(crate) delay: Option<Duration>,
    /// What each further wait is multiplied with, 1 to 10
    #[arg(long = "retry-backoff", value_name = "FACTOR", requires = "delay")]
    pub(crate) backoff: Option<f64>,
}

/// What it may use, besides time.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// The longest it may write nothing, as in 5m
    #[arg(long, value_name = "DURATION", value_parser = limit)]
    pub(crate) silence: Option<Duration>,
    /// How many bytes of each stream are stored, head and tail
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_output_bytes: Option<u64>,
    /// How much memory it may use, in MiB
    #[arg(long, value_name = "MIB")]
    pub(crate) max_memory_mb: Option<u64>,
    /// How many files each of its processes may have open
    #[arg(long, value_name = "N")]
    pub(crate) max_open_files: Option<u64>,
    /// How much processor time each of its processes may use, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) max_cpu_seconds: Option<u64>,
}

fn priority(text: &str) -> Result<u8, String> {
    let number = text.parse().ok().filter(|number| *number <= 10);
    number.ok_or_else(|| "must be 0 to 10".to_owned())
}

/// A duration that the service takes: it counts in whole seconds, and rounding would change what
/// was asked for.
fn whole_seconds(text: &str) -> Result<Duration, String> {
    let duration = super::duration(text)?;
    if duration.subsec_nanos() > 0 {
        let next = duration.as_secs().saturating_add(1);
        return Err(format!("must be a whole number of seconds, as in {next}s"));
    }
    Ok(duration)
}

/// A duration that something may take.
fn limit(text: &str) -> Result<Duration, String> {
    let duration = whole_seconds(text)?;
    if duration.is_zero() { Err("must be 1s or more".to_owned()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_taken_as_it_is_or_refused() {
        for (text, seconds) in [("1s", 1), ("90s", 90), ("2h 3s", 7203), ("1000ms", 1)] {
            assert_eq!(limit(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for (text, why) in [
            ("1900ms", "whole number of seconds, as in 2s"),
            ("900ms", "as in 1s"),
            ("1s 1ns", "as in 2s"),
            ("1us", "as in 1s"),
            ("0s", "1s or more"),
            ("5", "such as 90s or 2h"),
        ] {
            assert!(limit(text).expect_err("refused").contains(why), "{text}: {:?}", limit(text));
        }
        assert_eq!(whole_seconds("0s"), Ok(Duration::ZERO));
    }
}
