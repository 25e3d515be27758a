use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{self, IsTerminal},
};

use super::file;
use crate::{
    Violation,
    config::{self, Settings},
};

/// The variables that a process reads its settings from. Nothing else in this project reads any.
#[derive(Debug, Default)]
pub struct Variables {
    /// What a file sets; the environment wins.
    file: BTreeMap<String, String>,
}

/// Settings that cannot be used. The text names variables, files and lines, and never a value.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file `.env` of the working directory cannot be used.
    #[error(transparent)]
    File(#[from] file::FileError),
    /// Variables with values that make no sense.
    #[error("wrong settings: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Values(Vec<Violation>),
}

impl From<Violation> for SettingsError {
    fn from(violation: Violation) -> Self {
        Self::Values(vec![violation])
    }
}

impl Variables {
    /// Those of the environment alone: for what a person runs, wherever that is.
    #[must_use]
    pub fn of_environment() -> Self {
        Self::default()
    }

    /// Those of the environment over those of the file `.env` of the working directory, if there is
    /// one: for services.
    ///
    /// # Errors
    /// The file is there and cannot be used.
    pub fn of_service() -> Result<Self, SettingsError> {
        Ok(Self { file: file::read()? })
    }

    /// A variable, `None` if it is not set.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn text(&self, name: &str) -> Result<Option<String>, SettingsError> {
        Ok(config::text(name, self.get(name))?)
    }

    /// The settings.
    ///
    /// # Errors
    /// The variables that cannot be used.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        Settings::from_vars(|name| self.get(name)).map_err(SettingsError::Values)
    }

    /// Sends the log to stderr, as `JOBRUNNER_LOG` and `JOBRUNNER_LOG_FORMAT` ask for; `default` is
    /// the filter where nothing is asked for.
    ///
    /// # Errors
    /// One of the two cannot be used.
    pub fn start_log(&self, default: &str) -> Result<(), SettingsError> {
        let set = |name| Ok::<_, SettingsError>(self.text(name)?.filter(|v| !v.trim().is_empty()));
        let filter = set("JOBRUNNER_LOG")?.unwrap_or_else(|| default.to_owned());
        let filter = tracing_subscriber::EnvFilter::try_new(&filter).map_err(|_| {
            Violation::new(
                "JOBRUNNER_LOG",
                "must be a filter such as info or jobrunner_worker=debug",
            )
        })?;
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(io::stderr().is_terminal())
            .with_writer(io::stderr);
        match set("JOBRUNNER_LOG_FORMAT")?.as_deref().map(str::trim) {
            Some("json") => log.json().init(),
            Some("text") | None => log.init(),
            Some(_) => {
                return Err(Violation::new("JOBRUNNER_LOG_FORMAT", "must be text or json").into());
            }
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name).or_else(|| self.file.get(name).map(OsString::from))
    }
}
