//! Settings, as operators write them: environment variables or an `.env` file. Flags of the command
//! line win over both; see `jobrunner --help`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use secrecy::SecretString;

use crate::{
    Violation,
    job::{LoadingVariables, Rules, check_queue},
    workdir::AllowedRoots,
};

/// Everything that can be set, with the defaults filled in.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `DATABASE_URL`; `None` is the embedded default.
    pub database_url: Option<SecretString>,
    /// `REDIS_URL`; `None` does without.
    pub redis_url: Option<SecretString>,
    /// `DATABASE_MAX_CONNECTIONS`, 16 by default: how many connections one process opens at most,
    /// beside one or two of its own for leases and wake-ups.
    pub max_connections: u32,
    /// `JWT_SECRET_KEY`; the embedded mode makes one of its own.
    pub jwt_secret: Option<SecretString>,
    /// `ACCESS_TOKEN_EXPIRE_MINUTES`, 60 by default.
    pub token_lifetime: Duration,
    /// `DEFAULT_QUEUE`, `default` by default.
    pub default_queue: String,
    /// `DEFAULT_WORKING_DIR`; by default the first of the allowed ones, or else the directory in
    /// which the service was started.
    pub default_working_dir: PathBuf,
    /// `ALLOWED_WORKDIRS`, separated by commas; by default every absolute path.
    pub allowed_workdirs: AllowedRoots,
    /// `COMMAND_TIMEOUT_SECONDS`, 3600 by default.
    pub command_timeout: Duration,
    /// `JOBRUNNER_ADMIN_EMAIL`, `admin@example.com` by default.
    pub admin_email: String,
    /// `JOBRUNNER_ADMIN_PASSWORD`; made at random when unset.
    pub admin_password: Option<SecretString>,
    /// `JOBRUNNER_LISTEN`, `127.0.0.1:8000` by default.
    pub listen: SocketAddr,
    /// `KILL_GRACE_SECONDS`, 10 by default: how long a command may take to end when it is asked to.
    pub kill_grace: Duration,
    /// `LEASE_SECONDS`, 15 by default: how long a worker may be silent before its jobs are taken
    /// back.
    pub lease_ttl: Duration,
    /// `DRAIN_SECONDS`, 30 by default: how long running commands may go on when a worker is asked to
    /// stop.
    pub drain: Duration,
    /// `MAX_OUTPUT_BYTES`, 16 MiB by default: how much of each stream of a command is stored.
    pub max_output_bytes: u64,
    /// `JOB_CGROUP`, `auto` by default: where commands get control groups of their own.
    pub cgroup: Cgroup,
    /// `JOB_MAX_PROCESSES`, 4096 by default: how many processes and threads a command may have at one time,
    /// where it has a control group.
    pub max_processes: u64,
    /// `JOB_ENV_ALLOW`, nothing by default: variables that make a program load or run something else and that
    /// jobs may set all the same.
    pub loading_variables: LoadingVariables,
    /// `VALIDATE_INPUTS_ON_SUBMIT`, false by default: whether working directories and inputs must exist on the
    /// server at submission.
    pub must_exist: bool,
    /// `JOB_UMASK`, 077 by default: the file mode creation mask of commands.
    pub umask: u32,
}

/// Where commands get control groups (cgroup v2) of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cgroup {
    /// Nowhere.
    Off,
    /// In the worker's own, if that was delegated to it.
    #[default]
    Delegated,
    /// In this one, which an operator has made for it.
    Below(PathBuf),
}

impl Settings {
    /// Reads the settings from `lookup`, usually [`std::env::var`]. Empty values count as unset.
    ///
    /// # Errors
    /// Every variable that cannot be used, and why.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<Violation>> {
        let mut wrong = Vec::new();
        let text = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let secret = |name: &str| text(name).map(SecretString::from);
        let mut number = |name: &str, default: u64| {
            let Some(value) = text(name) else {
                return default;
            };
            value.trim().parse().ok().filter(|n| *n > 0).unwrap_or_else(|| {
                wrong.push(Violation::new(name, "must be a whole number above 0"));
                default
            })
        };
        let token_minutes = number("ACCESS_TOKEN_EXPIRE_MINUTES", 60);
        let timeout_seconds = number("COMMAND_TIMEOUT_SECONDS", 3600);
        let grace_seconds = number("KILL_GRACE_SECONDS", 10);
        let lease_seconds = number("LEASE_SECONDS", 15);
        let drain_seconds = number("DRAIN_SECONDS", 30);
        let max_connections = number("DATABASE_MAX_CONNECTIONS", 16);
        let max_output_bytes = number("MAX_OUTPUT_BYTES", 16 * 1024 * 1024);

