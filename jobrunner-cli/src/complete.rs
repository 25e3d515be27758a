//! What the shell offers after a Tab: ids and names that the server knows. Whatever goes wrong,
//! nothing is offered and nothing is said.

use std::{ffi::OsStr, time::Duration};

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use jobrunner_core::{Batch, Job};

use crate::{
    args::{Output, Remote},
    client::{Client, routes},
    config,
    exit::Failure,
    find::LAST,
    table::{DIGITS, short},
};

/// How long somebody waits for a Tab.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many of the newest are offered.
const OFFERED: &str = "100";

pub(crate) fn jobs() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        offered(typed, async |client| {
            let newest = [("limit", OFFERED.to_owned())];
            let jobs = client.list::<Job>(&routes::JOBS, &newest).await?.items;
            Ok(jobs
                .iter()
                .map(|job| {
                    let help = format!("{} {}", job.status, job.spec.name);
                    (short(job.id.as_uuid(), DIGITS), help)
                })
                .collect())
        })
    })
}

pub(crate) fn batches() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        offered(typed, async |client| {
            let newest = [("limit", OFFERED.to_owned())];
            let batches = client.list::<Batch>(&routes::BATCHES, &newest).await?.items;
            let mut all = vec![(LAST.to_owned(), "your newest".to_owned())];
            for batch in batches {
                if !all.iter().any(|(known, _)| *known == batch.name) {
                    all.push((batch.name.clone(), format!("the newest: {}", batch.status)));
                }
                let help = format!("{} {}", batch.status, batch.name);
                all.push((short(batch.id.as_uuid(), DIGITS), help));
            }
            Ok(all)
        })
    })
}

pub(crate) fn queues() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        offered(typed, async |client| {
            let queues = client.queues().await?;
            Ok(queues
                .into_iter()
                .map(|queue| {
                    let help = format!("{} wait, {} run", queue.waiting, queue.running);
                    (queue.name, help)
                })
                .collect())
        })
    })
}

pub(crate) fn servers() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let servers = config::read().map(|config| config.servers).unwrap_or_default();
        matching(typed, servers.into_iter().collect())
    })
}

/// Words with what they mean.
type Words = Vec<(String, String)>;

fn offered(
    typed: &OsStr,
    words: impl AsyncFnOnce(&Client) -> Result<Words, Failure>,
) -> Vec<CompletionCandidate> {
    let remote = Remote { server: server(), output: Output::Table, project: None, quiet: true };
    let asked = async {
        let client = Client::signed_in(&remote).await?;
        words(&client).await
    };
    let Ok(runtime) = tokio::runtime::Runtime::new() else { return Vec::new() };
    let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, asked).await });
    runtime.shutdown_background();
    match answer {
        Ok(Ok(words)) => matching(typed, words),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

fn matching(typed: &OsStr, words: Words) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let fitting = words.into_iter().filter(|(word, _)| word.starts_with(&*typed) && is_plain(word));
    fitting.map(|(word, help)| CompletionCandidate::new(word).help(Some(help.into()))).collect()
}

/// Whether a shell takes a word as it is: names are chosen by others, and what is offered may be
/// run.
fn is_plain(word: &str) -> bool {
    let is_safe = |letter: char| letter.is_alphanumeric() || "@._-+/:,=".contains(letter);
    !word.starts_with('-') && word.chars().all(is_safe)
}

/// The server that is named on the line that is being typed.
fn server() -> Option<String> {
    let mut words = std::env::args().skip_while(|word| word != "--").skip(1);
    while let Some(word) = words.next() {
        if word == "--server" || word == "-s" {
            return words.next();
        }
        if let Some(server) = word.strip_prefix("--server=") {
            return Some(server.to_owned());
        }
    }
    None
}
