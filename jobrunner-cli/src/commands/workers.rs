use jobrunner_core::lease::Worker;

use super::changed::Told;
use crate::{
    args::{Output, Workers as Args, WorkersCommand},
    client::Client,
    exit::{Exit, Failure},
    find,
    output::{self, note},
    table::{self, Context},
    tables::WORKERS,
};

pub(crate) async fn workers(args: Args) -> Result<Exit, Failure> {
    let remote = &args.remote;
    let client = Client::signed_in(remote).await?;
    match args.command {
        WorkersCommand::List => {
            let workers = client.workers().await?;
            match remote.output {
                Output::Table if workers.is_empty() => note("no workers"),
                Output::Table if !remote.quiet => {
                    let context = Context::of(workers.iter().map(|worker| worker.id.as_uuid()));
                    output::things(&table::chosen(WORKERS, &[])?, &workers, &context)?;
                }
                _ => return Told { id, line: id }.print(remote, &workers),
            }
            Ok(Exit::Success)
        }
        WorkersCommand::Drain { workers } => {
            let told = Told { id, line: draining };
            let mut ids = Vec::new();
            for worker in &workers {
                ids.push(find::worker(&client, worker).await?);
            }
            told.each(remote, &ids, async |id| client.drain(id).await).await
        }
    }
}

fn draining(worker: &Worker) -> String {
    format!("{}  takes no new jobs; {} are running", worker.id, worker.running)
}

fn id(worker: &Worker) -> String {
    worker.id.to_string()
}
