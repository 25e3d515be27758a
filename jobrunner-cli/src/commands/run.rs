mod environment;
mod last;
mod selection;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use futures_util::StreamExt;
use jobrunner_core::{
    Batch, BatchId, Job, NewBatch, NewJob, Principal, Status,
    config::Settings,
    connect::{self, Embedded},
    daemon::{self, Trouble, Variables},
    executor::Reaper,
};
use tokio_util::sync::CancellationToken;

use crate::{
    args::{Output, Run},
    commands::suite,
    engine,
    exit::{Context, Exit, Failure},
    follow::Follower,
    junit, output,
    results::{Local, Results},
    suite::Suite,
    summary,
};
use last::LastRun;

/// Runs a suite here: an embedded store in a directory of its own, a worker, and nothing else.
pub(crate) async fn run(args: Run, reaper: Reaper) -> Result<Exit, Failure> {
    let variables = Variables::of_environment();
    variables.start_log("error")?;
    let mut settings = variables.settings()?;
    daemon::keep_to_itself().context(Trouble::Os, || "cannot protect this process".to_owned())?;
    let suite = Suite::read(&args.suite)?;
    let (batch, jobs) = suite.checked(&args.set, &settings.rules())?;
    suite::tell_limits(&jobs, &settings);
    let mut last = suite.path().and_then(LastRun::of);
    if args.selection.last_failed && last.is_none() {
        return Err(Failure::usage("--last-failed needs a suite that is a file"));
    }
    let failed = last.as_ref().map_or(&BTreeSet::new(), LastRun::failed).clone();
    let mut jobs = selection::selected(jobs, &args.selection, &failed)?;
    environment::pass_on(&args, &mut jobs, &mut settings)?;
    if args.dry_run {
        return suite::dry_run(&(batch, jobs), args.output);
    }
    if let Some(file) = &args.junit {
        check_writable(file)?;
    }
    if jobs.is_empty() {
        return nothing_to_run(&batch, &args);
    }
    let task = Task { settings: &settings, args: &args, batch, jobs: Arc::new(jobs) };
    match &args.data_dir {
        Some(directory) => task.run(directory, reaper, last.as_mut()).await,
        None => {
            let cannot = || "cannot make a directory for the results".to_owned();
            let directory = tempfile::Builder::new().prefix("jobrunner-").tempdir();
            let directory = directory.context(Trouble::CannotCreate, cannot)?;
            let ended = task.run(directory.path(), reaper, last.as_mut()).await;
            directory.close().context(Trouble::Io, || "cannot remove the results".to_owned())?;
            ended
        }
    }
}

/// Ends well where a shard has no job, as it may with more shards than jobs.
fn nothing_to_run(batch: &NewBatch, args: &Run) -> Result<Exit, Failure> {
    output::note(&format!("{}: no job in this shard", batch.name));
    if let Some(file) = &args.junit {
        let written = std::fs::write(file, junit::EMPTY);
        written.context(Trouble::Io, || format!("cannot write {}", file.display()))?;
    }
    Ok(Exit::Success)
}

/// What is to be run, and how.
struct Task<'a> {
    settings: &'a Settings,
    args: &'a Run,
    batch: NewBatch,
    jobs: Arc<Vec<NewJob>>,
}

impl Task<'_> {
    async fn run(
        self,
        directory: &Path,
        reaper: Reaper,
        last: Option<&mut LastRun>,
    ) -> Result<Exit, Failure> {
        let Self { settings, args, batch, jobs } = self;
        let embedded = match args.data_dir {
            Some(_) => engine::open(directory, settings).await?,
            None => connect::thrown_away(directory, settings).await?,
        };
        let caller = caller(&embedded, settings, args.data_dir.is_some()).await?;
        let results = Local::new(&embedded, caller);
        let source = Arc::clone(&jobs) as _;
        let submitted = results.service.submit_batch(&results.caller, batch, source, None).await?;
        output::note(&format!("{}: {} jobs", submitted.name, submitted.counts.total));

        let stop = CancellationToken::new();
        let slots = args.jobs.unwrap_or_else(jobrunner_worker::default_slots);
        let worker = engine::start_worker(&embedded, settings, reaper, slots, stop.clone());
        let ended = until_ended(&results, submitted.id, args.fail_fast).await;
        stop.cancel();
        worker.await.context(Trouble::Software, || "the worker ended".to_owned())??;
        let (ended, interrupted) = ended?;

        if let Some(last) = last {
            let mut others = with_status(&results, ended.id, Status::Failed).await?;
            others.extend(with_status(&results, ended.id, Status::Canceled).await?);
            if let Err(error) = last.update(&jobs, &others) {
                tracing::warn!(%error, "cannot remember what failed");
            }
        }
        if let Some(file) = &args.junit {
            let service = &results.service;
            let document =
                jobrunner_server::junit::document(service, &results.caller, ended.id).await?;
            let document = document
                .map(|part| part.context(Trouble::Io, || "cannot read the results".to_owned()));
            junit::write(document.boxed(), file).await?;
        }
        match args.output {
            Output::Table => print(&results, &ended, args).await?,
            Output::Json => output::json(&ended)?,
        }
        Ok(if interrupted { Exit::Canceled } else { Exit::from(ended.status) })
    }
}

/// Whom the jobs belong to. Where the database is kept, it is an admin that can sign in to it
/// later.
async fn caller(
    embedded: &Embedded,
    settings: &Settings,
    is_kept: bool,
) -> Result<Principal, Failure> {
    if !is_kept {
        embedded.service.create_local_admin(&settings.admin_email).await?;
    }
    Ok(engine::admin(embedded, settings).await?.principal)
}

async fn print(results: &Local, batch: &Batch, args: &Run) -> Result<(), Failure> {
    summary::print(results, batch).await?;
    if batch.counts.failed > 0 && !args.inherit_env {
        output::note(
            "commands got PATH, HOME, LANG, LC_*, TZ, USER, TMPDIR and what the suite sets; \
             --pass-env NAME and --inherit-env pass on more",
        );
    }
    Ok(())
}

/// All jobs of a batch with a status.
async fn with_status(results: &Local, id: BatchId, status: Status) -> Result<Vec<Job>, Failure> {
    let (mut jobs, mut cursor) = (Vec::new(), None);
    loop {
        let page = results.jobs(id, Some(status), cursor, 1000).await?;
        jobs.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(jobs);
        }
    }
}

/// Waits for the end of the batch; an interrupt cancels what has not ended, and so does the last
/// failure that is borne. Answers whether there was an interrupt.
async fn until_ended(
    results: &Local,
    id: BatchId,
    most_failures: Option<u64>,
) -> Result<(Batch, bool), Failure> {
    let stop = daemon::stop_on_signals()
        .context(Trouble::Os, || "cannot listen for signals".to_owned())?;
    let mut follower = Follower::new();
    let is_enough = |batch: &Batch| most_failures.is_some_and(|most| batch.counts.failed >= most);
    let so_far = stop.run_until_cancelled(follower.until(results, id, is_enough)).await;
    let interrupted = so_far.is_none();
    if let Some(batch) = so_far.transpose()?
        && batch.status.is_terminal()
    {
        return Ok((batch, false));
    }
    results.service.cancel_batch(&results.caller, id).await?;
    Ok((follower.until(results, id, |_| false).await?, interrupted))
}

/// Finds out before a long run whether its results can be written.
fn check_writable(file: &Path) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    let opened = options.append(true).create(true).open(file);
    opened.map(drop).context(Trouble::CannotCreate, || format!("cannot write {}", file.display()))
}
