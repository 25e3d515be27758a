use jobrunner_core::lease::QueueState;

use super::changed::Told;
use crate::{
    args::{Output, Queues as Args, QueuesCommand},
    client::{Client, QueueChange},
    exit::{Exit, Failure},
    output::{self, note},
    table::{self, Context},
    tables::QUEUES,
};

pub(crate) async fn queues(args: Args) -> Result<Exit, Failure> {
    let remote = &args.remote;
    let client = Client::signed_in(remote).await?;
    let (queues, change) = match args.command {
        QueuesCommand::List => {
            let queues = client.queues().await?;
            match remote.output {
                Output::Table if queues.is_empty() => note("no queues: no job was submitted yet"),
                Output::Table if !remote.quiet => {
                    let context = Context::of(std::iter::empty());
                    output::things(&table::chosen(QUEUES, &[])?, &queues, &context)?;
                }
                _ => return Told { id: name, line: name }.print(remote, &queues),
            }
            return Ok(Exit::Success);
        }
        QueuesCommand::Pause { queues } => (queues, paused(true)),
        QueuesCommand::Resume { queues } => (queues, paused(false)),
        QueuesCommand::Weight { queue, weight } => {
            (vec![queue], QueueChange { weight: Some(weight), ..QueueChange::default() })
        }
    };
    let told = Told { id: name, line: described };
    let names: Vec<&str> = queues.iter().map(String::as_str).collect();
    told.each(remote, &names, async |name| client.update_queue(name, &change).await).await
}

fn described(queue: &QueueState) -> String {
    let state = if queue.paused { "paused" } else { "open" };
    format!("{}  {state}, weight {}, {} wait", queue.name, queue.weight, queue.waiting)
}

fn name(queue: &QueueState) -> String {
    queue.name.clone()
}

fn paused(paused: bool) -> QueueChange {
    QueueChange { paused: Some(paused), ..QueueChange::default() }
}
