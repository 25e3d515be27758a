use jobrunner_core::{Batch, BatchId, daemon::Trouble};
use tokio::time::sleep;

use crate::{
    args::{Output, Remote},
    client::{Client, Raw},
    exit::{Exit, Failure},
    follow::{self, PAUSE, Patience, Waited},
    output,
    progress::words_of,
    time,
};

/// The most bytes of one event.
const LONGEST: usize = 1 << 20;

/// Prints a line, or a line of JSON, whenever the counts of a batch change.
pub(crate) async fn events(client: &Client, remote: &Remote, id: BatchId) -> Result<Exit, Failure> {
    let hint = format!("the batch goes on: jobrunner batch watch {id}");
    match follow::until(None, &hint, told(client, remote, id)).await? {
        Waited::For(()) => Ok(Exit::Success),
        Waited::InVain(exit) => Ok(exit),
    }
}

async fn told(client: &Client, remote: &Remote, id: BatchId) -> Result<(), Failure> {
    let mut patience = Patience::default();
    let mut last = String::new();
    loop {
        let answer = client.batch_events(id).await;
        let Some(mut response) = patience.bear(answer)? else {
            sleep(PAUSE).await;
            continue;
        };
        let mut buffer = Vec::new();
        // A stream that is cut is asked for again; it begins with how the batch stands then.
        while let Ok(Some(part)) = client.part(&mut response).await {
            buffer.extend_from_slice(&part);
            while let Some(end) = buffer.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = buffer.drain(..end + 2).collect();
                let Some(raw) = data(&event)? else { continue };
                let batch: Batch = raw.read()?;
                let line = match remote.output {
                    Output::Json => raw.text().to_owned(),
                    Output::Table => words_of(&batch),
                };
                if line != last {
                    let now = time::utc(Some(chrono::Utc::now()));
                    match remote.output {
                        Output::Json => output::line(&line)?,
                        Output::Table => output::line(&format!("{now}  {line}"))?,
                    }
                    last = line;
                }
                if batch.finished_at.is_some() {
                    return Ok(());
                }
            }
            if buffer.len() > LONGEST {
                return Err(Failure::new(
                    Trouble::Protocol,
                    "the server sends an event without end",
                ));
            }
        }
        sleep(PAUSE).await;
    }
}

/// The data of an event; `None` for one without.
fn data(event: &[u8]) -> Result<Option<Raw>, Failure> {
    let text = String::from_utf8_lossy(event);
    let data = text.lines().find_map(|line| line.strip_prefix("data:"));
    data.map(|data| Raw::parse(data.trim())).transpose()
}
