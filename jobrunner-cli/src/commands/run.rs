use std::{path::Path, sync::Arc};

use futures_util::StreamExt;
use jobrunner_core::{
    Batch, BatchId, NewBatch, NewJob,
    config::Settings,
    daemon::{self, Trouble, Variables},
    executor::Reaper,
    terminal,
};
use tokio_util::sync::CancellationToken;

use crate::{
    args::{Output, Run},
    engine,
    exit::{Context, Exit, Failure},
    follow, junit, limits, output,
    results::Local,
    suite::Suite,
    summary,
};

/// Runs a suite here: an embedded store in a directory of its own, a worker, and nothing else.
pub(crate) async fn run(args: Run, reaper: Reaper) -> Result<Exit, Failure> {
    let variables = Variables::of_environment();
    variables.start_log("error")?;
    let settings = variables.settings()?;
    daemon::keep_to_itself().context(Trouble::Os, || "cannot protect this process".to_owned())?;
    let (batch, jobs) = Suite::read(&args.suite)?.expand(&args.set)?;
    if args.dry_run {
        return dry_run(&batch, &jobs, args.output);
    }
    if let Some(file) = &args.junit {
        check_writable(file)?;
    }
    match &args.data_dir {
        Some(directory) => run_in(directory, &settings, &args, reaper, batch, jobs).await,
        None => {
            let cannot = || "cannot make a directory for the results".to_owned();
            let directory = tempfile::Builder::new().prefix("jobrunner-").tempdir();
            let directory = directory.context(Trouble::CannotCreate, cannot)?;
            let ended = run_in(directory.path(), &settings, &args, reaper, batch, jobs).await;
            directory.close().context(Trouble::Io, || "cannot remove the results".to_owned())?;
            ended
        }
    }
}

async fn run_in(
    directory: &Path,
    settings: &Settings,
    args: &Run,
    reaper: Reaper,
    batch: NewBatch,
    jobs: Vec<NewJob>,
) -> Result<Exit, Failure> {
    let embedded = engine::open(directory, settings).await?;
    let caller = engine::admin(&embedded, settings).await?.principal;
    let results = Local { service: embedded.service.clone(), caller };
    let jobs = Arc::new(jobs);
    let accepted =
        results.service.submit_batch(&results.caller, batch, Arc::clone(&jobs) as _, None);
    let submitted = accepted.await?;
    output::note(&format!("{}: {} jobs", submitted.name, submitted.counts.total));
    if let Some(asked) = limits::longest_timeout(&jobs) {
        limits::tell_capped(asked, settings.command_timeout.as_secs().min(asked));
    }

    let stop = CancellationToken::new();
    let slots = args.slots.unwrap_or_else(jobrunner_worker::default_slots);
    let worker = engine::start_worker(&embedded, settings, reaper, slots, stop.clone());
    let ended = until_ended(&results, submitted.id).await;
    stop.cancel();
    worker.await.context(Trouble::Software, || "the worker ended".to_owned())??;
    let (ended, interrupted) = ended?;

    if let Some(file) = &args.junit {
        let service = &results.service;
        let document =
            jobrunner_server::junit::document(service, &results.caller, ended.id).await?;
        let document =
            document.map(|part| part.context(Trouble::Io, || "cannot read the results".to_owned()));
        junit::write(document.boxed(), file).await?;
    }
    match args.output {
        Output::Table => summary::print(&results, &ended).await?,
        Output::Json => output::json(&ended)?,
    }
    Ok(if interrupted { Exit::Canceled } else { Exit::from(ended.status) })
}

/// Waits for the end of the batch; an interrupt cancels what has not ended. Answers whether there
/// was one.
async fn until_ended(results: &Local, id: BatchId) -> Result<(Batch, bool), Failure> {
    let mut interrupted = false;
    let stop = daemon::stop_on_signals()
        .context(Trouble::Os, || "cannot listen for signals".to_owned())?;
    let batch = tokio::select! {
        ended = follow::batch(results, id) => ended?,
        () = stop.cancelled() => {
            interrupted = true;
            results.service.cancel_batch(&results.caller, id).await?;
            follow::batch(results, id).await?
        }
    };
    Ok((batch, interrupted))
}

/// Shows what would be run.
pub(crate) fn dry_run(batch: &NewBatch, jobs: &[NewJob], format: Output) -> Result<Exit, Failure> {
    match format {
        Output::Json => output::json(&crate::client::NewBatchWithJobs { batch, jobs })?,
        Output::Table => {
            output::line(&format!("{}: {} jobs", terminal::line(&batch.name), jobs.len()))?;
            let row = |job: &NewJob| [job.name.clone(), job.command.join(" ")];
            output::table(["NAME", "COMMAND"], jobs.iter().map(row))?;
        }
    }
    Ok(Exit::Success)
}

/// Finds out before a long run whether its results can be written.
fn check_writable(file: &Path) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    let opened = options.append(true).create(true).open(file);
    opened.map(drop).context(Trouble::CannotCreate, || format!("cannot write {}", file.display()))
}
