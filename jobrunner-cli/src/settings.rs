use jobrunner_core::config::Settings;

use crate::exit::Failure;

/// The settings of this process: its environment over the file `.env` of its directory.
pub(crate) fn settings() -> Result<Settings, Failure> {
    match dotenvy::dotenv() {
        Ok(_) => {}
        Err(error) if error.not_found() => {}
        Err(error) => return Err(Failure::new(format!("cannot read the file .env: {error}"))),
    }
    Settings::from_vars(|name| std::env::var(name).ok()).map_err(|violations| {
        let wrong: Vec<String> = violations.iter().map(ToString::to_string).collect();
        Failure::new(format!("wrong settings: {}", wrong.join("; ")))
    })
}

/// Sends the log to stderr, as `JOBRUNNER_LOG` and `JOBRUNNER_LOG_FORMAT` ask for.
pub(crate) fn start_log(default: &str) -> Result<(), Failure> {
    let filter = std::env::var("JOBRUNNER_LOG").unwrap_or_else(|_| default.to_owned());
    let filter = tracing_subscriber::EnvFilter::try_new(&filter).map_err(|error| {
        Failure::new(format!(
            "JOBRUNNER_LOG is not a filter such as info or jobrunner=debug: {error}"
        ))
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match std::env::var("JOBRUNNER_LOG_FORMAT").as_deref() {
        Ok("json") => log.json().init(),
        Ok("text") | Err(_) => log.init(),
        Ok(other) => {
            return Err(Failure::new(format!(
                "JOBRUNNER_LOG_FORMAT must be text or json, not {other}"
            )));
        }
    }
    Ok(())
}
