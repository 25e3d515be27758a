use serde::Serialize;

use crate::{
    args::{Output, Remote},
    exit::{Exit, Failure},
    output,
};

/// How what was changed is printed: its id, or a line about it.
pub(crate) struct Told<T> {
    pub(crate) id: fn(&T) -> String,
    pub(crate) line: fn(&T) -> String,
}

impl<T: Serialize> Told<T> {
    /// Changes one after the other. When one cannot be, those before are told all the same.
    pub(crate) async fn each<Id: Copy>(
        &self,
        remote: &Remote,
        ids: &[Id],
        change: impl AsyncFn(Id) -> Result<T, Failure>,
    ) -> Result<Exit, Failure> {
        let mut done = Vec::new();
        for id in ids {
            match change(*id).await {
                Ok(thing) => done.push(thing),
                Err(failure) => {
                    if !done.is_empty() {
                        self.print(remote, &done)?;
                    }
                    return Err(failure);
                }
            }
        }
        self.print(remote, &done)
    }

    /// Prints things: their ids, a line about each, or JSON.
    pub(crate) fn print(&self, remote: &Remote, things: &[T]) -> Result<Exit, Failure> {
        match remote.output {
            Output::Json => output::json(&things)?,
            Output::Table => {
                let shown = if remote.quiet { self.id } else { self.line };
                things.iter().try_for_each(|thing| output::line(&shown(thing)))?;
            }
        }
        Ok(Exit::Success)
    }
}
