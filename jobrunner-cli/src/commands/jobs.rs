use std::io::{IsTerminal, Write};

use jobrunner_core::{
    Job, JobId,
    log::Stream,
    terminal::{self, Relay},
};

use crate::{
    args::{Jobs as Args, JobsCommand, JobsList, Output},
    client::Client,
    commands::batch::pages,
    exit::{Context, Exit, Failure},
    follow::{self, Patience},
    output,
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
                Output::Table => print_job(&client, &job).await?,
            }
            Ok(Exit::Success)
        }
        JobsCommand::Cancel { ids } => {
            for id in ids {
                let job = client.cancel_job(id).await?;
                println!("{}  {}", job.id, canceling(&job));
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
            output::table(headings, jobs.iter().map(row));
        }
    }
    Ok(Exit::Success)
}

/// Prints a job with its attempts.
pub(crate) async fn print_job(client: &Client, job: &Job) -> Result<(), Failure> {
    println!("{}  {}", job.id, terminal::line(&job.spec.name));
    println!("status    {}", job.status);
    if let Some(error) = &job.error {
        println!("why       {}", terminal::line(error));
    }
    if job.flaky {
        println!("flaky     it failed before it passed");
    }
    println!("command   {}", terminal::line(&format!("{:?}", job.spec.command)));
    println!("directory {}", terminal::line(&job.spec.working_dir));
    println!("queue     {}, priority {}", job.spec.queue, job.spec.priority);
    println!("created   {}", output::time(Some(job.created_at)));
    let attempts = client.attempts_of(job.id).await?.items;
    if attempts.is_empty() {
        return Ok(());
    }
    println!();
    let rows = attempts.iter().map(|attempt| {
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
    });
    output::table(["ATTEMPT", "STATUS", "STARTED (UTC)", "TOOK", "HOST", "WHY"], rows);
    Ok(())
}

async fn logs(client: &Client, id: JobId, follow: bool) -> Result<Exit, Failure> {
    let mut follower = Follower::new(client, id);
    loop {
        let ended = follower.step().await?;
        if ended.is_some() || !follow {
            return Ok(Exit::Success);
        }
        tokio::time::sleep(follow::PAUSE).await;
    }
}

/// Prints a job's output as it comes, each stream to the same stream of this process. A new attempt
/// is shown from its beginning.
pub(crate) struct Follower<'a> {
    client: &'a Client,
    id: JobId,
    attempt: u32,
    shown: [u64; 2],
    relays: [Relay; 2],
    patience: Patience,
    is_silent: bool,
}

impl<'a> Follower<'a> {
    pub(crate) fn new(client: &'a Client, id: JobId) -> Self {
        Self {
            client,
            id,
            attempt: 0,
            shown: [0, 0],
            relays: <[Relay; 2]>::default(),
            patience: Patience::default(),
            is_silent: false,
        }
    }

    /// Waits for the end and prints nothing.
    pub(crate) fn in_silence(self) -> Self {
        Self { is_silent: true, ..self }
    }

    /// Prints what is new; the job once it has ended.
    pub(crate) async fn step(&mut self) -> Result<Option<Job>, Failure> {
        // The job first: what it wrote before it ended is there when it is known to have ended.
        let answer = self.client.job(self.id).await;
        let Some(job) = self.patience.bear(answer)? else { return Ok(None) };
        if job.attempt == 0 || self.is_silent {
            return Ok(job.status.is_terminal().then_some(job));
        }
        if job.attempt > self.attempt {
            if self.attempt > 0 {
                eprintln!("jobrunner: attempt {}", job.attempt);
            }
            self.attempt = job.attempt;
            self.shown = [0, 0];
            self.relays = <[Relay; 2]>::default();
        }
        for (place, stream) in [Stream::Stdout, Stream::Stderr].into_iter().enumerate() {
            let from = self.shown[place];
            let answer = self.client.output(self.id, self.attempt, stream, from).await;
            let Some(bytes) = self.patience.bear(answer)? else { return Ok(None) };
            print(stream, &mut self.relays[place], &bytes)?;
            self.shown[place] += bytes.len() as u64;
        }
        Ok(job.status.is_terminal().then_some(job))
    }
}

/// Byte for byte into a file or a pipe; a terminal gets what does not go beyond the line.
fn print(stream: Stream, relay: &mut Relay, bytes: &[u8]) -> Result<(), Failure> {
    let written = match stream {
        Stream::Stdout => {
            let relay = std::io::stdout().is_terminal().then_some(relay);
            write(&mut std::io::stdout().lock(), relay, bytes)
        }
        Stream::Stderr => {
            let relay = std::io::stderr().is_terminal().then_some(relay);
            write(&mut std::io::stderr().lock(), relay, bytes)
        }
    };
    written.context(|| "cannot print the output".to_owned())
}

fn write(to: &mut impl Write, relay: Option<&mut Relay>, bytes: &[u8]) -> std::io::Result<()> {
    match relay {
        Some(relay) => to.write_all(relay.push(bytes).as_bytes())?,
        None => to.write_all(bytes)?,
    }
    to.flush()
}
