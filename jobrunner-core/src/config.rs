//! Settings, as operators write them: environment variables or an `.env` file. Flags of the command
//! line win over both; see `jobrunner --help`.

mod listen;
mod notify;
mod reader;

use std::{ffi::OsString, path::PathBuf, time::Duration};

use secrecy::SecretString;

pub use listen::{Host, Listen};
pub use notify::{AllowedHosts, Mail, Notify};
#[cfg(feature = "daemon")]
pub(crate) use reader::LIBPQ;
pub use reader::text;

use self::reader::Reader;
use crate::{
    Violation,
    job::{LoadingVariables, Rules, check_queue},
    workdir::AllowedRoots,
};

/// The longest that results can be kept by a number: a hundred years.
const MAX_KEEP_DAYS: u32 = 36_500;

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
    /// `REFRESH_TOKEN_EXPIRE_DAYS`, 30 by default: how long after a password was given clients may
    /// go on without it.
    pub refresh_lifetime: Duration,
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
    pub listen: Listen,
    /// `KILL_GRACE_SECONDS`, 10 by default: how long a command may take to end when it is asked to.
    pub kill_grace: Duration,
    /// `LEASE_SECONDS`, 15 by default: how long a worker may be silent before its jobs are taken
    /// back.
    pub lease_ttl: Duration,
    /// `DRAIN_SECONDS`, 30 by default: how long running commands may go on when a worker is asked
    /// to stop.
    pub drain: Duration,
    /// `MAX_OUTPUT_BYTES`, 16 MiB by default: how much of each stream of a command is stored.
    pub max_output_bytes: u64,
    /// `JOB_CGROUP`, `auto` by default: where commands get control groups of their own.
    pub cgroup: Cgroup,
    /// `JOB_MAX_PROCESSES`, 4096 by default: how many processes and threads a command may have at
    /// one time, where it has a control group.
    pub max_processes: u64,
    /// `JOB_ENV_ALLOW`, nothing by default: variables that make a program load or run something
    /// else and that jobs may set all the same.
    pub loading_variables: LoadingVariables,
    /// `VALIDATE_INPUTS_ON_SUBMIT`, false by default: whether working directories and inputs must
    /// exist on the server at submission.
    pub must_exist: bool,
    /// `JOB_UMASK`, 077 by default: the file mode creation mask of commands.
    pub umask: u32,
    /// `RESULTS_KEEP_DAYS`, 400 by default: results of tests are forgotten month by month, each
    /// when it ended so many days ago; `None`, which is 0, keeps all.
    pub keep_results: Option<u32>,
    /// How notifications are delivered.
    pub notify: Notify,
}

