use std::time::Duration;

use futures_util::future::try_join_all;
use jobrunner_core::{Job, JobId, Status, terminal};

use super::{
    changed::Told,
    list::{Listing, owner},
    names,
};
use crate::{
    args::{Jobs as Args, JobsCommand, JobsList, Output, Owner, Remote},
    client::{Client, routes},
    commands::{cases, logs, repro},
    exit::{Exit, Failure},
    find,
    follow::{self, Waited},
    output::{self, note},
    progress::words,
    settings,
    table::{self, Context},
    tables::{ATTEMPTS, JOBS, skipped},
    time,
};

pub(crate) async fn jobs(args: Args) -> Result<Exit, Failure> {
    let remote = &args.remote;
    let client = &Client::signed_in(remote).await?;
    match args.command {
        JobsCommand::List(list) => self::list(client, remote, &list).await,
        JobsCommand::Show { job } => show(client, remote, find::job(client, &job).await?).await,
        JobsCommand::Logs(args) => logs::logs(client, remote, &args).await,
        JobsCommand::Attempts { job } => {
            attempts(client, remote, find::job(client, &job).await?).await
        }
        JobsCommand::Cases(args) => cases::cases(client, remote, &args).await,
        JobsCommand::Why { job } => why(client, remote, find::job(client, &job).await?).await,
        JobsCommand::Wait { jobs, wait_timeout } => {
            wait(client, remote, &find::jobs(client, &jobs).await?, wait_timeout).await
        }
        JobsCommand::Cancel { jobs } => {
            let told = Told { id, line: |job| format!("{}  {}", job.id, canceling(job)) };
            let ids = find::jobs(client, &jobs).await?;
            told.each(remote, &ids, async |id| client.cancel_job(id).await).await
        }
        JobsCommand::Rerun { jobs } => {
            let ids = find::jobs(client, &jobs).await?;
            Told { id, line: id }.each(remote, &ids, async |id| client.rerun_job(id).await).await
        }
        JobsCommand::Delete { jobs } => {
            let told = Told { id: JobId::to_string, line: |id| format!("{id}  deleted") };
            let ids = find::jobs(client, &jobs).await?;
            told.each(remote, &ids, async |id| client.delete_job(id).await.map(|()| id)).await
        }
        JobsCommand::Repro { job, run } => {
            repro::repro(client, remote, find::job(client, &job).await?, run).await
        }
        JobsCommand::Stats { owner } => stats(client, remote, &owner).await,
    }
}

fn id(job: &Job) -> String {
    job.id.to_string()
}

fn canceling(job: &Job) -> String {
    if job.status.is_terminal() { job.status.to_string() } else { "is being ended".to_owned() }
}

async fn list(client: &Client, remote: &Remote, args: &JobsList) -> Result<Exit, Failure> {
    let mut filters = Vec::new();
    filters.extend(args.status.map(|status| ("status", status.to_string())));
    if let Some(batch) = &args.batch {
        filters.push(("batch_id", find::batch(client, batch).await?.to_string()));
    }
    filters.extend(args.queue.clone().map(|queue| ("queue", queue)));
    filters.extend(args.name.clone().map(|name| ("name", name)));
    filters.extend(args.reason.map(|reason| ("reason", reason.as_str().to_owned())));
    filters.extend(args.sort.map(|order| ("sort", order.to_string())));
    let owner = owner(client, &args.owner).await?;
    filters.extend(owner.map(|owner| ("owner_id", owner.to_string())));
    let project = settings::project(remote.project.as_ref())?;
    filters.extend(project.map(|project| ("project", project.to_string())));
    let listing = Listing {
        client,
        remote,
        list: &args.list,
        route: routes::JOBS,
        filters,
        columns: JOBS,
        id,
        what: "jobs",
    };
    let names = async |jobs: &[Job]| {
        let mut context = Context::of(jobs.iter().map(|job| job.id.as_uuid()));
        context.owners = names::owners(client, jobs.iter().map(|job| job.owner_id)).await?;
        let batches = jobs.iter().filter_map(|job| job.batch_id);
        context.batches = names::batches(client, batches).await?;
        Ok(context)
    };
    listing.show(names).await
}

async fn show(client: &Client, remote: &Remote, id: JobId) -> Result<Exit, Failure> {
    match remote.output {
        Output::Json => output::raw(&client.raw(&routes::JOB, &[&id.to_string()]).await?)?,
        Output::Table => {
            let job = client.job(id).await?;
            output::line(&described(client, &job).await?)?;
        }
    }
    Ok(Exit::Success)
}

