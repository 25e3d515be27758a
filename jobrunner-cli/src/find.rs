//! What people name jobs, batches, workers and access tokens by.

use std::str::FromStr;

use jobrunner_core::{
    Batch, BatchId, Job, JobId, SeriesId, SessionId, TokenId, UserId,
    daemon::Trouble,
    history::{Series, SeriesTest},
    series::TestId,
    service::{IdPart, NoPart},
};
use uuid::Uuid;

use crate::{
    client::{Client, Pages, Route, routes},
    commands::tokens,
    exit::Failure,
    output::note,
};

/// Your newest batch.
pub(crate) const LAST: &str = "@last";

/// A job by its id or a part of it.
pub(crate) type JobRef = Ref<JobId>;

/// A worker by its id or a part of it.
pub(crate) type WorkerRef = Ref<SessionId>;

/// An access token by its id or a part of it.
pub(crate) type TokenRef = Ref<TokenId>;

/// An id, or digits of one.
#[derive(Clone, Debug)]
pub(crate) enum Ref<Id> {
    Id(Id),
    Part(String),
}

impl<Id: From<Uuid>> FromStr for Ref<Id> {
    type Err = NoPart;

    fn from_str(text: &str) -> Result<Self, NoPart> {
        if let Ok(id) = Uuid::parse_str(text) {
            return Ok(Self::Id(id.into()));
        }
        text.parse::<IdPart>().map(|_| Self::Part(text.to_owned()))
    }
}

/// A batch by its id or a part of it, by its name, or as the last one.
#[derive(Clone, Debug)]
pub(crate) enum BatchRef {
    Id(BatchId),
    Last,
    /// A name or a part of an id.
    Text(String),
}

impl FromStr for BatchRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match (Uuid::parse_str(text), text) {
            (Ok(id), _) => Ok(Self::Id(id.into())),
            (_, LAST) => Ok(Self::Last),
            (_, text) if text.trim().is_empty() => Err("must be an id, a name or @last"),
            (_, text) => Ok(Self::Text(text.to_owned())),
        }
    }
}

/// A series by its id or its name.
#[derive(Clone, Debug)]
pub(crate) enum SeriesRef {
    Id(SeriesId),
    Name(String),
}

impl FromStr for SeriesRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match Uuid::parse_str(text) {
            Ok(id) => Ok(Self::Id(id.into())),
            Err(_) if text.trim().is_empty() => Err("must be an id or a name"),
            Err(_) => Ok(Self::Name(text.to_owned())),
        }
    }
}

/// A test by its id, or by its name in a series.
#[derive(Clone, Debug)]
pub(crate) enum TestRef {
    Id(TestId),
    Name(String),
}

impl FromStr for TestRef {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match Uuid::parse_str(text) {
            Ok(id) => Ok(Self::Id(id.into())),
            Err(_) if text.trim().is_empty() => Err("must be an id or a name"),
            Err(_) => Ok(Self::Name(text.to_owned())),
        }
    }
}

/// The id of a series.
pub(crate) async fn series(client: &Client, named: &SeriesRef) -> Result<SeriesId, Failure> {
    let name = match named {
        SeriesRef::Id(id) => return Ok(*id),
        SeriesRef::Name(name) => name,
    };
    let of_name = [("name", name.clone()), ("limit", "1000".to_owned())];
    let found = client.list::<Series>(&routes::SERIES_LIST, &of_name).await?.items;
    let mut exactly = found.iter().filter(|series| series.name == *name);
    match (exactly.next(), exactly.next()) {
        (Some(series), None) => Ok(series.id),
        (Some(_), Some(_)) => Err(Failure::usage(format!(
            "there are several series {name}; name one by its id, see jobrunner series list"
        ))),
        (None, _) => Err(Failure::new(
            Trouble::NoInput,
            format!("there is no series {name}; see jobrunner series list"),
        )),
    }
}

/// The id of a test; a name needs its series.
pub(crate) async fn test(
    client: &Client,
    named: &TestRef,
    series: Option<&SeriesRef>,
) -> Result<TestId, Failure> {
    let (name, of) = match (named, series) {
        (TestRef::Id(id), _) => return Ok(*id),
        (TestRef::Name(name), Some(of)) => (name, of),
        (TestRef::Name(name), None) => {
            let message = format!("{name} is no id of a test; name its series with --series");
            return Err(Failure::usage(message));
        }
    };
    let id = self::series(client, of).await?.to_string();
    let of_name = vec![("name", name.clone())];
    let found: Vec<SeriesTest> =
        Pages::new(client, routes::SERIES_TESTS, of_name, 100).of(id).all().await?;
    match &found[..] {
        [test] => Ok(test.named.test_id),
        [] => Err(Failure::new(
            Trouble::NoInput,
            format!("no test {name} is in the last runs; see jobrunner tests list"),
        )),
        _ => Err(Failure::usage(format!(
            "there are several tests {name}; name one by its id, see jobrunner tests list --name"
        ))),
    }
}

/// The id of a job.
pub(crate) async fn job(client: &Client, named: &JobRef) -> Result<JobId, Failure> {
    let part = match named {
        Ref::Id(id) => return Ok(*id),
        Ref::Part(part) => part,
    };
    let found: Vec<Job> = by_part(client, routes::JOBS, part).await?;
    one(found.iter().map(|job| job.id), "job", part)
}