/// Every setting at its default, whatever the environment says.
impl Default for Settings {
    fn default() -> Self {
        match Self::from_vars(|_| None) {
            Ok(settings) => settings,
            Err(wrong) => unreachable!("nothing is set, and this is wrong: {wrong:?}"),
        }
    }
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
    /// Reads the settings from `lookup`, usually [`std::env::var_os`]. Empty values count as unset,
    /// but for `ALLOWED_WORKDIRS`: what was meant to limit where commands run must name where.
    ///
    /// # Errors
    /// Every variable that cannot be used, and why; never its value.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, Vec<Violation>> {
        let mut vars = Reader::new(lookup);
        let token_minutes = vars.number("ACCESS_TOKEN_EXPIRE_MINUTES", 60);
        let refresh_days = vars.number("REFRESH_TOKEN_EXPIRE_DAYS", 30);
        let timeout_seconds = vars.number("COMMAND_TIMEOUT_SECONDS", 3600);
        let grace_seconds = vars.number("KILL_GRACE_SECONDS", 10);
        let lease_seconds = vars.number("LEASE_SECONDS", 15);
        let drain_seconds = vars.number("DRAIN_SECONDS", 30);
        let max_connections = vars.number("DATABASE_MAX_CONNECTIONS", 16);
        let max_output_bytes = vars.number("MAX_OUTPUT_BYTES", 16 * 1024 * 1024);
        let max_processes = vars.number("JOB_MAX_PROCESSES", 4096);
        let cgroup = vars.word("JOB_CGROUP");
        let cgroup = vars.parsed("JOB_CGROUP", cgroup, Cgroup::Delegated, |cgroup| match cgroup {
            "auto" => Ok(Cgroup::Delegated),
            "off" => Ok(Cgroup::Off),
            directory if directory.starts_with('/') => Ok(Cgroup::Below(directory.into())),
            _ => Err("must be auto, off, or the absolute directory of a control group"),
        });
        let loading_variables = vars.word("JOB_ENV_ALLOW");
        let loading_variables =
            vars.parsed("JOB_ENV_ALLOW", loading_variables, LoadingVariables::default(), |names| {
                names.parse().map_err(|_| "must list names of variables, as in LD_PRELOAD,BASH_*")
            });
        let must_exist = vars.word("VALIDATE_INPUTS_ON_SUBMIT");
        let must_exist =
            vars.parsed("VALIDATE_INPUTS_ON_SUBMIT", must_exist, false, |word| match word {
                "false" => Ok(false),
                "true" => Ok(true),
                _ => Err("must be true or false"),
            });
        let umask = vars.word("JOB_UMASK");
        let umask = vars.parsed("JOB_UMASK", umask, 0o077, |mask| {
            let mask = u32::from_str_radix(mask, 8).ok().filter(|mask| *mask <= 0o777);
            mask.ok_or("must be an octal number such as 027")
        });
        let keep_results = vars.word("RESULTS_KEEP_DAYS");
        let keep_results = vars.parsed("RESULTS_KEEP_DAYS", keep_results, Some(400), |days| {
            let days = days.parse::<u32>().ok().filter(|days| *days <= MAX_KEEP_DAYS);
            let days = days.ok_or("must be a whole number of days up to 36500; 0 keeps all");
            days.map(|days| Some(days).filter(|days| *days > 0))
        });
        let allowed_hosts = vars.word("NOTIFY_ALLOWED_HOSTS");
        let allowed_hosts =
            vars.parsed("NOTIFY_ALLOWED_HOSTS", allowed_hosts, AllowedHosts::default(), str::parse);
        let public_url = vars.word("PUBLIC_URL");
        let public_url =
            vars.parsed("PUBLIC_URL", public_url, None, |url| notify::public_url(url).map(Some));
        let (smtp, from) = (vars.secret("SMTP_URL"), vars.text("MAIL_FROM"));
        let mail = notify::mail(smtp, from).unwrap_or_else(|(name, why)| {
            vars.refuse(name, why);
            None
        });
        let default_queue = vars.text("DEFAULT_QUEUE");
        let default_queue =
            vars.parsed("DEFAULT_QUEUE", default_queue, "default".to_owned(), |queue| {
                check_queue(queue).map(|()| queue.to_owned()).map_err(|wrong| wrong.message)
            });
        let allowed_workdirs = vars.set("ALLOWED_WORKDIRS");
        let allowed_workdirs = vars.parsed(
            "ALLOWED_WORKDIRS",
            allowed_workdirs,
            AllowedRoots::default(),
            allowed_roots,
        );
        let default_working_dir = vars.text("DEFAULT_WORKING_DIR").map(PathBuf::from);
        let default_working_dir = default_working_dir
            .or_else(|| allowed_workdirs.first().map(PathBuf::from))
            .or_else(|| std::env::current_dir().ok())
            .unwrap_or_else(|| PathBuf::from("/"));
        if let Err(message) = allowed_workdirs.check_text(&default_working_dir.to_string_lossy()) {
            vars.refuse("DEFAULT_WORKING_DIR", message);
        }
        let listen = vars.word("JOBRUNNER_LISTEN");
        let listen = vars.parsed("JOBRUNNER_LISTEN", listen, Listen::default(), str::parse);
        let database_url = vars.secret("DATABASE_URL");
        if database_url.is_some() {
            vars.check_libpq();
        }
        let settings = Self {
            database_url,
            redis_url: vars.secret("REDIS_URL"),
            max_connections: u32::try_from(max_connections).unwrap_or(u32::MAX),
            jwt_secret: vars.secret("JWT_SECRET_KEY"),
            token_lifetime: Duration::from_secs(token_minutes.saturating_mul(60)),
            refresh_lifetime: Duration::from_secs(refresh_days.saturating_mul(24 * 3600)),
            default_queue,
            default_working_dir,
            allowed_workdirs,
            command_timeout: Duration::from_secs(timeout_seconds),
            admin_email: vars
                .text("JOBRUNNER_ADMIN_EMAIL")
                .unwrap_or_else(|| "admin@example.com".to_owned()),
            admin_password: vars.secret("JOBRUNNER_ADMIN_PASSWORD"),
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
            keep_results,
            notify: Notify { allowed_hosts, public_url, mail },
        };
        vars.finish().map(|()| settings)
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

/// The directories of a list with commas.
fn allowed_roots(list: &str) -> Result<AllowedRoots, &'static str> {
    let roots = list.split(',').map(str::trim).filter(|root| !root.is_empty());
    let roots = AllowedRoots::new(roots);
    let roots = roots.map_err(|_| "must list absolute directories without '..'")?;
    match roots.first() {
        Some(_) => Ok(roots),
        None => Err("is set and names no directory: name one, or leave it unset to allow all"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn read_bytes(vars: &[(&str, &[u8])]) -> Result<Settings, Vec<Violation>> {
        Settings::from_vars(|name| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from_vec(value.to_vec()))
        })
    }

