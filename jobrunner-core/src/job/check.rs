use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{JobSpec, LoadingVariables, NewJob};
use crate::{
    ProjectName, Violation, name, report::Glob, series::check_variant, workdir::AllowedRoots,
};

/// The longest argument or `NAME=value` the kernel takes, its closing NUL included:
/// `MAX_ARG_STRLEN` of `linux/binfmts.h`, 32 pages.
const MAX_STRING_BYTES: usize = 131_072;

/// The most that arguments and environment may take together. The kernel allows a quarter of the
/// stack limit, 2 MiB by default (execve(2)); the rest is left for what the worker adds.
const MAX_EXEC_BYTES: usize = 1_900_000;

const MAX_PAYLOAD_BYTES: usize = 65_536;

/// How deep a payload may be nested: parsers give up at 128, and answers nest it a few levels
/// deeper.
const MAX_PAYLOAD_DEPTH: usize = 64;
const MAX_INPUTS: usize = 1_000;
const MAX_JUNIT: usize = 32;
const MAX_PATH_BYTES: usize = 4_096;
const MAX_ATTEMPTS: u32 = 100;

/// There are no more that are not 0.
const MAX_SKIP_EXIT_CODES: usize = 255;

/// A program needs some descriptors to start at all.
const MIN_OPEN_FILES: u64 = 16;
const MAX_SCHEDULE_DAYS: i64 = 3_660;

/// What an operator allows, and what stands in for what a caller leaves out.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The queue of a job that names none.
    pub default_queue: String,
    /// The directory of a job that names none.
    pub default_working_dir: String,
    /// Where commands may run and inputs may lie.
    pub allowed_roots: AllowedRoots,
    /// The timeout of a job that names none, and the longest any may ask for.
    pub max_timeout: Duration,
    /// Which variables that make a program load or run something else a job may set.
    pub loading_variables: LoadingVariables,
    /// Whether working directories and inputs must exist on the server at submission.
    pub must_exist: bool,
}

/// Anything goes: jobs of the queue `default` in the root directory, for an hour at most.
impl Default for Rules {
    fn default() -> Self {
        Self {
            default_queue: "default".to_owned(),
            default_working_dir: "/".to_owned(),
            allowed_roots: AllowedRoots::default(),
            max_timeout: Duration::from_secs(3600),
            loading_variables: LoadingVariables::default(),
            must_exist: false,
        }
    }
}

impl Rules {
    /// The default priority of a job.
    pub const DEFAULT_PRIORITY: u8 = 5;