        let max_processes = number("JOB_MAX_PROCESSES", 4096);
        let cgroup = match text("JOB_CGROUP").as_deref().map(str::trim) {
            None | Some("auto") => Cgroup::Delegated,
            Some("off") => Cgroup::Off,
            Some(directory) if directory.starts_with('/') => Cgroup::Below(directory.into()),
            Some(_) => {
                let message = "must be auto, off, or the absolute directory of a control group";
                wrong.push(Violation::new("JOB_CGROUP", message));
                Cgroup::Off
            }
        };
        let loading_variables = text("JOB_ENV_ALLOW").unwrap_or_default().parse();
        let loading_variables = loading_variables.unwrap_or_else(|name: String| {
            let message = format!("must list names of variables, not {name:?}");
            wrong.push(Violation::new("JOB_ENV_ALLOW", message));
            LoadingVariables::default()
        });
        let must_exist = match text("VALIDATE_INPUTS_ON_SUBMIT").as_deref().map(str::trim) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                let message = "must be true or false";
                wrong.push(Violation::new("VALIDATE_INPUTS_ON_SUBMIT", message));
                false
            }
        };
        let umask = text("JOB_UMASK").map_or(Some(0o077), |mask| {
            u32::from_str_radix(mask.trim(), 8).ok().filter(|mask| *mask <= 0o777)
        });
        let umask = umask.unwrap_or_else(|| {
            wrong.push(Violation::new("JOB_UMASK", "must be an octal number such as 027"));
            0o077
        });
        let default_queue = text("DEFAULT_QUEUE").unwrap_or_else(|| "default".to_owned());
        if let Err(violation) = check_queue(&default_queue) {
            wrong.push(Violation::new("DEFAULT_QUEUE", violation.message));
        }
        let allowed = text("ALLOWED_WORKDIRS").unwrap_or_default();
        let roots = allowed.split(',').map(str::trim).filter(|root| !root.is_empty());
        let allowed_workdirs = AllowedRoots::new(roots).unwrap_or_else(|root| {
            let message = format!("must list absolute directories without '..', not {root:?}");
            wrong.push(Violation::new("ALLOWED_WORKDIRS", message));
            AllowedRoots::default()
        });
        let default_working_dir = text("DEFAULT_WORKING_DIR")
            .map(PathBuf::from)
            .or_else(|| allowed_workdirs.first().map(PathBuf::from))
            .or_else(|| std::env::current_dir().ok())
            .unwrap_or_else(|| PathBuf::from("/"));
        if let Err(message) = allowed_workdirs.check_text(&default_working_dir.to_string_lossy()) {
            wrong.push(Violation::new("DEFAULT_WORKING_DIR", message));
        }
        let listen = text("JOBRUNNER_LISTEN").unwrap_or_else(|| "127.0.0.1:8000".to_owned());
        let listen = listen.parse().unwrap_or_else(|_| {
            let message = "must be an address and a port, as in 127.0.0.1:8000";
            wrong.push(Violation::new("JOBRUNNER_LISTEN", message));
            SocketAddr::from(([127, 0, 0, 1], 8000))
        });

        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self {
            database_url: secret("DATABASE_URL"),
            redis_url: secret("REDIS_URL"),
            max_connections: u32::try_from(max_connections).unwrap_or(u32::MAX),
            jwt_secret: secret("JWT_SECRET_KEY"),
            token_lifetime: Duration::from_secs(token_minutes.saturating_mul(60)),
            default_queue,
            default_working_dir,
            allowed_workdirs,
            command_timeout: Duration::from_secs(timeout_seconds),
            admin_email: text("JOBRUNNER_ADMIN_EMAIL")
                .unwrap_or_else(|| "admin@example.com".to_owned()),
            admin_password: secret("JOBRUNNER_ADMIN_PASSWORD"),
            listen,
            kill_grace: Duration::from_secs(grace_seconds),
            lease_ttl: Duration::from_secs(lease_seconds),
            drain: Duration::from_secs(drain_seconds),
            max_output_bytes,
            cgroup,
            max_processes,
            loading_variables,
            must_exist,
            umask,
        })
    }

    /// The rules that jobs are checked by.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            default_queue: self.default_queue.clone(),
            default_working_dir: self.default_working_dir.to_string_lossy().into_owned(),
            allowed_roots: self.allowed_workdirs.clone(),
            max_timeout: self.command_timeout,
            loading_variables: self.loading_variables.clone(),
            must_exist: self.must_exist,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> Result<Settings, Vec<Violation>> {
        Settings::from_vars(|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn unset_and_empty_variables_take_their_defaults() {
        let settings = read(&[("DEFAULT_QUEUE", " "), ("DATABASE_URL", "")]).expect("settings");
        assert_eq!(settings.default_queue, "default");
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(settings.command_timeout, Duration::from_secs(3600));
        assert!(settings.database_url.is_none());
    }

    #[test]
    fn every_wrong_variable_is_named() {
        let wrong = read(&[
            ("COMMAND_TIMEOUT_SECONDS", "soon"),
            ("DEFAULT_QUEUE", "a b"),
            ("ALLOWED_WORKDIRS", "/srv, work"),
            ("JOBRUNNER_LISTEN", "8000"),
        ]);
        let fields: Vec<_> = wrong.expect_err("refused").into_iter().map(|v| v.field).collect();
        let expected =
            ["COMMAND_TIMEOUT_SECONDS", "DEFAULT_QUEUE", "ALLOWED_WORKDIRS", "JOBRUNNER_LISTEN"];
        assert_eq!(fields, expected);
    }

    #[test]
    fn the_first_allowed_directory_is_the_default_one() {
        let settings = read(&[("ALLOWED_WORKDIRS", "/srv/a, /srv/b")]).expect("settings");
        assert_eq!(settings.default_working_dir, PathBuf::from("/srv/a"));
        let outside = read(&[("ALLOWED_WORKDIRS", "/srv"), ("DEFAULT_WORKING_DIR", "/srvx")]);
        assert_eq!(outside.expect_err("refused")[0].field, "DEFAULT_WORKING_DIR");
    }
}