async fn attempts(client: &Client, remote: &Remote, id: JobId) -> Result<Exit, Failure> {
    let attempts = client.attempts_of(id).await?;
    match remote.output {
        Output::Json => output::json(&attempts)?,
        Output::Table if attempts.is_empty() => note("not started yet"),
        Output::Table => {
            let context = Context::of(std::iter::empty());
            output::things(&table::chosen(ATTEMPTS, &[])?, &attempts, &context)?;
        }
    }
    Ok(Exit::Success)
}

/// Waits for several jobs at once.
async fn wait(
    client: &Client,
    remote: &Remote,
    ids: &[JobId],
    limit: Option<Duration>,
) -> Result<Exit, Failure> {
    let each = ids.iter().map(|id| async {
        let job = follow::job_in_silence(client, *id).await?;
        note(&format!("{}: {}", terminal::line(&job.spec.name), job.status));
        Ok::<_, Failure>(job)
    });
    let hint = "the jobs go on";
    let jobs = match follow::until(limit, hint, try_join_all(each)).await? {
        Waited::For(jobs) => jobs,
        Waited::InVain(exit) => return Ok(exit),
    };
    if remote.output == Output::Json {
        output::json(&jobs)?;
    }
    Ok(Exit::worst(jobs.iter().map(|job| Exit::from(job.status))))
}

async fn stats(client: &Client, remote: &Remote, of: &Owner) -> Result<Exit, Failure> {
    let counts = client.job_stats(owner(client, of).await?).await?;
    match remote.output {
        Output::Json => output::json(&counts)?,
        Output::Table => output::line(&format!("{}: {}", counts.total, words(&counts)))?,
    }
    Ok(Exit::Success)
}

/// A job with its attempts, as text of several lines.
pub(crate) async fn described(client: &Client, job: &Job) -> Result<String, Failure> {
    let mut lines = vec![
        format!("{}  {}", job.id, terminal::line(&job.spec.name)),
        format!("status    {}", job.status),
    ];
    if let Some(error) = &job.error {
        lines.push(format!("why       {}", terminal::line(error)));
    }
    if job.status == Status::Waiting {
        for hold in client.holds_of(job.id).await? {
            lines.push(format!("waits     {}", terminal::line(&hold.message)));
        }
    }
    if let Some(first) = job.spec.rerun_of {
        lines.push(format!("rerun of  {first}"));
    }
    if job.skipped {
        lines.push(format!("skipped   {}", skipped(job)));
    }
    if job.flaky {
        lines.push("flaky     it failed before it passed".to_owned());
    }
    lines.extend(cases::counted(job));
    let command = job.spec.command.iter().map(String::as_str);
    let command = shell_words::join(command);
    lines.extend([
        format!("command   {}", terminal::line(&command)),
        format!("directory {}", terminal::line(&job.spec.working_dir)),
        format!("queue     {}, priority {}", job.spec.queue, job.spec.priority),
        format!("created   {}", time::utc(Some(job.created_at))),
    ]);
    if let Some(at) = job.spec.scheduled_at {
        lines.push(format!("not before {}", time::utc(Some(at))));
    }
    if let Some(batch) = job.batch_id {
        lines.push(format!("batch     {batch}"));
    }
    let attempts = client.attempts_of(job.id).await?;
    if !attempts.is_empty() {
        lines.push(String::new());
        let context = Context::of(std::iter::empty());
        let columns = table::chosen(ATTEMPTS, &[])?;
        lines.push(table::rendered(&columns, &attempts, &context, output::width()));
    }
    lines.extend(cases::failed(client, job).await?);
    Ok(lines.join("\n"))
}

/// Prints why a job has not been started, or what became of it.
async fn why(client: &Client, remote: &Remote, id: JobId) -> Result<Exit, Failure> {
    let job = client.job(id).await?;
    let holds = client.holds_of(id).await?;
    if remote.output == Output::Json {
        output::json(&holds)?;
        return Ok(Exit::Success);
    }
    if holds.is_empty() {
        let what = job.error.as_deref().map_or_else(String::new, |error| format!(": {error}"));
        output::line(&terminal::line(&format!("it is {}{what}", job.status)))?;
    }
    for hold in holds {
        output::line(&terminal::line(&format!("it waits: {}", hold.message)))?;
    }
    Ok(Exit::Success)
}