    /// Checks a job and fills in what it leaves out. Touches no file: paths are judged by their
    /// text alone. Every broken rule is reported, not just the first.
    ///
    /// A `timeout_seconds` above the operator's limit is lowered to it.
    ///
    /// # Errors
    /// The fields that break a rule.
    pub fn check(&self, job: NewJob) -> Result<JobSpec, Vec<Violation>> {
        let mut wrong = Vec::new();
        check_name(&job.name, &mut wrong);
        check_command(&job.command, &mut wrong);
        self.check_env(&job.env, &mut wrong);
        check_exec_size(&job, &mut wrong);
        check_payload(&job.payload, &mut wrong);

        let working_dir = job.working_dir.unwrap_or_else(|| self.default_working_dir.clone());
        self.check_path("working_dir", &working_dir, &mut wrong);
        if job.inputs.len() > MAX_INPUTS {
            wrong.push(Violation::new("inputs", format!("may list at most {MAX_INPUTS} paths")));
        } else {
            for (index, path) in job.inputs.iter().enumerate() {
                self.check_path(&format!("inputs[{index}]"), path, &mut wrong);
            }
        }

        check_junit(&job.junit, &mut wrong);

        let queue = job.queue.unwrap_or_else(|| self.default_queue.clone());
        if let Err(violation) = check_queue(&queue) {
            wrong.push(violation);
        }
        let project = job.project.map(ProjectName::try_from).transpose();
        if let Err(violation) = &project {
            wrong.push(violation.clone());
        }
        let priority = job.priority.unwrap_or(Self::DEFAULT_PRIORITY);
        if priority > 10 {
            wrong.push(Violation::new("priority", "must be 0 to 10"));
        }
        if job.timeout_seconds == Some(0) {
            wrong.push(Violation::new("timeout_seconds", "must be 1 or more"));
        }
        let longest = self.max_timeout.as_secs();
        let timeout_seconds = job.timeout_seconds.map_or(longest, |seconds| seconds.min(longest));
        let max_attempts = job.max_attempts.unwrap_or(1);
        if !(1..=MAX_ATTEMPTS).contains(&max_attempts) {
            wrong.push(Violation::new("max_attempts", format!("must be 1 to {MAX_ATTEMPTS}")));
        }
        if let Some(retry) = &job.retry {
            retry.check(&mut wrong);
        }
        check_skip_exit_codes(&job.skip_exit_codes, &mut wrong);
        let refusal = job.test.as_deref().and_then(name::refusal);
        wrong.extend(refusal.map(|message| Violation::new("test", message)));
        check_variant(&job.variant, &mut wrong);
        if let Some(seed) = &job.seed {
            seed.check(&mut wrong);
        }
        for (field, value, least) in [
            ("silence_seconds", job.silence_seconds, 1),
            ("max_output_bytes", job.max_output_bytes, 1),
            ("max_memory_mb", job.max_memory_mb, 1),
            ("max_open_files", job.max_open_files, MIN_OPEN_FILES),
            ("max_cpu_seconds", job.max_cpu_seconds, 1),
        ] {
            if value.is_some_and(|value| value < least) {
                wrong.push(Violation::new(field, format!("must be {least} or more")));
            }
        }
        if job.scheduled_at.is_some_and(|at| at - Utc::now() > TimeDelta::days(MAX_SCHEDULE_DAYS)) {
            wrong.push(Violation::new("scheduled_at", "must be within the next ten years"));
        }
        if job.scheduled_at.is_some_and(|at| at < DateTime::UNIX_EPOCH) {
            wrong.push(Violation::new("scheduled_at", "must be a time since 1970"));
        }

        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(JobSpec {
            name: job.name,
            command: job.command,
            working_dir,
            env: job.env,
            payload: job.payload,
            project: project.ok().flatten(),
            queue,
            priority,
            timeout_seconds,
            scheduled_at: job.scheduled_at,
            max_attempts,
            retry: job.retry,
            skip_exit_codes: job.skip_exit_codes,
            inputs: job.inputs,
            junit: job.junit,
            silence_seconds: job.silence_seconds,
            max_output_bytes: job.max_output_bytes,
            max_memory_mb: job.max_memory_mb,
            max_open_files: job.max_open_files,
            max_cpu_seconds: job.max_cpu_seconds,
            test: job.test,
            variant: job.variant,
            seed: job.seed,
            rerun_of: None,
        })
    }

    /// Whether a job's paths are looked up on this machine: links may lead out of the allowed
    /// directories, or the paths must exist.
    pub(crate) fn looks_at_files(&self) -> bool {
        self.must_exist || self.allowed_roots.first().is_some()
    }

    fn check_env(&self, env: &BTreeMap<String, String>, wrong: &mut Vec<Violation>) {
        for (name, value) in env {
            let mut letters = name.bytes();
            let starts_well = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == b'_');
            if !starts_well || !letters.all(|c| c.is_ascii_alphanumeric() || c == b'_') {
                let shown: String = name.chars().take(40).collect();
                let message = format!(
                    "has the name {shown:?}; names have letters, digits and '_' and do not start with a digit"
                );
                wrong.push(Violation::new("env", message));
            } else if name.starts_with("JOBRUNNER_") {
                let message = "may not be set: JobRunner sets the names that start with JOBRUNNER_";
                wrong.push(Violation::new(format!("env.{name}"), message));
            } else if let Some(message) = self.loading_variables.refusal(name) {
                wrong.push(Violation::new(format!("env.{name}"), message));
            } else if name.len() + value.len() + 1 >= MAX_STRING_BYTES {
                let message =
                    format!("must be shorter than {MAX_STRING_BYTES} bytes with its name");
                wrong.push(Violation::new("env", message));
            } else if let Err(message) = check_exec_string(value) {
                wrong.push(Violation::new(format!("env.{name}"), message));
            }
            if wrong.len() > 20 {
                return;
            }
        }
    }

    fn check_path(&self, field: &str, path: &str, wrong: &mut Vec<Violation>) {
        if path.len() > MAX_PATH_BYTES {
            wrong.push(Violation::new(field, format!("may have at most {MAX_PATH_BYTES} bytes")));
        } else if let Err(message) = self.allowed_roots.check_text(path) {
            wrong.push(Violation::new(field, message));
        }
    }
}

