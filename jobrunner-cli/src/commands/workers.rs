use jobrunner_core::{lease::Worker, page::Page};

use crate::{
    args::{Output, Workers as Args, WorkersCommand},
    client::Client,
    exit::{Exit, Failure},
    output,
};

pub(crate) async fn workers(args: Args) -> Result<Exit, Failure> {
    let client = Client::signed_in(&args.server)?;
    match args.command {
        WorkersCommand::List { output: Output::Json } => {
            let workers: Page<Worker> = client.list("/workers", &[]).await?;
            output::json(&workers.items)?;
        }
        WorkersCommand::List { output: Output::Table } => {
            let workers: Page<Worker> = client.list("/workers", &[]).await?;
            let headings =
                ["ID", "HOST", "PID", "RUNNING", "QUEUES", "STATE", "CONTAINMENT", "SEEN (UTC)"];
            output::table(headings, workers.items.iter().map(row))?;
        }
        WorkersCommand::Drain { ids } => {
            for id in ids {
                let worker = client.drain(id).await?;
                let running = worker.running;
                output::line(&format!("{id}  takes no new jobs; {running} are running"))?;
            }
        }
    }
    Ok(Exit::Success)
}

fn row(worker: &Worker) -> [String; 8] {
    [
        worker.id.to_string(),
        worker.host.clone(),
        worker.pid.to_string(),
        format!("{} of {}", worker.running, worker.slots),
        if worker.queues.is_empty() { "all".to_owned() } else { worker.queues.join(",") },
        if worker.draining { "draining" } else { "working" }.to_owned(),
        worker.containment.as_str().to_owned(),
        output::time(Some(worker.seen_at)),
    ]
}
