//! What one process tells the others, as a small text: wake-ups of a short time, each once.
//!
//! `jr1 ORIGIN FLAGS PAIR PAIR…`: the version, who wrote it, then `w` for [`Wakeup::Work`], `c` for
//! [`Wakeup::Cancel`], `l` for [`Wakeup::Lagged`] or `-` for none, then `JOB/BATCH` for each
//! [`Wakeup::Changed`]. What a reader does not understand it takes for `Lagged`, so that processes
//! of different versions can talk.

use std::{collections::HashSet, str::FromStr};

use crate::{BatchId, JobId};

use super::Wakeup;

/// What the text begins with.
const VERSION: &str = "jr1";

/// The most changes in one letter, at 66 bytes each: PostgreSQL takes up to 7,999 bytes.
const MOST: usize = 100;

/// Who wrote a letter: one queue object of one process, by a number at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin(u64);

impl Origin {
    pub(super) fn new() -> Self {
        Self(rand::random())
    }
}

type Change = (Option<JobId>, Option<BatchId>);

/// A letter that is being written.
pub(super) struct Letter {
    origin: Origin,
    work: bool,
    cancel: bool,
    lagged: bool,
    changes: HashSet<Change>,
}

/// A letter that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// `None` if the reader does not understand it.
    pub(super) origin: Option<Origin>,
    pub(super) wakeups: Vec<Wakeup>,
}

impl Letter {
    pub(super) fn from(origin: Origin) -> Self {
        let changes = HashSet::new();
        Self { origin, work: false, cancel: false, lagged: false, changes }
    }

    pub(super) fn add(&mut self, wakeup: Wakeup) {
        match wakeup {
            Wakeup::Work => self.work = true,
            Wakeup::Cancel => self.cancel = true,
            Wakeup::Lagged => self.lagged = true,
            Wakeup::Changed { .. } if self.lagged => {}
            Wakeup::Changed { job, batch } => {
                self.changes.insert((job, batch));
                self.lagged = self.changes.len() > MOST;
            }
        }
        if self.lagged {
            // It implies all others.
            self.changes.clear();
        }
    }

    pub(super) fn write(&self) -> String {
        let flags = [(self.work, 'w'), (self.cancel, 'c'), (self.lagged, 'l')];
        let mut flags: String =
            flags.iter().filter(|(set, _)| *set).map(|(_, flag)| flag).collect();
        if flags.is_empty() {
            flags.push('-');
        }
        let simple =
            |id: Option<uuid::Uuid>| id.map_or_else(String::new, |id| id.simple().to_string());
        let mut text = format!("{VERSION} {:016x} {flags}", self.origin.0);
        for (job, batch) in &self.changes {
            let (job, batch) = (job.map(JobId::as_uuid), batch.map(BatchId::as_uuid));
            text.push_str(&format!(" {}/{}", simple(job), simple(batch)));
        }
        text
    }
}

/// Reads a letter; never fails.
pub(super) fn read(text: &str) -> Read {
    let unknown = || Read { origin: None, wakeups: vec![Wakeup::Lagged] };
    parse(text).unwrap_or_else(unknown)
}

fn parse(text: &str) -> Option<Read> {
    let mut words = text.split(' ');
    if words.next() != Some(VERSION) {
        return None;
    }
    let origin = Origin(u64::from_str_radix(words.next()?, 16).ok()?);
    let mut wakeups = Vec::new();
    for flag in words.next()?.chars().filter(|flag| *flag != '-') {
        wakeups.push(match flag {
            'w' => Wakeup::Work,
            'c' => Wakeup::Cancel,
            'l' => Wakeup::Lagged,
            _ => return None,
        });
    }
    for word in words {
        let (job, batch) = word.split_once('/')?;
        wakeups.push(Wakeup::Changed { job: id(job)?, batch: id(batch)? });
    }
    Some(Read { origin: Some(origin), wakeups })
}

fn id<Id: FromStr>(text: &str) -> Option<Option<Id>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> Wakeup {
        Wakeup::Changed { job: Some(JobId::new()), batch: Some(BatchId::new()) }
    }

    #[test]
    fn what_is_written_is_read() {
        let origin = Origin::new();
        let batch = Some(BatchId::new());
        for wakeups in [
            vec![],
            vec![Wakeup::Work, Wakeup::Cancel],
            vec![change()],
            vec![Wakeup::Cancel, Wakeup::Changed { job: None, batch }],
            vec![Wakeup::Lagged],
        ] {
            let mut letter = Letter::from(origin);
            wakeups.iter().cloned().for_each(|wakeup| letter.add(wakeup));
            assert_eq!(read(&letter.write()), Read { origin: Some(origin), wakeups });
        }
    }

    #[test]
    fn a_letter_stays_small_whatever_is_announced() {
        let mut letter = Letter::from(Origin::new());
        for _ in 0..MOST {
            letter.add(change());
        }
        let full = letter.write();
        assert!(full.len() < 7_500 && read(&full).wakeups.len() == MOST, "{}", full.len());
        letter.add(change());
        assert_eq!(read(&letter.write()).wakeups, [Wakeup::Lagged]);
    }

    #[test]
    fn what_is_not_understood_may_mean_anything() {
        for text in
            ["", "hello", "jr2 0 w", "jr1 x w", "jr1 0", "jr1 0 z", "jr1 0 - 1", "jr1 0 - 1/2"]
        {
            assert_eq!(read(text), Read { origin: None, wakeups: vec![Wakeup::Lagged] }, "{text}");
        }
    }
}
