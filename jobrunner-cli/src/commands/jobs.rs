use jobrunner_core::{Job, JobId, Status, job::Attempt, log::Stream, terminal};

use crate::{
    args::{Jobs as Args, JobsCommand, JobsList, Output},
    client::Client,
    commands::batch::pages,
    exit::{Exit, Failure},
    follow::{self, Waited},
    output::{self, JobOutput},
    summary::seconds,
};

pub(crate) async fn jobs(args: Args) -> Result<Exit, Failure> {
    let client = Client::signed_in(&args.server)?;
    match args.command {
        JobsCommand::List(list) => self::list(&client, list).await,
        JobsCommand::Show { id, output } => {
            let job = client.job(id).await?;
            match output {
                Output::Json => output::json(&job)?,
                Output::Table => output::line(&described(&client, &job).await?)?,
            }
            Ok(Exit::Success)
        }
        JobsCommand::Why { id, output } => why(&client, id, output).await,
        JobsCommand::Cancel { ids } => {
            for id in ids {
                let job = client.cancel_job(id).await?;
                output::line(&format!("{}  {}", job.id, canceling(&job)))?;
            }
            Ok(Exit::Success)
        }
        JobsCommand::Logs { id, follow } => logs(&client, id, follow).await,
    }
}

fn canceling(job: &Job) -> String {
    if job.status.is_terminal() { job.status.to_string() } else { "is being ended".to_owned() }
}

async fn list(client: &Client, args: JobsList) -> Result<Exit, Failure> {
    let mut filters = Vec::new();
    filters.extend(args.status.map(|status| ("status", status.to_string())));
    filters.extend(args.batch.map(|batch| ("batch_id", batch.to_string())));
    filters.extend(args.queue.map(|queue| ("queue", queue)));
    filters.extend(args.name.map(|name| ("name", name)));
    filters.extend(args.reason.map(|reason| ("reason", reason.as_str().to_owned())));
    filters.extend(args.sort.map(|order| ("sort", order.to_string())));
    let jobs: Vec<Job> = pages(client, "/jobs", filters, args.list).await?;
    match args.list.output {
        Output::Json => output::json(&jobs)?,
        Output::Table => {
            let row = |job: &Job| {
                [
                    job.id.to_string(),
                    job.spec.name.clone(),
                    job.status.to_string(),
                    job.attempt.to_string(),
                    output::time(Some(job.created_at)),
                    job.error.clone().unwrap_or_default(),
                ]
            };
            let headings = ["ID", "NAME", "STATUS", "ATTEMPT", "CREATED (UTC)", "WHY"];
            output::table(headings, jobs.iter().map(row))?;
        }
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
        for hold in client.holds_of(job.id).await?.items {
            lines.push(format!("waits     {}", terminal::line(&hold.message)));
        }
    }
    if job.flaky {
        lines.push("flaky     it failed before it passed".to_owned());
    }
    lines.extend([
        format!("command   {}", terminal::line(&format!("{:?}", job.spec.command))),
        format!("directory {}", terminal::line(&job.spec.working_dir)),
        format!("queue     {}, priority {}", job.spec.queue, job.spec.priority),
        format!("created   {}", output::time(Some(job.created_at))),
    ]);
    let attempts = client.attempts_of(job.id).await?.items;
    if !attempts.is_empty() {
        lines.push(String::new());
        let headings = ["ATTEMPT", "STATUS", "STARTED (UTC)", "TOOK", "HOST", "WHY"];
        lines.push(output::rendered(headings, attempts.iter().map(row)));
    }
    Ok(lines.join("\n"))
}

/// Prints why a job has not been started, or what became of it.
async fn why(client: &Client, id: JobId, output: Output) -> Result<Exit, Failure> {
    let job = client.job(id).await?;
    let holds = client.holds_of(id).await?.items;
    match output {
        Output::Json => output::json(&holds)?,
        Output::Table if holds.is_empty() => {
            let what = job.error.as_deref().map_or_else(String::new, |error| format!(": {error}"));
            output::line(&terminal::line(&format!("it is {}{what}", job.status)))?;
        }
        Output::Table => {
            for hold in holds {
                output::line(&terminal::line(&format!("it waits: {}", hold.message)))?;
            }
        }
    }
    Ok(Exit::Success)
}

fn row(attempt: &Attempt) -> [String; 6] {
    let took = attempt
        .result
        .as_ref()
        .map(|result| seconds(i64::try_from(result.duration_ms).unwrap_or(i64::MAX)));
    [
        attempt.attempt.to_string(),
        attempt.status.to_string(),
        output::time(Some(attempt.started_at)),
        took.unwrap_or_else(|| "-".to_owned()),
        attempt.worker_host.clone().unwrap_or_else(|| "-".to_owned()),
        attempt.error.clone().unwrap_or_default(),
    ]
}

async fn logs(client: &Client, id: JobId, follow: bool) -> Result<Exit, Failure> {
    let job = client.job(id).await?;
    if !follow && !job.status.is_terminal() {
        stored(client, &job).await?;
        return Ok(Exit::Success);
    }
    // Of a job that has ended everything is told at once.
    let hint = format!("the job goes on: jobrunner jobs logs -f {id}");
    match follow::until(None, &hint, follow::output_of(client, id)).await? {
        Waited::For(()) => Ok(Exit::Success),
        Waited::InVain(exit) => Ok(exit),
    }
}

/// Prints what is there now.
async fn stored(client: &Client, job: &Job) -> Result<(), Failure> {
    let mut shown = JobOutput::default();
    for attempt in 1..=job.attempt {
        shown.begin(attempt)?;
        for stream in [Stream::Stdout, Stream::Stderr] {
            let mut response = client.stored_output(job.id, attempt, stream).await?;
            while let Some(part) = client.part(&mut response).await? {
                shown.print(stream, &part)?;
            }
        }
    }
    shown.finish()
}
