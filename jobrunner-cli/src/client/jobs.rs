use jobrunner_core::{
    Counts, Job, JobId, NewJob, UserId,
    job::{Attempt, Hold},
    log::Stream,
    page::Page,
};
use reqwest::{Response, StatusCode, header};

use super::{
    BATCH_LIMIT, Client, Key, LogEvents, NOTHING, REQUEST_LIMIT,
    http::Repeat,
    routes,
    wire::{CancelJobs, Canceled},
};
use crate::exit::Failure;

impl Client {
    pub(crate) async fn submit_job(&self, job: &NewJob, key: Key) -> Result<Job, Failure> {
        self.submit(&routes::SUBMIT_JOB, job, REQUEST_LIMIT, key).await
    }

    pub(crate) async fn job(&self, id: JobId) -> Result<Job, Failure> {
        self.get(&routes::JOB, &[&id.to_string()], &[]).await
    }

    pub(crate) async fn attempts_of(&self, id: JobId) -> Result<Vec<Attempt>, Failure> {
        let page: Page<Attempt> = self.get(&routes::ATTEMPTS, &[&id.to_string()], &[]).await?;
        Ok(page.items)
    }

    pub(crate) async fn holds_of(&self, id: JobId) -> Result<Vec<Hold>, Failure> {
        let page: Page<Hold> = self.get(&routes::HOLDS, &[&id.to_string()], &[]).await?;
        Ok(page.items)
    }

    pub(crate) async fn cancel_job(&self, id: JobId) -> Result<Job, Failure> {
        self.post(&routes::CANCEL_JOB, &[&id.to_string()], NOTHING).await
    }

    pub(crate) async fn rerun_job(&self, id: JobId) -> Result<Job, Failure> {
        self.post(&routes::RERUN_JOB, &[&id.to_string()], NOTHING).await
    }

    pub(crate) async fn delete_job(&self, id: JobId) -> Result<(), Failure> {
        self.delete(&routes::DELETE_JOB, &[&id.to_string()]).await
    }

    /// Cancels all that is open: of `me`, of `all`, or of the account with an id.
    pub(crate) async fn cancel_jobs(&self, owner: &str) -> Result<Canceled, Failure> {
        let body = CancelJobs { owner: owner.to_owned() };
        self.post(&routes::CANCEL_JOBS, &[], Some(&body)).await
    }

    pub(crate) async fn job_stats(&self, owner: Option<UserId>) -> Result<Counts, Failure> {
        let owner: Vec<_> =
            owner.map(|owner| ("owner_id", owner.to_string())).into_iter().collect();
        self.get(&routes::JOB_STATS, &[], &owner).await
    }

    /// What is there of one stream of an attempt, byte for byte, or no more than so many bytes of
    /// its end. Where output was not kept, a line says so.
    pub(crate) async fn stored_output(
        &self,
        id: JobId,
        attempt: u32,
        stream: Stream,
        end: Option<u64>,
    ) -> Result<Response, Failure> {
        let id = id.to_string();
        let request = || {
            let request = self
                .http
                .request(&routes::STREAM, &[&id, stream.as_str()])
                .query(&[("attempt", attempt)])
                .timeout(BATCH_LIMIT);
            match end {
                Some(bytes) => request.header(header::RANGE, format!("bytes=-{bytes}")),
                None => request,
            }
        };
        let response = self.http.send(Repeat::WhenLost, request).await?;
        // Of a stream without a byte there is no end.
        if response.status().is_success()
            || response.status() == StatusCode::RANGE_NOT_SATISFIABLE && end.is_some()
        {
            return Ok(response);
        }
        Err(self.http.refusal(response).await)
    }

    /// What a job writes, through all its attempts, from the first byte on.
    pub(crate) fn follow(&self, id: JobId) -> LogEvents<'_> {
        LogEvents::new(&self.http, id)
    }
}