    fn read(vars: &[(&str, &str)]) -> Result<Settings, Vec<Violation>> {
        let vars: Vec<_> = vars.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        read_bytes(&vars)
    }

    fn refused(vars: &[(&str, &[u8])]) -> Vec<String> {
        let wrong = read_bytes(vars).expect_err("refused");
        wrong.iter().map(ToString::to_string).collect()
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

    #[test]
    fn what_is_not_utf8_is_refused_by_its_name_wherever_it_stands() {
        let names = [
            "DATABASE_URL",
            "REDIS_URL",
            "JWT_SECRET_KEY",
            "JOBRUNNER_ADMIN_EMAIL",
            "JOBRUNNER_ADMIN_PASSWORD",
            "JOBRUNNER_LISTEN",
            "DEFAULT_QUEUE",
            "DEFAULT_WORKING_DIR",
            "ALLOWED_WORKDIRS",
            "COMMAND_TIMEOUT_SECONDS",
            "KILL_GRACE_SECONDS",
            "JOB_CGROUP",
            "JOB_ENV_ALLOW",
            "JOB_UMASK",
            "NOTIFY_ALLOWED_HOSTS",
            "PUBLIC_URL",
            "RESULTS_KEEP_DAYS",
            "VALIDATE_INPUTS_ON_SUBMIT",
        ];
        for name in names {
            for value in [&b"/x\xe9"[..], b"\xff", b" \xc3"] {
                assert_eq!(refused(&[(name, value)]), [format!("{name} is not UTF-8")]);
            }
        }
    }

    #[test]
    fn where_commands_may_run_is_never_left_open_by_a_blank() {
        assert!(read(&[]).expect("settings").allowed_workdirs.first().is_none());
        for value in ["", " ", ",", " , ", "\t,\n"] {
            let wrong = refused(&[("ALLOWED_WORKDIRS", value.as_bytes())]);
            assert!(wrong[0].starts_with("ALLOWED_WORKDIRS is set and names no directory"));
        }
        let some = read(&[("ALLOWED_WORKDIRS", "/srv,,")]).expect("settings");
        assert_eq!(some.allowed_workdirs, AllowedRoots::new(["/srv"]).expect("roots"));
    }

    #[test]
    fn what_the_library_for_postgres_reads_is_judged_where_there_is_a_postgres() {
        let url = ("DATABASE_URL", &b"postgres://db/x"[..]);
        assert_eq!(refused(&[url, ("PGPASSWORD", b"\xe9")]), ["PGPASSWORD is not UTF-8"]);
        assert!(refused(&[url, ("PGSSLMODE", b"verify_full")])[0].starts_with("PGSSLMODE must be"));
        assert!(refused(&[url, ("PGPORT", b"x")])[0].starts_with("PGPORT must be"));
        assert!(read_bytes(&[url, ("PGSSLMODE", b"verify-full")]).is_ok());
        assert!(read_bytes(&[("PGPASSWORD", b"\xe9")]).is_ok(), "nothing reads it");
    }

    #[test]
    fn results_are_kept_for_a_while_or_for_ever() {
        let kept =
            |days| read(&[("RESULTS_KEEP_DAYS", days)]).map(|settings| settings.keep_results);
        assert_eq!(kept("").expect("settings"), Some(400));
        assert_eq!(kept("30").expect("settings"), Some(30));
        assert_eq!(kept("0").expect("settings"), None);
        for wrong in ["-1", "1.5", "36501", "for ever"] {
            assert_eq!(kept(wrong).expect_err("refused")[0].field, "RESULTS_KEEP_DAYS");
        }
    }

    #[test]
    fn no_value_is_told() {
        let wrong = refused(&[
            ("ALLOWED_WORKDIRS", b"secret"),
            ("COMMAND_TIMEOUT_SECONDS", b"secret"),
            ("DEFAULT_QUEUE", b"secret word"),
            ("DEFAULT_WORKING_DIR", b"secret"),
            ("JOBRUNNER_LISTEN", b"secret"),
            ("JOB_CGROUP", b"secret"),
            ("JOB_ENV_ALLOW", b"secret-word"),
            ("JOB_UMASK", b"secret"),
            ("VALIDATE_INPUTS_ON_SUBMIT", b"secret"),
            ("NOTIFY_ALLOWED_HOSTS", b"secret word"),
            ("PUBLIC_URL", b"secret"),
            ("RESULTS_KEEP_DAYS", b"secret"),
        ]);
        assert_eq!(wrong.len(), 12, "{wrong:?}");
        assert!(wrong.iter().all(|line| !line.contains("secret")), "{wrong:?}");
    }
}
