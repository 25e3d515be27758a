//! Says when the service allows less than was asked for.

use jobrunner_core::{BatchId, Job, NewJob};

use crate::{
    client::{Client, routes},
    output::note,
};

/// The longest timeout that jobs ask for.
pub(crate) fn longest_timeout(jobs: &[NewJob]) -> Option<u64> {
    jobs.iter().filter_map(|job| job.timeout_seconds).max()
}

/// Says if a timeout was made shorter.
pub(crate) fn tell_capped(asked: u64, given: u64) {
    if given < asked {
        note(&format!(
            "the service limits the timeout to {given} s; {asked} s were asked for \
             (COMMAND_TIMEOUT_SECONDS)"
        ));
    }
}

/// Says if timeouts of a batch's jobs were made shorter, by the job that asked for the longest one.
/// The batch is submitted, whatever comes of this.
pub(crate) async fn tell_of_batch(client: &Client, batch: BatchId, jobs: &[NewJob]) {
    let Some(asked) = longest_timeout(jobs) else { return };
    let asks = |job: &&NewJob| job.timeout_seconds == Some(asked);
    let name = jobs.iter().find(asks).map(|job| job.name.clone()).unwrap_or_default();
    let filters = [("batch_id", batch.to_string()), ("name", name), ("limit", "100".to_owned())];
    match client.list::<Job>(&routes::JOBS, &filters).await {
        Ok(named) => {
            let given = named.items.iter().map(|job| job.spec.timeout_seconds).max();
            tell_capped(asked, given.unwrap_or(asked));
        }
        Err(failure) => note(&format!("cannot tell whether timeouts were limited: {failure}")),
    }
}
