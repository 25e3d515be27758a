//! From settings to parts: the only place that names concrete backends.

#[cfg(feature = "sqlite")]
mod embedded;

#[cfg(all(feature = "postgres", feature = "redis"))]
use std::time::Duration;
use std::{fmt::Display, io, sync::Arc};

use futures_util::future::BoxFuture;
use rand::{TryRng, rngs::SysRng};
use secrecy::{ExposeSecret, SecretString};
#[cfg(all(feature = "postgres", feature = "redis"))]
use tokio::time::{Instant, sleep};
#[cfg(all(feature = "postgres", feature = "redis"))]
use tokio_util::sync::CancellationToken;

#[cfg(feature = "sqlite")]
pub use embedded::{Embedded, embedded, thrown_away};

#[cfg(all(feature = "postgres", feature = "redis"))]
use crate::queue::{PostgresQueue, RedisQueue};
use crate::{
    Error, Queue, Result, Service, Store,
    authz::{Lifetimes, Passwords, RoleAuthz, TokenKey},
    config::Settings,
    service::Parts,
};
#[cfg(feature = "postgres")]
use crate::{
    queue::LocalQueue,
    store::postgres::{PostgresOptions, PostgresStore},
};

/// What the servers and workers of a team share.
#[derive(Clone)]
pub struct Backends {
    /// The truth.
    pub store: Arc<dyn Store>,
    /// The hints.
    pub queue: Arc<dyn Queue>,
}

/// Connects to the backends that `DATABASE_URL` and `REDIS_URL` name.
///
/// # Errors
/// [`Invalid`](Error::Invalid) when `DATABASE_URL` names no server that several processes can
/// share, [`Unavailable`](Error::Unavailable) when the database does not answer,
/// [`Conflict`](Error::Conflict) when its schema is missing or too old. A Redis that does not
/// answer is done without until it does.
#[cfg(all(feature = "postgres", feature = "redis"))]
pub fn backends(settings: &Settings) -> BoxFuture<'_, Result<Backends>> {
    Box::pin(connected(settings))
}

#[cfg(all(feature = "postgres", feature = "redis"))]
async fn connected(settings: &Settings) -> Result<Backends> {
    let url = postgres_url(settings)?.expose_secret();
    let options =
        PostgresOptions { max_connections: settings.max_connections, ..PostgresOptions::default() };
    let store: Arc<dyn Store> = Arc::new(PostgresStore::connect(url, options).await?);
    let queue: Arc<dyn Queue> = match &settings.redis_url {
        None => Arc::new(PostgresQueue::connect(url, None).await?),
        Some(redis) => {
            Arc::new(RedisQueue::connect(redis.expose_secret(), RedisQueue::PREFIX).await?)
        }
    };
    Ok(Backends { store, queue })
}

/// As [`backends`], for a process that is started together with its database: waits until that
/// answers, for a minute at most. `None` when `stop` was canceled before.
///
/// # Errors
/// As [`backends`].
#[cfg(all(feature = "postgres", feature = "redis"))]
pub async fn backends_in_time(
    settings: &Settings,
    stop: &CancellationToken,
) -> Result<Option<Backends>> {
    const PATIENCE: Duration = Duration::from_secs(60);
    const PAUSE: Duration = Duration::from_secs(1);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let Some(connected) = stop.run_until_cancelled(backends(settings)).await else {
            return Ok(None);
        };
        match connected {
            Err(error @ Error::Unavailable { .. }) if Instant::now() < deadline => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the database does not answer yet");
            }
            connected => return connected.map(Some),
        }
        if stop.run_until_cancelled(sleep(PAUSE)).await.is_none() {
            return Ok(None);
        }
    }
}

/// The service over shared backends. Every server needs the same `JWT_SECRET_KEY`.
///
/// # Errors
/// [`Invalid`](Error::Invalid) when there is no secret, or none that protects anything.
pub fn service<'a>(
    backends: &'a Backends,
    settings: &'a Settings,
) -> BoxFuture<'a, Result<Service>> {
    Box::pin(async { assemble(backends, settings, shared_secret(settings)?).await })
}

/// Whether there is a secret that a server can start with; without a database, so that it can be
/// said before anything else.
///
/// # Errors
/// As [`service`].
pub fn check_secret(settings: &Settings) -> Result<()> {
    token_key(shared_secret(settings)?, settings).map(|_| ())
}