/// The ids of jobs, in the order in which they are named.
pub(crate) async fn jobs(client: &Client, named: &[JobRef]) -> Result<Vec<JobId>, Failure> {
    let mut ids = Vec::new();
    for named in named {
        ids.push(job(client, named).await?);
    }
    Ok(ids)
}

/// The id of a batch.
pub(crate) async fn batch(client: &Client, named: &BatchRef) -> Result<BatchId, Failure> {
    let text = match named {
        BatchRef::Id(id) => return Ok(*id),
        BatchRef::Last => return last(client).await,
        BatchRef::Text(text) => text,
    };
    let newest = [("name", text.clone()), ("limit", "1".to_owned())];
    let named = client.list::<Batch>(&routes::BATCHES, &newest).await?;
    if let Some(batch) = named.items.first() {
        return Ok(batch.id);
    }
    if text.parse::<IdPart>().is_err() {
        return Err(none("batch", text));
    }
    let found: Vec<Batch> = by_part(client, routes::BATCHES, text).await?;
    one(found.iter().map(|batch| batch.id), "batch", text)
}

/// The ids of batches, in the order in which they are named.
pub(crate) async fn batches(client: &Client, named: &[BatchRef]) -> Result<Vec<BatchId>, Failure> {
    let mut ids = Vec::new();
    for named in named {
        ids.push(batch(client, named).await?);
    }
    Ok(ids)
}

/// The id of a worker.
pub(crate) async fn worker(client: &Client, named: &WorkerRef) -> Result<SessionId, Failure> {
    let text = match named {
        Ref::Id(id) => return Ok(*id),
        Ref::Part(text) => text,
    };
    let part: IdPart = text.parse().map_err(|wrong: NoPart| Failure::usage(wrong.to_string()))?;
    let workers = client.workers().await?;
    let ids = workers.iter().map(|worker| worker.id).filter(|id| part.is_of(id.as_uuid()));
    one(ids, "worker", text)
}

/// The id of an access token.
pub(crate) async fn token(
    client: &Client,
    owner: Option<UserId>,
    named: &TokenRef,
) -> Result<TokenId, Failure> {
    let text = match named {
        Ref::Id(id) => return Ok(*id),
        Ref::Part(text) => text,
    };
    let part: IdPart = text.parse().map_err(|wrong: NoPart| Failure::usage(wrong.to_string()))?;
    let tokens = tokens::all(client, owner).await?;
    let ids = tokens.iter().map(|token| token.id).filter(|id| part.is_of(id.as_uuid()));
    one(ids, "token", text)
}

async fn last(client: &Client) -> Result<BatchId, Failure> {
    let me = client.me().await?;
    let newest = [("owner_id", me.id.to_string()), ("limit", "1".to_owned())];
    let page = client.list::<Batch>(&routes::BATCHES, &newest).await?;
    let Some(batch) = page.items.first() else {
        let message = format!(
            "{} has no batch yet; submit one with: jobrunner batch submit SUITE.yaml",
            me.email
        );
        return Err(Failure::new(Trouble::NoInput, message));
    };
    note(&format!("batch {} ({})", batch.id, batch.name));
    Ok(batch.id)
}

async fn by_part<T: serde::de::DeserializeOwned>(
    client: &Client,
    route: Route,
    part: &str,
) -> Result<Vec<T>, Failure> {
    let wanted = [("id", part.to_owned()), ("limit", "3".to_owned())];
    Ok(client.list(&route, &wanted).await?.items)
}

/// The only one that was found.
fn one<Id: std::fmt::Display>(
    mut found: impl Iterator<Item = Id>,
    what: &str,
    text: &str,
) -> Result<Id, Failure> {
    let Some(first) = found.next() else { return Err(none(what, text)) };
    let Some(second) = found.next() else { return Ok(first) };
    Err(Failure::usage(format!(
        "{text} is part of several ids, such as {first} and {second}; give more digits of the {what}"
    )))
}

fn none(what: &str, text: &str) -> Failure {
    let list = match what {
        "batch" => "jobrunner batch list --all",
        "job" => "jobrunner jobs list --all",
        "token" => "jobrunner tokens list",
        _ => "jobrunner workers list",
    };
    Failure::new(Trouble::NoInput, format!("there is no {what} {text}; see: {list}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_batches_are_ids_names_or_the_last_one() {
        let id = "0199c2f4-a1b2-7c3d-8e4f-0a1b5c1f09ab";
        assert!(matches!(id.parse(), Ok(BatchRef::Id(_))));
        assert!(matches!("@last".parse(), Ok(BatchRef::Last)));
        for text in ["5c1f09ab", "nightly", "@nightly", "a b"] {
            assert!(matches!(text.parse(), Ok(BatchRef::Text(_))), "{text}");
        }
        for text in ["", " "] {
            assert!(text.parse::<BatchRef>().is_err(), "{text:?}");
        }
        assert!(matches!("5c1f".parse(), Ok(JobRef::Part(_))));
        for text in ["5c1", "nightly", "@last", ""] {
            assert!(text.parse::<JobRef>().is_err(), "{text:?}");
        }
    }
}