/// A name for people: of a job or of a batch.
pub(crate) fn check_name(name: &str, wrong: &mut Vec<Violation>) {
    wrong.extend(name::refusal(name).map(|message| Violation::new("name", message)));
}

/// Data of the caller's own, on a job or on a batch.
pub(crate) fn check_payload(payload: &serde_json::Map<String, Value>, wrong: &mut Vec<Violation>) {
    if payload.is_empty() {
        return;
    }
    let bytes = serde_json::to_string(payload).map_or(usize::MAX, |text| text.len());
    if bytes > MAX_PAYLOAD_BYTES {
        let message = format!("may have at most {MAX_PAYLOAD_BYTES} bytes of JSON, not {bytes}");
        wrong.push(Violation::new("payload", message));
    }
    if payload.values().map(depth).max().unwrap_or(0) >= MAX_PAYLOAD_DEPTH {
        let message = format!("may be nested at most {MAX_PAYLOAD_DEPTH} deep");
        wrong.push(Violation::new("payload", message));
    }
    if payload.iter().any(|(name, value)| name.contains('\0') || has_nul(value)) {
        wrong.push(Violation::new("payload", "must not contain a NUL byte"));
    }
}

/// Whether a text somewhere in a value has a NUL byte, which not every program can take.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value))
        }
        _ => false,
    }
}

/// How deep a value is nested, 0 for one that is no list or object. The parser bounds it.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Checks the name of a queue: it appears in URLs, in Redis keys and in environment variables.
///
/// # Errors
/// It is empty, longer than 64 characters, or has others than letters, digits, `.`, `_` and `-`.
pub fn check_queue(queue: &str) -> Result<(), Violation> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if queue.is_empty() || queue.len() > 64 || !queue.chars().all(plain) {
        let message = "must have 1 to 64 characters out of letters, digits, '.', '_' and '-'";
        return Err(Violation::new("queue", message));
    }
    Ok(())
}

fn check_skip_exit_codes(codes: &[i32], wrong: &mut Vec<Violation>) {
    if codes.len() > MAX_SKIP_EXIT_CODES {
        let message = format!("may list at most {MAX_SKIP_EXIT_CODES} exit codes");
        wrong.push(Violation::new("skip_exit_codes", message));
        return;
    }
    for (index, code) in codes.iter().enumerate() {
        let message = match code {
            1..=255 => continue,
            0 => "must not be 0, by which a job passes".to_owned(),
            _ => format!("must be 1 to 255, not {code}"),
        };
        wrong.push(Violation::new(format!("skip_exit_codes[{index}]"), message));
    }
}

fn check_junit(patterns: &[String], wrong: &mut Vec<Violation>) {
    if patterns.len() > MAX_JUNIT {
        wrong.push(Violation::new("junit", format!("may list at most {MAX_JUNIT} patterns")));
        return;
    }
    for (index, pattern) in patterns.iter().enumerate() {
        if let Err(message) = pattern.parse::<Glob>() {
            wrong.push(Violation::new(format!("junit[{index}]"), message));
        }
    }
}

fn check_command(command: &[String], wrong: &mut Vec<Violation>) {
    if command.first().is_none_or(|program| program.trim().is_empty()) {
        let message = "must name a program, as in [\"make\", \"all\"]";
        wrong.push(Violation::new("command", message));
    }
    for (index, argument) in command.iter().enumerate() {
        if let Err(message) = check_exec_string(argument) {
            wrong.push(Violation::new(format!("command[{index}]"), message));
            return;
        }
    }
}

fn check_exec_string(text: &str) -> Result<(), String> {
    if text.contains('\0') {
        Err("must not contain a NUL byte".to_owned())
    } else if text.len() >= MAX_STRING_BYTES {
        Err(format!("must be shorter than {MAX_STRING_BYTES} bytes, the kernel's limit"))
    } else {
        Ok(())
    }
}

