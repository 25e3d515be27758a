use jobrunner_core::{Batch, BatchId, Job, Status, daemon::Trouble, terminal};
use serde::Serialize;

use crate::{
    args::{Output, Remote},
    client::{Client, Pages, Raw, RawItems, routes},
    commands::reruns::{self, Merged, Reruns},
    exit::{Context as _, Exit, Failure},
    output::{self, note},
    progress::{words, words_of},
    results::Results,
    table::{self, Context, DIGITS, short},
    tables::{CAUSES, FAILURES},
    time,
};

/// How many failures are shown one by one.
const SHOWN: u32 = 20;

/// Shows a batch: what it came to, why jobs failed, and which.
pub(crate) async fn show(client: &Client, remote: &Remote, id: BatchId) -> Result<Exit, Failure> {
    if remote.output == Output::Json {
        return json(client, id).await;
    }
    let batch = client.batch(id).await?;
    if remote.quiet {
        output::line(&batch.id.to_string())?;
        return Ok(Exit::Success);
    }
    let reruns = reruns::of(client, &batch).await?;
    output::line(&described(&batch, &reruns))?;
    if batch.counts.failed == 0 {
        return Ok(Exit::Success);
    }
    let causes = client.causes(id).await?;
    let context = Context::of(std::iter::empty());
    output::line("")?;
    output::things(&table::chosen(CAUSES, &[])?, &causes, &context)?;
    let failed = client.jobs(id, Some(Status::Failed), None, SHOWN).await?;
    let context = Context::of(failed.items.iter().map(|job: &Job| job.id.as_uuid()));
    output::line("")?;
    output::things(&table::chosen(FAILURES, &[])?, &failed.items, &context)?;
    if failed.next_cursor.is_some() {
        let all = format!("jobrunner jobs list --batch {id} --status failed --all");
        note(&format!("there are more: {all}"));
    }
    let id = short(id.as_uuid(), DIGITS);
    note(&format!("what one printed: jobrunner jobs logs ID; again: jobrunner batch rerun {id}"));
    Ok(Exit::Success)
}

fn described(batch: &Batch, reruns: &Reruns) -> String {
    let mut lines = vec![
        format!("{}  {}", batch.id, terminal::line(&batch.name)),
        format!("status    {}", batch.status),
        format!("jobs      {}: {}", batch.counts.total, words_of(batch)),
    ];
    if batch.flaky > 0 {
        lines.push(format!("flaky     {} passed after a failure", batch.flaky));
    }
    if let Some(first) = batch.rerun_of {
        lines.push(format!("rerun of  {first}"));
    }
    for rerun in &reruns.all {
        let id = short(rerun.id.as_uuid(), DIGITS);
        lines.push(format!("rerun     {id}: {}, {}", rerun.status, words_of(rerun)));
    }
    if let Some(merged) = reruns.merged {
        lines.push(format!("in all    {}: {}", merged.status, words(&merged.counts)));
    }
    lines.extend([
        format!("created   {}", time::utc(Some(batch.created_at))),
        format!("started   {}", time::utc(batch.started_at)),
        format!("finished  {}", time::utc(batch.finished_at)),
    ]);
    lines.join("\n")
}

/// What is told of a batch besides what it is.
#[derive(Serialize)]
struct More<'a> {
    causes: &'a [Raw],
    reruns: &'a [Batch],
    merged: Option<Merged>,
}

/// The batch as the server tells it, with causes, reruns, and its jobs one a line, as they come.
async fn json(client: &Client, id: BatchId) -> Result<Exit, Failure> {
    let raw = client.raw(&routes::BATCH, &[&id.to_string()]).await?;
    let batch: Batch = raw.read()?;
    let reruns = reruns::of(client, &batch).await?;
    let fields = raw.text().trim_end();
    let fields = fields.strip_suffix('}').unwrap_or(fields);
    let causes = client.raw(&routes::CAUSES, &[&id.to_string()]).await?;
    let causes: RawItems = causes.read()?;
    let more = More { causes: &causes.items, reruns: &reruns.all, merged: reruns.merged };
    let more = serde_json::to_string(&more);
    let more = more.context(Trouble::Software, || "cannot write JSON".to_owned())?;
    output::put(format!("{fields},{},\n", &more[1..more.len() - 1]).as_bytes())?;
    for (name, status) in [("failures", Some(Status::Failed)), ("jobs", None)] {
        let end = if status.is_some() { ",\n" } else { "}\n" };
        let filters = std::iter::once(("batch_id", id.to_string()))
            .chain(status.map(|status| ("status", status.to_string())));
        let mut jobs = Pages::new(client, routes::JOBS, filters.collect(), usize::MAX);
        output::put(format!("\"{name}\": ").as_bytes())?;
        let mut list = output::JsonList::default();
        while let Some(job) = jobs.next().await? {
            list.push(job.text())?;
        }
        list.finish(end)?;
    }
    Ok(Exit::Success)
}
