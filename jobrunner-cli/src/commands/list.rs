use jobrunner_core::{UserId, daemon::Trouble};
use serde::de::DeserializeOwned;

use crate::{
    args::{List, Output, Owner, Remote},
    client::{Client, Pages, Route},
    commands::users,
    exit::{Context as _, Exit, Failure},
    follow::Patience,
    output::{self, JsonList, note},
    table::{self, Column, Context},
};

/// What is listed, and how it is shown.
pub(crate) struct Listing<'a, T: 'static> {
    pub(crate) client: &'a Client,
    pub(crate) remote: &'a Remote,
    pub(crate) list: &'a List,
    pub(crate) route: Route,
    pub(crate) filters: Vec<(&'static str, String)>,
    pub(crate) columns: &'static [Column<T>],
    /// What is printed of each if ids alone are wanted.
    pub(crate) id: fn(&T) -> String,
    /// What they are, in the plural.
    pub(crate) what: &'static str,
}

impl<T: DeserializeOwned> Listing<'_, T> {
    /// Prints the list, once or again and again. `names` finds what its cells are made with.
    pub(crate) async fn show(
        &self,
        names: impl AsyncFn(&[T]) -> Result<Context, Failure>,
    ) -> Result<Exit, Failure> {
        let columns = table::chosen(self.columns, &self.list.columns)?;
        let is_table = self.remote.output == Output::Table && !self.remote.quiet;
        if !is_table && (self.list.watch || !self.list.columns.is_empty()) {
            let message = "--watch and --columns are for tables, without --output json and --quiet";
            return Err(Failure::usage(message));
        }
        if self.list.watch {
            let height = output::height().ok_or_else(|| {
                Failure::usage("--watch needs a terminal; without one, list again when needed")
            })?;
            return watched(async || {
                let things = self.pages().all().await?;
                let context = names(&things).await?;
                let text = table::rendered(&columns, &things, &context, output::width());
                Ok(text.lines().take(height.saturating_sub(2)).collect::<Vec<_>>().join("\n"))
            })
            .await;
        }
        if is_table {
            let things = self.pages().all().await?;
            let context = names(&things).await?;
            output::things(&columns, &things, &context)?;
            if things.is_empty() {
                note(&format!("no {}", self.what));
            }
            if !self.list.all && things.len() >= self.list.limit as usize {
                note(&format!("the first {}; see all with --all, or more with -n", things.len()));
            }
            return Ok(Exit::Success);
        }
        self.stream().await
    }

    fn pages(&self) -> Pages<'_> {
        let wanted = if self.list.all { usize::MAX } else { self.list.limit as usize };
        Pages::new(self.client, self.route, self.filters.clone(), wanted).since(self.list.since)
    }

    /// Prints ids or JSON while they come.
    async fn stream(&self) -> Result<Exit, Failure> {
        let mut pages = self.pages();
        if self.remote.quiet && self.remote.output == Output::Table {
            while let Some(item) = pages.next().await? {
                output::line(&(self.id)(&item.read()?))?;
            }
            return Ok(Exit::Success);
        }
        let mut list = JsonList::default();
        while let Some(item) = pages.next().await? {
            list.push(item.text())?;
        }
        list.finish("\n")?;
        Ok(Exit::Success)
    }
}

/// How often a list is shown again.
const EVERY: std::time::Duration = std::time::Duration::from_secs(2);

/// Shows a text again and again, each time in place of the one before.
async fn watched(text: impl AsyncFn() -> Result<String, Failure>) -> Result<Exit, Failure> {
    let mut patience = Patience::default();
    output::put(b"\x1b[H\x1b[2J")?;
    loop {
        if let Some(text) = patience.bear(text().await)? {
            let now = chrono::Local::now().format("%H:%M:%S");
            let lines = text.replace('\n', "\x1b[K\n");
            output::put(
                format!("\x1b[H{lines}\x1b[K\n\x1b[J{now}, every 2 s; Ctrl-C ends").as_bytes(),
            )?;
        }
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => {
                pressed.context(Trouble::Os, || "cannot listen for signals".to_owned())?;
                output::line("")?;
                return Ok(Exit::Interrupted);
            }
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Whose things are meant, if it was said.
pub(crate) async fn owner(client: &Client, owner: &Owner) -> Result<Option<UserId>, Failure> {
    match &owner.owner {
        Some(email) => Ok(Some(users::find(client, email).await?.id)),
        None if owner.mine => Ok(Some(client.me().await?.id)),
        None => Ok(None),
    }
}