fn check_exec_size(job: &NewJob, wrong: &mut Vec<Violation>) {
    const POINTER_AND_NUL: usize = 9;
    let arguments: usize = job.command.iter().map(|a| a.len() + POINTER_AND_NUL).sum();
    let env: usize = job.env.iter().map(|(k, v)| k.len() + v.len() + 1 + POINTER_AND_NUL).sum();
    if arguments + env > MAX_EXEC_BYTES {
        let message =
            format!("and env together may have at most {MAX_EXEC_BYTES} bytes, the kernel's limit");
        wrong.push(Violation::new("command", message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules {
            default_queue: "default".to_owned(),
            default_working_dir: "/srv/work".to_owned(),
            allowed_roots: AllowedRoots::new(["/srv"]).expect("an absolute root"),
            max_timeout: Duration::from_secs(3600),
            loading_variables: LoadingVariables::default(),
            must_exist: false,
        }
    }

    fn job() -> NewJob {
        NewJob { name: "t".to_owned(), command: vec!["true".to_owned()], ..NewJob::default() }
    }

    fn fields(job: NewJob) -> Vec<String> {
        rules().check(job).expect_err("refused").into_iter().map(|v| v.field).collect()
    }

    #[test]
    fn defaults_are_filled_in() {
        let spec = rules().check(job()).expect("accepted");
        assert_eq!((spec.queue.as_str(), spec.priority, spec.max_attempts), ("default", 5, 1));
        assert_eq!((spec.working_dir.as_str(), spec.timeout_seconds), ("/srv/work", 3600));
    }

    #[test]
    fn a_timeout_above_the_limit_is_lowered_to_it() {
        let spec = rules().check(NewJob { timeout_seconds: Some(u64::MAX), ..job() });
        assert_eq!(spec.expect("accepted").timeout_seconds, 3600);
    }

    #[test]
    fn every_broken_rule_is_named_at_once() {
        let wrong = NewJob {
            name: String::new(),
            command: vec![],
            env: [("A=B".to_owned(), String::new())].into(),
            queue: Some("no spaces".to_owned()),
            priority: Some(11),
            timeout_seconds: Some(0),
            max_attempts: Some(0),
            working_dir: Some("/etc".to_owned()),
            inputs: vec!["relative".to_owned()],
            ..NewJob::default()
        };
        let expected = [
            "name",
            "command",
            "env",
            "working_dir",
            "inputs[0]",
            "queue",
            "priority",
            "timeout_seconds",
            "max_attempts",
        ];
        assert_eq!(fields(wrong), expected);
    }

    #[test]
    fn only_exit_codes_that_are_not_0_can_skip() {
        let skips = |skip_exit_codes| NewJob { skip_exit_codes, ..job() };
        assert_eq!(
            rules().check(skips(vec![1, 77, 255])).expect("accepted").skip_exit_codes,
            [1, 77, 255]
        );
        let expected = [0, 1, 3].map(|index| format!("skip_exit_codes[{index}]"));
        assert_eq!(fields(skips(vec![0, -1, 77, 256])), expected);
        assert!(rules().check(skips((1..=255).collect())).is_ok());
        assert_eq!(fields(skips(vec![77; 256])), ["skip_exit_codes"]);
    }

    #[test]
    fn reports_lie_below_the_working_directory() {
        let junit = |patterns: &[&str]| NewJob {
            junit: patterns.iter().map(|&pattern| pattern.to_owned()).collect(),
            ..job()
        };
        let good = ["reports/**/*.xml", "out?.xml"];
        assert_eq!(rules().check(junit(&good)).expect("accepted").junit, good);
        let wrong = ["", "../x.xml", "ok.xml", "/tmp/x.xml"];
        assert_eq!(fields(junit(&wrong)), ["junit[0]", "junit[1]", "junit[3]"]);
        assert_eq!(fields(junit(&["a.xml"; MAX_JUNIT + 1])), ["junit"]);
    }

    #[test]
    fn variables_that_load_something_are_refused_by_name() {
        let env = |name: &str| NewJob { env: [(name.to_owned(), "x".to_owned())].into(), ..job() };
        assert_eq!(fields(env("LD_PRELOAD")), ["env.LD_PRELOAD"]);
        assert_eq!(fields(env("JOBRUNNER_JOB_ID")), ["env.JOBRUNNER_JOB_ID"]);
        let allowing = Rules { loading_variables: "LD_*".parse().expect("a name"), ..rules() };
        assert!(allowing.check(env("LD_PRELOAD")).is_ok());
    }

    #[test]
    fn strings_the_kernel_would_refuse_are_refused_first() {
        let command =
            |argument: String| NewJob { command: vec!["echo".to_owned(), argument], ..job() };
        assert_eq!(fields(command("a\0b".to_owned())), ["command[1]"]);
        assert_eq!(fields(command("x".repeat(MAX_STRING_BYTES))), ["command[1]"]);
        assert!(rules().check(command("x".repeat(MAX_STRING_BYTES - 1))).is_ok());
        let many = NewJob { command: vec!["y".repeat(100_000); 20], ..job() };
        assert_eq!(fields(many), ["command"]);
    }
}
