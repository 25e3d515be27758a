//! Jobs and batches by a part of their id, for people who type.

use std::str::FromStr;

use futures_util::{FutureExt, future::BoxFuture};
use uuid::Uuid;

use super::Service;
use crate::{
    Result,
    authz::Principal,
    batch::{Batch, BatchFilter},
    job::{Job, JobFilter, Order},
    page::{Page, PageRequest},
};

/// How many of the newest are looked through for the end of an id, which no index knows.
const LOOKED_THROUGH: usize = 20_000;

/// How many, if so many digits were given that the first that fits is the one.
const LOOKED_THROUGH_FOR_ONE: usize = 100_000;

/// How many are looked at at a time.
const AT_A_TIME: u32 = 1_000;

/// The fewest digits that are looked for.
const FEWEST: usize = 4;

/// Where the last part of an id begins, and in it the digits that are made at random alone: what
/// comes before them is the time and a counter, which ids of one moment share.
const LAST_PART: usize = 20;
const RANDOM: usize = 24;

/// Digits of an id: the first of all, the last of all, or the first of its random end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdPart(String);

/// The text is no part of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 4 or more of the digits of an id")]
pub struct NoPart;

impl FromStr for IdPart {
    type Err = NoPart;

    fn from_str(text: &str) -> Result<Self, NoPart> {
        let digits: String = text.chars().filter(|digit| *digit != '-').collect();
        let is_part = (FEWEST..=32).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if is_part { Ok(Self(digits.to_ascii_lowercase())) } else { Err(NoPart) }
    }
}

impl IdPart {
    /// Whether these are digits of the id, at one of those places.
    #[must_use]
    pub fn is_of(&self, id: Uuid) -> bool {
        let digits = id.simple().to_string();
        digits.starts_with(&self.0)
            || digits.ends_with(&self.0)
            || digits[RANDOM..].starts_with(&self.0)
            || (self.0.len() > 32 - RANDOM && digits[LAST_PART..].starts_with(&self.0))
    }

    /// Whether so many digits were given that no second id has them at its end.
    fn is_whole_end(&self) -> bool {
        self.0.len() >= 32 - RANDOM
    }

    /// The first id behind all that begin so.
    fn behind_prefix(&self) -> Uuid {
        let last = Uuid::from_str(&format!("{:f<32}", self.0)).unwrap_or(Uuid::max());
        Uuid::from_u128(last.as_u128().saturating_add(1))
    }
}

impl Service {
    /// Jobs of the filter whose id has this part: all that begin so, and of the newest 20,000 those
    /// that end so, or of the newest 100,000 if eight digits or more are given. One page, the
    /// newest first.
    ///
    /// # Errors
    /// As [`jobs`](Self::jobs).
    pub async fn jobs_by_id(
        &self,
        caller: &Principal,
        part: &IdPart,
        filter: JobFilter,
        limit: u32,
    ) -> Result<Page<Job>> {
        let filter = JobFilter { order: Order::Newest, ..filter };
        let list = |page| self.jobs(caller, filter.clone(), page).boxed();
        found(part, limit, list, |job: &Job| job.id.as_uuid()).await
    }

    /// Batches of the filter whose id has this part, as [`jobs_by_id`](Self::jobs_by_id).
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn batches_by_id(
        &self,
        caller: &Principal,
        part: &IdPart,
        filter: BatchFilter,
        limit: u32,
    ) -> Result<Page<Batch>> {
        let list = |page| self.batches(caller, filter.clone(), page).boxed();
        found(part, limit, list, |batch: &Batch| batch.id.as_uuid()).await
    }
}

async fn found<'a, T>(
    part: &IdPart,
    limit: u32,
    list: impl Fn(PageRequest) -> BoxFuture<'a, Result<Page<T>>>,
    id: impl Fn(&T) -> Uuid,
) -> Result<Page<T>> {
    let from = PageRequest { limit, after: Some(part.behind_prefix()) };
    let mut items = list(from).await?.items;
    items.retain(|item| part.is_of(id(item)));
    let mut page = PageRequest::first(AT_A_TIME);
    let mut looked_at = 0;
    let enough = if part.is_whole_end() { LOOKED_THROUGH_FOR_ONE } else { LOOKED_THROUGH };
    while looked_at < enough && items.len() < limit as usize {
        let next = list(page).await?;
        let last = next.items.last().map(&id);
        looked_at += next.items.len();
        let known: Vec<Uuid> = items.iter().map(&id).collect();
        let is_new = |item: &T| part.is_of(id(item)) && !known.contains(&id(item));
        items.extend(next.items.into_iter().filter(is_new));
        let is_found = part.is_whole_end() && !items.is_empty();
        if next.next_cursor.is_none() || is_found {
            break;
        }
        page.after = last;
    }
    items.sort_by_key(|item| std::cmp::Reverse(id(item)));
    items.truncate(limit as usize);
    Ok(Page { items, next_cursor: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_a_beginning_an_end_or_the_beginning_of_the_random_end() {
        let id = Uuid::from_str("0199c2f4-a1b2-7c3d-8e4f-0a1b5c1f09ab").expect("an id");
        let has = |text: &str| text.parse::<IdPart>().expect("a part").is_of(id);
        for text in [
            "0199",
            "0199c2f4-a1",
            "0199C2F4A1B27C",
            "5c1f",
            "5c1f09a",
            "5c1f09ab",
            "0a1b5c1f09",
            "0a1b5c1f09ab",
            "09ab",
            "8e4f-0a1b5c1f09ab",
            "0199c2f4-a1b2-7c3d-8e4f-0a1b5c1f09ab",
        ] {
            assert!(has(text), "{text}");
        }
        for text in ["c2f4", "0a1b", "1f09", "5c1f09ac", "0198"] {
            assert!(!has(text), "{text}");
        }
        for text in ["", "019", "nightly", "0199c2f4-a1b2-7c3d-8e4f-0a1b5c1f09ab0", "----", "@last"]
        {
            assert_eq!(text.parse::<IdPart>(), Err(NoPart), "{text}");
        }
    }
}
