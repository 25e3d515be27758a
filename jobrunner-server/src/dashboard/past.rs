//! Series, runs and outcomes of tests as the templates show them.

use jobrunner_core::{
    history::{Flakiness, NamedTest, Run, Series},
    series::Revision,
    verdict::{Class, ClassCounts, FailureCause, Outcome, ShortVerdict, VerdictStatus},
};
use serde::Serialize;

use super::show::{Moment, Standing, Why, duration, thousands};

/// An outcome with the sign that stands for it.
pub(super) const fn outcome(outcome: Outcome) -> Standing {
    let (word, sign) = match outcome {
        Outcome::Passed => ("passed", "✓"),
        Outcome::Skipped => ("skipped", "»"),
        Outcome::Flaky => ("flaky", "≈"),
        Outcome::NotRun => ("canceled", "⊘"),
        Outcome::Infra => ("infra", "!"),
        Outcome::Failed => ("failed", "✗"),
    };
    Standing { word, sign }
}

/// What a gate says, as a status.
#[derive(Serialize)]
pub(super) struct ShownVerdict {
    standing: Standing,
    word: &'static str,
    summary: String,
}

impl From<&ShortVerdict> for ShownVerdict {
    fn from(verdict: &ShortVerdict) -> Self {
        let (word, sign) = match verdict.status {
            VerdictStatus::Pending => ("running", "▶"),
            VerdictStatus::Pass => ("passed", "✓"),
            VerdictStatus::Fail => ("failed", "✗"),
        };
        Self {
            standing: Standing { word, sign },
            word: verdict.status.as_str(),
            summary: verdict.summary.clone(),
        }
    }
}

/// What a batch has tested, in short.
#[derive(Serialize)]
pub(super) struct ShownRevision {
    text: String,
    whole: String,
    url: Option<String>,
}

impl ShownRevision {
    pub(super) fn of(revision: Option<&Revision>) -> Option<Self> {
        const SHORT: usize = 12;
        let revision = revision?;
        let sha = revision.sha.clone().unwrap_or_default();
        let is_hex = sha.len() > SHORT && sha.chars().all(|c| c.is_ascii_hexdigit());
        let short = if is_hex { sha[..SHORT].to_owned() } else { sha.clone() };
        let parts = [revision.branch.clone().unwrap_or_default(), short];
        let parts: Vec<&str> =
            parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        let text = parts.join(" ") + if revision.dirty { " with changes" } else { "" };
        Some(Self { text, whole: sha, url: revision.url.clone() })
    }
}

/// A series in the list.
#[derive(Serialize)]
pub(super) struct ShownSeries {
    id: String,
    name: String,
    project: Option<String>,
    last: Option<ShownRun>,
}

impl From<&Series> for ShownSeries {
    fn from(series: &Series) -> Self {
        Self {
            id: series.id.to_string(),
            name: series.name.clone(),
            project: series.project.as_ref().map(ToString::to_string),
            last: series.last_run.as_ref().map(Into::into),
        }
    }
}

/// A run.
#[derive(Serialize)]
pub(super) struct ShownRun {
    batch: String,
    /// Whether there is a page of it.
    is_kept: bool,
    verdict: ShownVerdict,
    revision: Option<ShownRevision>,
    created: Moment,
    took: Option<String>,
}

impl From<&Run> for ShownRun {
    fn from(run: &Run) -> Self {
        Self {
            batch: run.batch_id.to_string(),
            is_kept: run.name.is_some(),
            verdict: (&run.verdict).into(),
            revision: ShownRevision::of(run.revision.as_ref()),
            created: run.created_at.into(),
            took: milliseconds(run).map(duration),
        }
    }
}

/// How long a run took.
pub(super) fn milliseconds(run: &Run) -> Option<i64> {
    run.finished_at.map(|end| (end - run.created_at).num_milliseconds().max(0))
}

/// A test by its name.
#[derive(Serialize)]
pub(super) struct ShownName {
    id: String,
    test: String,
    variant: Vec<String>,
    case: Option<String>,
}

