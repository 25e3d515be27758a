use std::path::PathBuf;

use jobrunner_core::{Job, JobId, NewJob, daemon::Trouble, retry::Retry};

use crate::{
    args::{self, Output, Submit},
    client::{Client, Key},
    commands::jobs::described,
    exit::{Context, Exit, Failure},
    follow::{self, Waited},
    limits, output, settings, time,
};

/// Submits a job, and with `--wait` shows its output until it has ended.
pub(crate) async fn submit(mut args: Submit) -> Result<Exit, Failure> {
    if args.after.is_some() {
        let message = "a job cannot wait for another one yet; submit it when the other has passed: \
                       jobrunner jobs wait ID && jobrunner submit -- COMMAND";
        return Err(Failure::usage(message));
    }
    let client = Client::signed_in(&args.remote).await?;
    let wait = args.wait;
    let format = args.remote.output;
    let key = Key::from(args.idempotency_key.take());
    let project = settings::project(args.remote.project.as_ref())?;
    let new = NewJob { project: project.map(Into::into), ..new_job(args)? };
    let asked = new.timeout_seconds;
    let job = client.submit_job(&new, key).await?;
    if let Some(asked) = asked {
        limits::tell_capped(asked, job.spec.timeout_seconds);
    }
    if let Some(at) = job.spec.scheduled_at {
        output::note(&format!("not before {} UTC", time::utc(Some(at))));
    }
    if !wait.wait {
        match format {
            Output::Json => output::json(&job)?,
            Output::Table => output::line(&job.id.to_string())?,
        }
        return Ok(Exit::Success);
    }
    output::note(&format!("job {}", job.id));
    let hint = format!("the job goes on: jobrunner jobs show {}", job.id);
    match follow::until(wait.wait_timeout, &hint, ended(&client, job.id, format)).await? {
        Waited::For(job) => Ok(Exit::from(job.status)),
        Waited::InVain(exit) => Ok(exit),
    }
}

/// Waits for the end of a job. What was asked for is its output, or with `--output json` the job
/// itself.
async fn ended(client: &Client, id: JobId, format: Output) -> Result<Job, Failure> {
    if format == Output::Table {
        follow::output_of(client, id).await?;
    }
    let job = follow::job_in_silence(client, id).await?;
    match format {
        Output::Json => output::json(&job)?,
        Output::Table if job.error.is_some() || job.skipped => {
            output::note(&described(client, &job).await?);
        }
        Output::Table => {}
    }
    Ok(job)
}

fn new_job(args: Submit) -> Result<NewJob, Failure> {
    let directory = match args.working_dir {
        Some(directory) => std::path::absolute(&directory)
            .context(Trouble::NoInput, || format!("cannot find {}", directory.display()))?,
        None => std::env::current_dir()
            .context(Trouble::Os, || "cannot tell this directory".to_owned())?,
    };
    let inputs = args.inputs.iter().map(|input| {
        std::path::absolute(input)
            .context(Trouble::NoInput, || format!("cannot find {}", input.display()))
    });
    let inputs: Vec<PathBuf> = inputs.collect::<Result<_, Failure>>()?;
    Ok(NewJob {
        name: args.name.unwrap_or_else(|| name_of(&args.command)),
        command: args.command,
        working_dir: Some(text(directory)?),
        env: args.env.into_iter().collect(),
        queue: args.queue,
        priority: args.priority,
        timeout_seconds: args.timeout.map(|timeout| timeout.as_secs()),
        scheduled_at: args.at,
        max_attempts: args.max_attempts,
        retry: retry(args.retry),
        skip_exit_codes: args.skip_exit_codes,
        junit: args.junit,
        silence_seconds: args.limits.silence.map(|silence| silence.as_secs()),
        max_output_bytes: args.limits.max_output_bytes,
        max_memory_mb: args.limits.max_memory_mb,
        max_open_files: args.limits.max_open_files,
        max_cpu_seconds: args.limits.max_cpu_seconds,
        inputs: inputs.into_iter().map(text).collect::<Result<_, Failure>>()?,
        ..NewJob::default()
    })
}

fn retry(args: args::Retry) -> Option<Retry> {
    let said = !args.on.is_empty() || args.delay.is_some();
    said.then(|| Retry {
        on: args.on,
        delay_seconds: args.delay.unwrap_or_default().as_secs(),
        backoff: args.backoff.unwrap_or(1.0),
    })
}

fn text(path: PathBuf) -> Result<String, Failure> {
    path.into_os_string()
        .into_string()
        .map_err(|path| Failure::usage(format!("{} is not UTF-8", path.to_string_lossy())))
}

/// The command as a name: on one line, and short.
fn name_of(command: &[String]) -> String {
    const LONGEST: usize = 80;
    let line = command.join(" ");
    let plain = line.chars().map(|character| if character.is_control() { ' ' } else { character });
    let short: String = plain.take(LONGEST).collect();
    if short.trim().is_empty() { "job".to_owned() } else { short }
}
