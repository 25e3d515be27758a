//! The secrets of personal access tokens: 256 bits at random, so that their plain SHA-256 tells
//! nothing about them and can be looked up.

use rand::{TryRng, rngs::SysRng};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// What they begin with, so that whoever finds one knows what it is.
const PREFIX: &str = "jr_";

/// What the store keeps of a secret.
pub type SecretDigest = [u8; 32];

/// A new secret.
///
/// # Errors
/// The system has no randomness.
pub(crate) fn new() -> Result<SecretString> {
    let mut bytes = [0; 32];
    SysRng.try_fill_bytes(&mut bytes).map_err(|e| Error::internal("making a token", e))?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{PREFIX}{digits}").into())
}

/// What the store keeps of this text, if it is such a secret at all.
pub(crate) fn digest(text: &SecretString) -> Option<SecretDigest> {
    let text = text.expose_secret();
    let digits = text.strip_prefix(PREFIX)?;
    let is_one = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_one.then(|| Sha256::digest(text.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_secrets_are_alike_and_nothing_else_is_one() {
        let (one, other) = (new().expect("random"), new().expect("random"));
        assert_ne!(one.expose_secret(), other.expose_secret());
        assert!(digest(&one).is_some() && digest(&one) != digest(&other));
        for wrong in ["", "jr_", "eyJhbGciOiJIUzI1NiJ9.e30.x", &one.expose_secret()[3..]] {
            assert_eq!(digest(&SecretString::from(wrong.to_owned())), None, "{wrong}");
        }
    }
}