impl From<&NamedTest> for ShownName {
    fn from(test: &NamedTest) -> Self {
        Self {
            id: test.test_id.to_string(),
            test: test.test.clone(),
            variant: test.variant.iter().map(|(key, value)| format!("{key}={value}")).collect(),
            case: test.case.clone(),
        }
    }
}

/// Why a test failed.
pub(super) fn why(cause: &FailureCause) -> Why {
    let reason = cause.reason.map_or("failed", |reason| reason.as_str()).replace('_', " ");
    let how = match (cause.exit_code, &cause.signal) {
        (Some(code), _) => format!("{reason} {code}"),
        (None, Some(signal)) => format!("{reason} {signal}"),
        (None, None) => reason,
    };
    Why::of(&match &cause.error_line {
        Some(line) => format!("{how}: {line}"),
        None => how,
    })
}

/// How far the results of a test can be relied on.
#[derive(Serialize)]
pub(super) struct ShownFlakiness {
    differing: u32,
    revisions: u32,
    flips: u32,
    host: Option<String>,
    percent: Option<String>,
    evidence: Vec<ShownEvidence>,
}

#[derive(Serialize)]
struct ShownEvidence {
    revision: Option<ShownRevision>,
    passed: String,
    failed: String,
    /// Whether both are attempts of one job.
    is_one: bool,
}

impl From<&Flakiness> for ShownFlakiness {
    fn from(flaky: &Flakiness) -> Self {
        let host = flaky.host.as_ref();
        let shown = |pair: &jobrunner_core::history::Evidence| ShownEvidence {
            revision: ShownRevision::of(pair.revision.as_ref()),
            passed: pair.passed.job_id.to_string(),
            failed: pair.failed.job_id.to_string(),
            is_one: pair.passed.job_id == pair.failed.job_id,
        };
        Self {
            differing: flaky.differing,
            revisions: flaky.revisions,
            flips: flaky.flips,
            host: host.map(|host| host.host.clone()),
            percent: host.map(|host| format!("{:.0}", host.share * 100.0)),
            evidence: flaky.evidence.iter().map(shown).collect(),
        }
    }
}

/// How many tests are of a class, as a link to them.
#[derive(Serialize)]
pub(super) struct ShownCount {
    class: &'static str,
    words: String,
    sign: &'static str,
    number: String,
}

/// The classes that have tests, those that ask for attention first.
pub(super) fn counts(counts: &ClassCounts) -> Vec<ShownCount> {
    const ORDER: [(Class, &str); 10] = [
        (Class::New, "✗"),
        (Class::Still, "✗"),
        (Class::Known, "–"),
        (Class::Infra, "!"),
        (Class::NotRun, "⊘"),
        (Class::Flaky, "≈"),
        (Class::Fixed, "✓"),
        (Class::Slower, "⧗"),
        (Class::Missing, "?"),
        (Class::Passed, "✓"),
    ];
    let of = ORDER.into_iter().filter(|(class, _)| counts.of(*class) > 0);
    of.map(|(class, sign)| ShownCount {
        class: class.as_str(),
        words: class.as_str().replace('_', " "),
        sign,
        number: thousands(counts.of(class)),
    })
    .collect()
}

/// A bar of a chart, in its own units.
#[derive(Serialize)]
pub(super) struct Bar {
    x: usize,
    y: String,
    height: String,
    class: &'static str,
    title: String,
}

/// The height of a chart.
const HEIGHT: f64 = 60.0;

/// Bars beside each other, each `step` wide, as high as their values are beside the largest; what
/// is nothing is a line at the bottom.
pub(super) fn bars(
    values: impl ExactSizeIterator<Item = (f64, &'static str, String)> + Clone,
    step: usize,
) -> Vec<Bar> {
    let most = values.clone().map(|(value, ..)| value).fold(0.0, f64::max).max(1e-9);
    let bar = |(at, (value, class, title)): (usize, (f64, &'static str, String))| {
        let height = (HEIGHT * value / most).clamp(2.0, HEIGHT);
        Bar {
            x: at * step,
            y: format!("{:.1}", HEIGHT - height),
            height: format!("{height:.1}"),
            class,
            title,
        }
    };
    values.enumerate().map(bar).collect()
}
