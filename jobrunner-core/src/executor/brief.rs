use std::{
    io::{self, Read},
    os::fd::{AsFd, OwnedFd},
    process::{ChildStderr, ChildStdout},
    time::{Duration, Instant},
};

use bytes::Bytes;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use super::MOST_BYTES;

/// How long a command is waited for in the thread that has started it. Many do not take longer, and
/// for those it is not worth the cost of watching their descriptors from the async threads.
const PATIENCE: Duration = Duration::from_millis(5);

/// What a command has done in its first moments.
#[derive(Debug, Default)]
pub(super) struct Beginning {
    /// What it has written to each of its streams.
    pub(super) output: [Bytes; 2],
    /// Whether it has ended and its output is closed: then this is all.
    pub(super) is_all: bool,
}

/// Watches a command that was just started for a few milliseconds. Blocks for as long.
pub(super) fn watch(
    exit: &OwnedFd,
    stdout: &mut ChildStdout,
    stderr: &mut ChildStderr,
) -> io::Result<Beginning> {
    let until = Instant::now() + PATIENCE;
    let mut streams = [Taken::default(), Taken::default()];
    let mut has_ended = false;
    while !(has_ended && streams.iter().all(|stream| stream.is_closed)) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || streams.iter().any(|stream| stream.bytes.len() >= MOST_BYTES) {
            break;
        }
        let left = Timespec::try_from(left).unwrap_or_default();
        // A closed pipe would be ready all the time, so only those are asked about that are not.
        let watched = [
            (!has_ended).then(|| exit.as_fd()),
            (!streams[0].is_closed).then(|| stdout.as_fd()),
            (!streams[1].is_closed).then(|| stderr.as_fd()),
        ];
        let mut asked: Vec<PollFd<'_>> = watched
            .iter()
            .flatten()
            .map(|descriptor| PollFd::from_borrowed_fd(*descriptor, PollFlags::IN))
            .collect();
        match poll(&mut asked, Some(&left)) {
            Ok(0) => break,
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let mut answers = asked.iter().map(|answer| !answer.revents().is_empty());
        let [of_exit, of_stdout, of_stderr] =
            watched.map(|descriptor| descriptor.is_some() && answers.next().unwrap_or(false));
        has_ended |= of_exit;
        if of_stdout {
            streams[0].take(stdout)?;
        }
        if of_stderr {
            streams[1].take(stderr)?;
        }
    }
    let is_all = has_ended && streams.iter().all(|stream| stream.is_closed);
    Ok(Beginning { output: streams.map(|stream| stream.bytes.into()), is_all })
}

#[derive(Default)]
struct Taken {
    bytes: Vec<u8>,
    is_closed: bool,
}

impl Taken {
    /// Takes what there is; the pipe has something, or has been closed, so this does not block.
    fn take(&mut self, pipe: &mut impl Read) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let most = buffer.len().min(MOST_BYTES - self.bytes.len());
        match pipe.read(&mut buffer[..most]) {
            Ok(0) => self.is_closed = true,
            Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
