//! Runs a command and writes what its output says of tests as JUnit.

mod automake;
mod junit;
mod libtest;
mod tap;

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use jobrunner_core::daemon::Trouble;
use jobrunner_server::junit::xml::Element;

use crate::{
    args::{Format, Record},
    exit::{Context, Exit, Failure},
    output,
};

/// The most that is kept of what is said of a failure.
const LONGEST_TEXT: usize = 64 * 1024;

/// A test that was told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) class: String,
    pub(super) name: String,
    pub(super) verdict: Verdict,
    /// What was said of it.
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Failed,
    /// It could not be judged.
    Error,
    Skipped,
    /// It failed, as it was expected to; in JUnit it is skipped.
    Expected,
}

/// Reads what a command prints.
pub(super) trait Reader {
    /// Takes a line, without its end; the cases that it tells of.
    fn line(&mut self, line: &str) -> Vec<Case>;

    /// The cases that are known at the end, given those before.
    fn end(&mut self, told: &mut Vec<Case>);
}

/// Ends as the command does.
pub(crate) fn record(args: &Record) -> Result<Exit, Failure> {
    let suite = args.suite.clone();
    let mut reader: Box<dyn Reader> = match args.format {
        Format::Automake => Box::new(automake::Automake { suite }),
        Format::Junit => Box::new(junit::Junit { file: args.junit.clone() }),
        Format::Libtest => Box::new(libtest::Libtest::new(suite)),
        Format::Prove => Box::new(tap::Tap::of_prove(suite)),
        Format::Tap => Box::new(tap::Tap::new(suite)),
    };
    let started = Instant::now();
    let (program, arguments) =
        args.command.split_first().ok_or_else(|| Failure::usage("there is no command"))?;
    let cannot = || format!("cannot run {program}");
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context(Trouble::NoInput, cannot)?;
    let stdout = child.stdout.take().map(BufReader::new);
    let (mut cases, mut times) = (Vec::new(), Vec::new());
    let mut last = started;
    if let Some(mut stdout) = stdout {
        let mut line = Vec::new();
        while stdout.read_until(b'\n', &mut line).context(Trouble::Io, cannot)? > 0 {
            output::put(&line)?;
            let told = reader.line(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
            if !told.is_empty() {
                let now = Instant::now();
                times.resize(cases.len(), None);
                times.extend(
                    told.iter().map(|_| (args.format != Format::Libtest).then(|| now - last)),
                );
                cases.extend(told);
                last = now;
            }
            line.clear();
        }
    }
    let status = child.wait().context(Trouble::Os, cannot)?;
    reader.end(&mut cases);
    let is_explained =
        cases.iter().any(|case| matches!(case.verdict, Verdict::Failed | Verdict::Error));
    // What was written by somebody else stays as it is.
    if args.format == Format::Junit {
        return Ok(Exit::Command(ended(status, &cases, args.skip_exit_code)));
    }
    if !status.success() && !is_explained {
        let (class, name) = (args.suite.clone(), "(the command)".to_owned());
        let text = format!("ended with {status}");
        cases.push(Case { class, name, verdict: Verdict::Error, text });
    }
    times.resize(cases.len(), None);
    let document = document(&args.suite, &cases, &times, started.elapsed());
    let written = fs::write(&args.junit, document);
    written.context(Trouble::CannotCreate, || format!("cannot write {}", args.junit.display()))?;
    Ok(Exit::Command(ended(status, &cases, args.skip_exit_code)))
}

/// The exit code, which with `skip` says whether every test was skipped.
fn ended(status: ExitStatus, cases: &[Case], skip: Option<u8>) -> u8 {
    let is_skipped = |case: &Case| case.verdict == Verdict::Skipped;
    match (code(status), skip) {
        (0, Some(skip)) if !cases.is_empty() && cases.iter().all(is_skipped) => skip,
        (code, Some(skip)) if code == skip => 1,
        (code, _) => code,
    }
}

/// The exit code, as a shell has it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

fn document(suite: &str, cases: &[Case], times: &[Option<Duration>], took: Duration) -> String {
    let seconds = |took: Duration| format!("{:.3}", took.as_secs_f64());
    let number = |verdicts: &[Verdict]| {
        cases.iter().filter(|case| verdicts.contains(&case.verdict)).count().to_string()
    };
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    for name in ["testsuites", "testsuite"] {
        Element::begin(&mut xml, name)
            .attribute("name", suite)
            .attribute("tests", &cases.len().to_string())
            .attribute("failures", &number(&[Verdict::Failed]))
            .attribute("errors", &number(&[Verdict::Error]))
            .attribute("skipped", &number(&[Verdict::Skipped, Verdict::Expected]))
            .attribute("time", &seconds(took))
            .open();
        xml.push('\n');
    }
    for (case, time) in cases.iter().zip(times) {
        let element = Element::begin(&mut xml, "testcase")
            .attribute("classname", &case.class)
            .attribute("name", &case.name)
            .optional("time", time.map(seconds).as_deref());
        let tag = match case.verdict {
            Verdict::Passed => {
                element.end();
                xml.push('\n');
                continue;
            }
            Verdict::Failed => "failure",
            Verdict::Error => "error",
            Verdict::Skipped | Verdict::Expected => "skipped",
        };
        element.open();
        let message = case.text.lines().next().unwrap_or_default();
        let end = (0..=LONGEST_TEXT.min(case.text.len()))
            .rev()
            .find(|at| case.text.is_char_boundary(*at));
        Element::begin(&mut xml, tag)
            .attribute("message", message)
            .text(&case.text[..end.unwrap_or(0)]);
        xml.push_str("</testcase>\n");
    }
    xml.push_str("</testsuite>\n</testsuites>\n");
    xml
}

#[cfg(test)]
mod tests;