fn shared_secret(settings: &Settings) -> Result<&SecretString> {
    let secret = settings.jwt_secret.as_ref();
    secret.ok_or_else(|| bad_secret("must be set, the same for every server"))
}

/// What is wrong with the secret, and how to make a good one.
fn bad_secret(what: impl Display) -> Error {
    Error::invalid("JWT_SECRET_KEY", format!("{what}; make one with: openssl rand -hex 32"))
}

fn token_key(secret: &SecretString, settings: &Settings) -> Result<TokenKey> {
    let lifetimes =
        Lifetimes { access: settings.token_lifetime, refresh: settings.refresh_lifetime };
    let secrets = secret.expose_secret().split(',').map(|secret| secret.trim().as_bytes());
    TokenKey::new(secrets, lifetimes).map_err(bad_secret)
}

/// Makes the schema of `DATABASE_URL` or brings it up to date, and makes the first admin if there
/// is no account; answers its password if that was made at random, to be shown once. Harmless when
/// it is repeated, or done by several processes at once.
///
/// # Errors
/// [`Invalid`](Error::Invalid) when there is no database to make it in or the admin's settings are
/// wrong; otherwise what the database says.
#[cfg(feature = "postgres")]
pub fn init_database(settings: &Settings) -> BoxFuture<'_, Result<FirstAdmin>> {
    Box::pin(init(settings))
}

#[cfg(feature = "postgres")]
async fn init(settings: &Settings) -> Result<FirstAdmin> {
    let url = postgres_url(settings)?.expose_secret();
    PostgresStore::migrate(url).await?;
    let store = Arc::new(PostgresStore::connect(url, PostgresOptions::default()).await?);
    let backends = Backends { store, queue: Arc::new(LocalQueue::new()) };
    // No token is signed here.
    let secret = random_hex::<32>().map_err(|e| Error::internal("making a secret", e))?.into();
    let service = assemble(&backends, settings, &secret).await?;
    first_admin(&service, settings).await
}

/// Makes the first admin, as `JOBRUNNER_ADMIN_EMAIL` and `JOBRUNNER_ADMIN_PASSWORD` say, if there
/// is no account. Of many processes that do so at once, one makes it.
///
/// # Errors
/// [`Invalid`](Error::Invalid) when the settings are wrong; otherwise what the store says.
pub async fn first_admin(service: &Service, settings: &Settings) -> Result<FirstAdmin> {
    let (password, is_random) = match &settings.admin_password {
        Some(password) => (password.clone(), false),
        None => (random_password().map_err(|e| Error::internal("making a password", e))?, true),
    };
    let made = service.create_first_admin(&settings.admin_email, password.clone()).await?;
    let is_news = made.is_some() && is_random;
    Ok(FirstAdmin { email: made.map(|user| user.email), password: is_news.then_some(password) })
}

/// What became of the first account.
#[derive(Debug)]
pub struct FirstAdmin {
    /// Its address, if it was made now.
    pub email: Option<String>,
    /// Its password, if it was made now, and at random: to be shown once.
    pub password: Option<SecretString>,
}

#[cfg(feature = "postgres")]
fn postgres_url(settings: &Settings) -> Result<&SecretString> {
    let is_postgres = |url: &&SecretString| {
        let url = url.expose_secret();
        url.starts_with("postgres://") || url.starts_with("postgresql://")
    };
    settings.database_url.as_ref().filter(is_postgres).ok_or_else(|| {
        Error::invalid(
            "DATABASE_URL",
            "must name a PostgreSQL database, as in postgres://user:password@host/jobrunner",
        )
    })
}

async fn assemble(
    backends: &Backends,
    settings: &Settings,
    secret: &SecretString,
) -> Result<Service> {
    let tokens = token_key(secret, settings)?;
    let passwords = Passwords::new();
    let authz = RoleAuthz::new(Arc::clone(&backends.store), tokens.clone(), passwords.clone());
    Ok(Service::new(Parts {
        store: Arc::clone(&backends.store),
        queue: Arc::clone(&backends.queue),
        authz: Arc::new(authz),
        tokens,
        passwords,
        rules: settings.rules(),
    }))
}

/// A password for the first admin, made at random: 96 bits as 24 hexadecimal digits.
///
/// # Errors
/// The system has no randomness.
pub fn random_password() -> io::Result<SecretString> {
    random_hex::<12>().map(SecretString::from)
}

fn random_hex<const BYTES: usize>() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    SysRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
