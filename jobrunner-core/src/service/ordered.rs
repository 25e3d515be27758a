use std::sync::Arc;

use super::{
    Service,
    place::{Followed, FollowedTo, LogPlace},
};
use crate::{
    JobId, Result, Store,
    authz::Principal,
    log::{Content, LogInfo, LogKey, Stream, merge, pieces},
};

/// How much of a stream is read from the store at a time.
const READ_BYTES: usize = 64 * 1024;

/// Both streams of an attempt as they are stored, in the order in which they were read from the
/// command, or one of them.
pub struct OrderedLog {
    store: Arc<dyn Store>,
    job: JobId,
    place: LogPlace,
    only: Option<Stream>,
}

impl OrderedLog {
    pub(super) fn new(store: Arc<dyn Store>, job: JobId, place: LogPlace) -> Self {
        Self { store, job, place, only: None }
    }

    /// How far it has been read.
    #[must_use]
    pub const fn place(&self) -> LogPlace {
        self.place
    }

    /// Goes on from other offsets of the same attempt.
    pub const fn skip_to(&mut self, stdout: u64, stderr: u64) {
        (self.place.stdout, self.place.stderr) = (stdout, stderr);
    }

    /// The next output and gaps, each with the place behind it; nothing at the end of what is
    /// stored now. A character of UTF-8 that is not whole is waited for, unless `is_final`.
    ///
    /// **Cancel safety**: nothing is read if it is dropped.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn read(&mut self, is_final: bool) -> Result<Vec<FollowedTo>> {
        let key = LogKey { job: self.job, attempt: self.place.attempt };
        let stored = async |stream: Stream, from: u64| {
            if self.only.is_some_and(|only| only != stream) {
                return Ok(Vec::new());
            }
            let chunks = self.store.read_log(key, stream, from, READ_BYTES).await?;
            Ok::<_, crate::Error>(pieces(stream, from, &chunks, is_final))
        };
        let stdout = stored(Stream::Stdout, self.place.stdout).await?;
        let stderr = stored(Stream::Stderr, self.place.stderr).await?;
        let next = merge([stdout, stderr]).into_iter().map(|piece| {
            *self.place.of(piece.stream) = piece.end();
            let (stream, offset, to) = (piece.stream, piece.offset, piece.end());
            let followed = match piece.content {
                Content::Bytes(bytes) => Followed::Output { stream, offset, bytes },
                Content::Gap(_) => Followed::Gap { stream, from: offset, to },
            };
            (self.place, followed)
        });
        Ok(next.collect())
    }
}

impl Service {
    /// The output of an attempt, of the last one if none is named, from its beginning in the order
    /// in which it was written, or one stream of it, and what is known of it.
    ///
    /// # Errors
    /// [`NotFound`](crate::Error::NotFound).
    pub async fn ordered_log(
        &self,
        caller: &Principal,
        id: JobId,
        attempt: Option<u32>,
        only: Option<Stream>,
    ) -> Result<(LogInfo, OrderedLog)> {
        let job = self.job(caller, id).await?;
        let info = self.parts.store.log_info(job.id, attempt).await?;
        let place = LogPlace { attempt: info.attempt, ..LogPlace::default() };
        let log = OrderedLog::new(Arc::clone(&self.parts.store), job.id, place);
        Ok((info, OrderedLog { only, ..log }))
    }
}
