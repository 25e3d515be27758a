use std::{path::PathBuf, time::Instant};

use jobrunner_core::{Job, NewJob, retry::Retry};

use crate::{
    args::{self, Output, Submit},
    client::Client,
    commands::jobs::{Follower, print_job},
    exit::{Context, Exit, Failure},
    output,
};

/// Submits a job, and with `--wait` shows its output until it has ended.
pub(crate) async fn submit(args: Submit) -> Result<Exit, Failure> {
    let client = Client::signed_in(&args.server)?;
    let wait = args.wait;
    let format = args.output;
    let job = client.submit_job(&new_job(args)?).await?;
    if !wait.wait {
        match format {
            Output::Json => output::json(&job)?,
            Output::Table => println!("{}", job.id),
        }
        return Ok(Exit::Success);
    }
    eprintln!("job {}", job.id);
    let started = Instant::now();
    let mut follower = Follower::new(&client, job.id);
    if format == Output::Json {
        // Standard output is for the result alone.
        follower = follower.in_silence();
    }
    loop {
        if let Some(ended) = follower.step().await? {
            return finish(&client, &ended, format).await;
        }
        if wait.wait_timeout.is_some_and(|limit| started.elapsed() >= limit) {
            eprintln!("gave up waiting; the job goes on: jobrunner jobs show {}", job.id);
            return Ok(Exit::GaveUp);
        }
        tokio::time::sleep(crate::follow::PAUSE).await;
    }
}

async fn finish(client: &Client, job: &Job, format: Output) -> Result<Exit, Failure> {
    match format {
        Output::Json => output::json(job)?,
        Output::Table if job.error.is_some() => print_job(client, job).await?,
        Output::Table => {}
    }
    Ok(Exit::from(job.status))
}

fn new_job(args: Submit) -> Result<NewJob, Failure> {
    let directory = match args.working_dir {
        Some(directory) => std::path::absolute(&directory)
            .context(|| format!("cannot find {}", directory.display()))?,
        None => std::env::current_dir().context(|| "cannot tell this directory".to_owned())?,
    };
    let inputs = args.inputs.iter().map(|input| {
        std::path::absolute(input).context(|| format!("cannot find {}", input.display()))
    });
    let inputs: Vec<PathBuf> = inputs.collect::<Result<_, Failure>>()?;
    Ok(NewJob {
        name: args.name.unwrap_or_else(|| name_of(&args.command)),
        command: args.command,
        working_dir: Some(text(directory)?),
        env: args.env.into_iter().collect(),
        queue: args.queue,
        priority: args.priority,
        // Less than a second is a second: 0 would be refused.
        timeout_seconds: args.timeout.map(|timeout| timeout.as_secs().max(1)),
        max_attempts: args.max_attempts,
        retry: retry(args.retry),
        silence_seconds: args.limits.silence.map(|silence| silence.as_secs().max(1)),
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
        .map_err(|path| Failure::new(format!("{} is not UTF-8", path.to_string_lossy())))
}

/// The command as a name: on one line, and short.
fn name_of(command: &[String]) -> String {
    const LONGEST: usize = 80;
    let line = command.join(" ");
    let plain = line.chars().map(|character| if character.is_control() { ' ' } else { character });
    let short: String = plain.take(LONGEST).collect();
    if short.trim().is_empty() { "job".to_owned() } else { short }
}
