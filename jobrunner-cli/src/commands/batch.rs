use std::time::Duration;

use jobrunner_core::{Batch, BatchId, Job, Status, terminal};

use crate::{
    args::{Batch as Args, BatchCommand, BatchList, BatchSubmit, List, Output, Wait},
    client::{Client, NewBatchWithJobs},
    commands::suite::{dry_run, usual_rules},
    exit::{Exit, Failure},
    follow::{self, Waited},
    junit, limits, output,
    progress::words,
    results::Results,
    suite::Suite,
    summary,
};

pub(crate) async fn batch(args: Args) -> Result<Exit, Failure> {
    if let BatchCommand::Submit(submit) = args.command {
        return self::submit(&args.server, submit).await;
    }
    let client = Client::signed_in(&args.server)?;
    match args.command {
        BatchCommand::Submit(_) => Ok(Exit::Success),
        BatchCommand::List(list) => self::list(&client, list).await,
        BatchCommand::Show { id, output } => show(&client, id, output).await,
        BatchCommand::Watch { id, wait_timeout, output } => {
            watch(&client, id, wait_timeout, output).await
        }
        BatchCommand::Cancel { id } => {
            let batch = client.cancel_batch(id).await?;
            output::line(&format!("{}: {}", batch.id, words(&batch.counts)))?;
            Ok(Exit::Success)
        }
        BatchCommand::Junit { id, out } => {
            let document = client.junit(id).await?;
            match out {
                Some(file) => junit::write(document, &file).await?,
                None => junit::print(document).await?,
            }
            Ok(Exit::Success)
        }
        BatchCommand::Rerun { id, only, wait, output } => {
            let batch = client.rerun_batch(id, only).await?;
            accepted(&client, &batch, wait, output).await
        }
    }
}

async fn submit(server: &crate::args::Server, args: BatchSubmit) -> Result<Exit, Failure> {
    let suite = Suite::read(&args.suite)?;
    if args.dry_run {
        return dry_run(&suite.checked(&args.set, &usual_rules()?)?, args.output);
    }
    let (batch, jobs) = suite.expand(&args.set)?;
    let client = Client::signed_in(server)?;
    let batch = client.submit_batch(&NewBatchWithJobs { batch: &batch, jobs: &jobs }).await?;
    limits::tell_of_batch(&client, batch.id, &jobs).await;
    accepted(&client, &batch, args.wait, args.output).await
}

/// Tells the id of a batch that was just made, or waits for its end.
async fn accepted(
    client: &Client,
    batch: &Batch,
    wait: Wait,
    format: Output,
) -> Result<Exit, Failure> {
    if wait.wait {
        output::note(&format!("batch {}", batch.id));
        return watch(client, batch.id, wait.wait_timeout, format).await;
    }
    match format {
        Output::Json => output::json(batch)?,
        Output::Table => {
            output::line(&batch.id.to_string())?;
            output::note(&format!("watch it with: jobrunner batch watch {}", batch.id));
        }
    }
    Ok(Exit::Success)
}

async fn watch(
    client: &Client,
    id: BatchId,
    limit: Option<Duration>,
    format: Output,
) -> Result<Exit, Failure> {
    let hint = format!("the batch goes on: jobrunner batch watch {id}");
    let batch = match follow::until(limit, &hint, follow::batch(client, id)).await? {
        Waited::For(batch) => batch,
        Waited::InVain(exit) => return Ok(exit),
    };
    match format {
        Output::Json => output::json(&batch)?,
        Output::Table => summary::print(client, &batch).await?,
    }
    Ok(Exit::from(batch.status))
}

async fn list(client: &Client, args: BatchList) -> Result<Exit, Failure> {
    let mut filters = Vec::new();
    filters.extend(args.status.map(|status| ("status", status.to_string())));
    filters.extend(args.name.map(|name| ("name", name)));
    let batches: Vec<Batch> = pages(client, "/job-batches", filters, args.list).await?;
    match args.list.output {
        Output::Json => output::json(&batches)?,
        Output::Table => {
            let row = |batch: &Batch| {
                [
                    batch.id.to_string(),
                    batch.name.clone(),
                    batch.status.to_string(),
                    words(&batch.counts),
                    output::time(Some(batch.created_at)),
                ]
            };
            let headings = ["ID", "NAME", "STATUS", "JOBS", "CREATED (UTC)"];
            output::table(headings, batches.iter().map(row))?;
        }
    }
    Ok(Exit::Success)
}

/// As many items of a list as are wanted, page by page.
pub(crate) async fn pages<T: serde::de::DeserializeOwned>(
    client: &Client,
    path: &str,
    filters: Vec<(&'static str, String)>,
    list: List,
) -> Result<Vec<T>, Failure> {
    let wanted = if list.all { usize::MAX } else { list.limit as usize };
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    while items.len() < wanted {
        let mut parameters = filters.clone();
        parameters.push(("limit", (wanted - items.len()).min(1000).to_string()));
        parameters.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let page = client.list(path, &parameters).await?;
        items.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(items)
}

async fn show(client: &Client, id: BatchId, format: Output) -> Result<Exit, Failure> {
    let batch = client.batch(id).await?;
    if format == Output::Json {
        output::json(&batch)?;
        return Ok(Exit::Success);
    }
    output::line(&described(&batch))?;
    if batch.counts.failed > 0 {
        let failed = client.jobs(id, Some(Status::Failed), None, 20).await?;
        let row = |job: &Job| {
            [job.id.to_string(), job.spec.name.clone(), job.error.clone().unwrap_or_default()]
        };
        output::line("")?;
        output::table(["FAILED", "NAME", "WHY"], failed.items.iter().map(row))?;
        if failed.next_cursor.is_some() {
            let all = format!("jobrunner jobs list --batch {id} --status failed --all");
            output::note(&format!("there are more: {all}"));
        }
    }
    Ok(Exit::Success)
}

fn described(batch: &Batch) -> String {
    let mut lines = vec![
        format!("{}  {}", batch.id, terminal::line(&batch.name)),
        format!("status    {}", batch.status),
        format!("jobs      {}: {}", batch.counts.total, words(&batch.counts)),
    ];
    if batch.flaky > 0 {
        lines.push(format!("flaky     {} passed after they had failed", batch.flaky));
    }
    lines.extend([
        format!("created   {}", output::time(Some(batch.created_at))),
        format!("started   {}", output::time(batch.started_at)),
        format!("finished  {}", output::time(batch.finished_at)),
    ]);
    lines.join("\n")
}
