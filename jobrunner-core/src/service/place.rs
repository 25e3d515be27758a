use std::{fmt, str::FromStr};

use bytes::Bytes;

use crate::{Status, Violation, log::Stream};

/// How far a job's output has been read, as `ATTEMPT:STDOUT:STDERR`: the attempt, and how many
/// bytes its command had written to each stream. An empty text is the beginning, as in the
/// specification of event streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogPlace {
    /// Which attempt; 0 is the beginning of the last one there is.
    pub attempt: u32,
    /// The offset in descriptor 1.
    pub stdout: u64,
    /// The offset in descriptor 2.
    pub stderr: u64,
}

impl fmt::Display for LogPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.attempt, self.stdout, self.stderr)
    }
}

impl FromStr for LogPlace {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Violation> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let wrong = || Violation::new("Last-Event-ID", "must be the id of an event, unchanged");
        let mut parts = text.trim().splitn(3, ':');
        let mut next = || parts.next().and_then(|part| part.parse().ok());
        let (attempt, stdout, stderr) = (next(), next(), next());
        let attempt = attempt.and_then(|attempt: u64| u32::try_from(attempt).ok());
        match (attempt, stdout, stderr) {
            (Some(attempt), Some(stdout), Some(stderr)) => Ok(Self { attempt, stdout, stderr }),
            _ => Err(wrong()),
        }
    }
}

impl LogPlace {
    pub(super) const fn of(&mut self, stream: Stream) -> &mut u64 {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }
}

/// What happens to a job that somebody follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// Its command has written something.
    Output {
        /// To which stream.
        stream: Stream,
        /// How many bytes it had written to it before.
        offset: u64,
        /// What it wrote. While it runs, a character of UTF-8 is not cut in two.
        bytes: Bytes,
    },
    /// Part of what it wrote was not kept.
    Gap {
        /// Of which stream.
        stream: Stream,
        /// Where the kept head ends.
        from: u64,
        /// Where the kept tail starts.
        to: u64,
    },
    /// It stands differently, or another attempt was started.
    Status(Status),
    /// It has ended so, and everything was told.
    End(Status),
}

/// An event with the place after it, from which to go on.
pub type FollowedTo = (LogPlace, Followed);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_from_its_text() {
        let place = LogPlace { attempt: 2, stdout: 10, stderr: u64::MAX };
        assert_eq!(place.to_string().parse(), Ok(place));
        assert_eq!("".parse(), Ok(LogPlace::default()), "an empty id is the beginning");
        for wrong in ["1", "1:2", "1:2:x", "-1:0:0", "4294967296:0:0", "1:2:3:4"] {
            assert!(wrong.parse::<LogPlace>().is_err(), "{wrong}");
        }
    }
}
