//! What a batch says beside the runs before it.

use std::collections::BTreeMap;

use jobrunner_core::{
    Batch, BatchId, Status,
    series::Gate,
    terminal,
    verdict::{Class, ClassCounts, ClassifiedTest, VerdictStatus},
};
use serde::Serialize;

use crate::{
    args::{Output, Remote},
    client::Client,
    exit::{Exit, Failure},
    output::{self, line, note},
    results::Results as _,
    table::{DIGITS, short},
    tables::in_short,
};

/// The classes whose tests are shown, in their order, if none is asked for.
const SHOWN: [Class; 9] = [
    Class::New,
    Class::Still,
    Class::Known,
    Class::Infra,
    Class::Flaky,
    Class::Fixed,
    Class::NotRun,
    Class::Slower,
    Class::Missing,
];

/// How the command ends for a batch that has ended, by a gate, or else by the batch's own.
pub(super) async fn exit(
    client: &Client,
    batch: &Batch,
    gate: Option<Gate>,
) -> Result<Exit, Failure> {
    let has_failed = match gate.or(batch.gate).unwrap_or_default() {
        Gate::None if gate.is_some() => return Ok(Exit::Success),
        // Of a batch of no series all that failed is new, and none of it is known.
        _ if batch.verdict.is_none() => return Ok(Exit::from(batch.status)),
        gate => client.verdict(batch.id).await?.counts.through(gate) == VerdictStatus::Fail,
    };
    Ok(match (has_failed, batch.status) {
        (true, _) => Exit::Failed,
        (false, Status::Canceled) => Exit::Canceled,
        (false, _) => Exit::Success,
    })
}

/// Something with the first tests of its classes.
#[derive(Serialize)]
struct Told<T> {
    #[serde(flatten)]
    of: T,
    tests: BTreeMap<Class, Vec<ClassifiedTest>>,
}

pub(super) async fn show(
    client: &Client,
    remote: &Remote,
    id: BatchId,
    (class, limit): (Option<Class>, u32),
) -> Result<Exit, Failure> {
    let verdict = client.verdict(id).await?;
    let mut tests = BTreeMap::new();
    for class in shown(class, &verdict.counts) {
        tests.insert(class, client.classified(id, class, limit).await?.items);
    }
    if remote.output == Output::Json {
        output::json(&Told { of: verdict, tests })?;
        return Ok(Exit::Success);
    }
    let series = terminal::line(&verdict.series);
    line(&format!("{series}: {} ({}, gate {})", verdict.summary, verdict.status, verdict.gate))?;
    print(&verdict.counts, &tests, class)?;
    Ok(Exit::Success)
}

/// Shows how the tests of a batch stand beside another.
pub(super) async fn diff(
    client: &Client,
    remote: &Remote,
    (id, beside): (BatchId, BatchId),
    (class, limit): (Option<Class>, u32),
) -> Result<Exit, Failure> {
    let compared = client.compare(id, beside).await?;
    let mut tests = BTreeMap::new();
    for class in shown(class, &compared.counts) {
        tests.insert(class, client.compared((id, beside), class, limit).await?.items);
    }
    if remote.output == Output::Json {
        output::json(&Told { of: compared, tests })?;
        return Ok(Exit::Success);
    }
    let (batch, other) = (client.batch(id).await?, client.batch(beside).await?);
    let name = |batch: &Batch| {
        format!("{} {}", terminal::line(&batch.name), short(batch.id.as_uuid(), DIGITS))
    };
    line(&format!("{} beside {}: {}", name(&batch), name(&other), compared.summary))?;
    if batch.created_at < other.created_at {
        note("the first of them is older; turn them around to see what has become new since");
    }
    print(&compared.counts, &tests, class)?;
    Ok(Exit::Success)
}

/// The classes whose tests are shown.
fn shown(class: Option<Class>, counts: &ClassCounts) -> Vec<Class> {
    let classes = class.map_or_else(|| SHOWN.to_vec(), |class| vec![class]);
    classes.into_iter().filter(|class| counts.of(*class) > 0).collect()
}

fn print(
    counts: &ClassCounts,
    tests: &BTreeMap<Class, Vec<ClassifiedTest>>,
    class: Option<Class>,
) -> Result<(), Failure> {
    for class in SHOWN.into_iter().chain([Class::Passed]) {
        let Some(of_class) = tests.get(&class) else { continue };
        let count = counts.of(class);
        line(&format!("\n{} {count}", class.as_str().replace('_', " ")))?;
        for test in of_class {
            line(&format!("  {}", of_test(test)))?;
        }
        let more = count.saturating_sub(of_class.len() as u64);
        if more > 0 {
            line(&format!("  … and {more} more"))?;
        }
    }
    if tests.is_empty() && class.is_some() {
        note("no test is of this class");
    }
    Ok(())
}

/// A test in one line: its name, why it failed and since when.
fn of_test(test: &ClassifiedTest) -> String {
    let mut told = terminal::line(&test.test);
    if !test.variant.is_empty() {
        let pairs = test.variant.iter().map(|(key, value)| format!("{key}={value}"));
        let pairs = pairs.collect::<Vec<_>>().join(", ");
        told += &format!(" [{}]", terminal::line(&pairs));
    }
    if let Some(case) = &test.case {
        told += &format!(" › {}", terminal::line(case));
    }
    let cause = test.cause.as_ref();
    let why = cause.and_then(|cause| {
        let line = cause.error_line.clone();
        line.or_else(|| cause.reason.map(|reason| reason.as_str().replace('_', " ")))
    });
    if let Some(why) = why {
        told += &format!(": {}", in_short(&terminal::line(&why)));
    }
    match test.since {
        Some(since) if since.runs > 1 => {
            told += &format!("; for {} runs, since {}", since.runs, since.batch_id);
        }
        _ => {}
    }
    if let Some(good) = &test.last_good {
        let sha = good.revision.as_ref().and_then(|revision| revision.sha.as_deref());
        let at = sha.map(|sha| format!(" at {}", terminal::line(sha))).unwrap_or_default();
        told += &format!("; passed in {}{at}", good.batch_id);
    }
    told
}
