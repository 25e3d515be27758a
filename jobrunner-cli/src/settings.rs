use jobrunner_core::{config::Settings, daemon};

use crate::exit::Failure;

/// The settings of this process: its environment over the file `.env` of its directory.
pub(crate) fn settings() -> Result<Settings, Failure> {
    daemon::settings().map_err(|error| Failure::new(error.to_string()))
}

/// Sends the log to stderr, as `JOBRUNNER_LOG` and `JOBRUNNER_LOG_FORMAT` ask for.
pub(crate) fn start_log(default: &str) -> Result<(), Failure> {
    daemon::start_log(default).map_err(|error| Failure::new(error.to_string()))
}
