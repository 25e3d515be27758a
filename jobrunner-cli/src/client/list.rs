use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use jobrunner_core::{daemon::Trouble, page::Page};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{Client, Route};
use crate::exit::{Context, Failure};

/// The most items that the server puts on a page.
const PAGE: usize = 1000;

/// Something as the server tells it, word for word.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Raw(Box<RawValue>);

impl Raw {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text).context(Trouble::Protocol, || {
            "the server answers something else than this version understands".to_owned()
        })
    }

    /// What this version understands of it.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(self.text()).context(Trouble::Protocol, || {
            "the server answers something else than this version understands".to_owned()
        })
    }

    pub(crate) fn text(&self) -> &str {
        self.0.get()
    }
}

/// A list that is one page, word for word.
#[derive(Deserialize)]
pub(crate) struct RawItems {
    pub(crate) items: Vec<Raw>,
}

/// A list, item by item: one page is in memory at a time, however long it is.
pub(crate) struct Pages<'a> {
    client: &'a Client,
    route: Route,
    /// What stands for `{id}` in the path.
    of: Option<String>,
    filters: Vec<(&'static str, String)>,
    wanted: usize,
    /// Nothing older than this, which is where a list of the newest first ends.
    since: Option<DateTime<Utc>>,
    page: VecDeque<Raw>,
    cursor: Option<String>,
    is_over: bool,
}

#[derive(Deserialize)]
struct Dated {
    created_at: DateTime<Utc>,
}

impl<'a> Pages<'a> {
    /// The first so many of a list, as the filters in the URL have it.
    pub(crate) fn new(
        client: &'a Client,
        route: Route,
        filters: Vec<(&'static str, String)>,
        wanted: usize,
    ) -> Self {
        let (page, cursor) = (VecDeque::new(), None);
        let (of, since, is_over) = (None, None, false);
        Self { client, route, of, filters, wanted, since, page, cursor, is_over }
    }

    /// The list of something with an id.
    pub(crate) fn of(self, id: String) -> Self {
        Self { of: Some(id), ..self }
    }

    /// Leaves out what was made before.
    pub(crate) fn since(self, since: Option<DateTime<Utc>>) -> Self {
        Self { since, ..self }
    }

    /// The next item; `None` behind the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Raw>, Failure> {
        while self.wanted > 0 {
            if let Some(item) = self.page.pop_front() {
                if let Some(since) = self.since
                    && item.read::<Dated>()?.created_at < since
                {
                    // Sorted otherwise, younger ones may follow.
                    if self.filters.iter().any(|(name, _)| *name == "sort") {
                        continue;
                    }
                    return Ok(None);
                }
                self.wanted -= 1;
                return Ok(Some(item));
            }
            if self.is_over {
                return Ok(None);
            }
            let mut parameters = self.filters.clone();
            parameters.push(("limit", self.wanted.min(PAGE).to_string()));
            parameters.extend(self.cursor.take().map(|cursor| ("cursor", cursor)));
            let of: Vec<&str> = self.of.as_deref().into_iter().collect();
            let page: Page<Raw> = self.client.get(&self.route, &of, &parameters).await?;
            self.is_over = page.next_cursor.is_none();
            (self.page, self.cursor) = (page.items.into(), page.next_cursor);
        }
        Ok(None)
    }

    /// All of them, read.
    pub(crate) async fn all<T: DeserializeOwned>(mut self) -> Result<Vec<T>, Failure> {
        let mut items = Vec::new();
        while let Some(item) = self.next().await? {
            items.push(item.read()?);
        }
        Ok(items)
    }
}
