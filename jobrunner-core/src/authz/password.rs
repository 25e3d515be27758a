mod hasher;

use std::sync::Arc;

use argon2::password_hash::{PasswordVerifier, phc::PasswordHash};
use tokio::sync::Semaphore;

use crate::{Error, Result};
use hasher::Hasher;

/// How many passwords are hashed at one time: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;

/// Longer input is refused before it is hashed.
const MAX_BYTES: usize = 1024;

/// Hashes and checks passwords with Argon2id, a bounded number at a time, off the async threads.
#[derive(Clone, Debug)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    decoy: Arc<str>,
}

impl Passwords {
    /// Hashes once, to have something to compare with when there is no account.
    ///
    /// # Errors
    /// The system has no randomness.
    pub async fn new() -> Result<Self> {
        let mut passwords = Self { permits: Arc::new(Semaphore::new(AT_ONCE)), decoy: "".into() };
        passwords.decoy = passwords.hash("nobody has this password").await?.into();
        Ok(passwords)
    }

    /// The password's hash in PHC string form, with a salt of its own.
    ///
    /// # Errors
    /// The system has no randomness.
    pub async fn hash(&self, password: &str) -> Result<String> {
        let password = password.to_owned();
        self.run(move || {
            let hash = Hasher.hash(password.as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|e| Error::internal("hashing a password", e))
        })
        .await?
    }

    /// Whether the password belongs to the hash. Takes as long without a hash as with one.
    ///
    /// # Errors
    /// The stored hash is damaged.
    pub async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool> {
        if password.len() > MAX_BYTES {
            return Ok(false);
        }
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let password = password.to_owned();
        self.run(move || {
            let hash =
                PasswordHash::new(&hash).map_err(|e| Error::internal("reading a hash", e))?;
            Ok(Hasher.verify_password(password.as_bytes(), &hash).is_ok() && known)
        })
        .await?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|e| Error::internal("hashing a password", e))?;
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        task.await.map_err(|e| Error::internal("hashing a password", e))
    }
}
