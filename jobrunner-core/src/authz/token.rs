use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Principal;
use crate::{Error, Result, SignInId, UserId};

const ISSUER: &str = "jobrunner";
const AUDIENCE: &str = "jobrunner-api";

/// Secrets that stand in examples and therefore protect nothing.
const WELL_KNOWN: [&str; 6] =
    ["change-me", "changeme", "your-secret-key", "secret", "supersecret", "jwt-secret-key"];

/// Signs access tokens and reads them: JWTs with HS256, good for this service alone.
#[derive(Clone)]
pub struct TokenKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    lifetime: Duration,
}

/// The secret cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenKeyError {
    /// It can be guessed.
    #[error("must have at least 32 bytes; make one with: openssl rand -hex 32")]
    TooShort,
    /// It stands in an example.
    #[error("must not be a well-known example; make one with: openssl rand -hex 32")]
    WellKnown,
}

/// A signed token.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// What to send as `Authorization: Bearer …`.
    pub token: String,
    /// How long it is good for.
    pub lifetime: Duration,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: Uuid,
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    /// The account's token version when the token was given out.
    ver: i64,
    /// The sign-in that the token belongs to.
    sid: Uuid,
}

/// What a token says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// Whose it is.
    pub(super) user: UserId,
    /// The account's token version when it was given out.
    pub(super) version: i64,
    /// The sign-in that it belongs to.
    pub(super) sign_in: SignInId,
}

impl TokenKey {
    /// A key for tokens that last for `lifetime`.
    ///
    /// # Errors
    /// The secret is too short or well known.
    pub fn new(secret: &[u8], lifetime: Duration) -> Result<Self, TokenKeyError> {
        let text = String::from_utf8_lossy(secret).to_lowercase();
        let distinct = secret.iter().collect::<std::collections::BTreeSet<_>>().len();
        if WELL_KNOWN.iter().any(|known| text.starts_with(known)) {
            return Err(TokenKeyError::WellKnown);
        }
        if secret.len() < 32 || distinct < 8 {
            return Err(TokenKeyError::TooShort);
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["sub", "iss", "aud", "exp"]);
        validation.leeway = 0;
        Ok(Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
            lifetime,
        })
    }

    /// A token for somebody who just proved who they are.
    ///
    /// # Errors
    /// Signing failed, which is a defect.
    pub fn issue(&self, principal: &Principal) -> Result<AccessToken> {
        let now = Utc::now().timestamp();
        let claims = Claims {
            sub: principal.id.as_uuid(),
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat: now,
            exp: now.saturating_add(i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX)),
            ver: principal.token_version,
            sid: principal.sign_in.as_uuid(),
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.encoding);
        let token = token.map_err(|e| Error::internal("signing a token", e))?;
        Ok(AccessToken { token, lifetime: self.lifetime })
    }

    /// When the tokens that were given out so far have expired.
    pub(crate) fn expiry(&self) -> DateTime<Utc> {
        let lifetime = chrono::Duration::from_std(self.lifetime).unwrap_or(chrono::Duration::MAX);
        // A token's times are whole seconds.
        let latest = Utc::now().checked_add_signed(lifetime + chrono::Duration::seconds(1));
        latest.unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// What a token says; `None` if it is not a valid one of this service.
    pub(super) fn read(&self, token: &str) -> Option<Read> {
        let claims = decode::<Claims>(token, &self.decoding, &self.validation).ok()?.claims;
        Some(Read { user: claims.sub.into(), version: claims.ver, sign_in: claims.sid.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn key(secret: &[u8]) -> TokenKey {
        TokenKey::new(secret, Duration::from_secs(60)).expect("a good secret")
    }

    fn principal() -> Principal {
        Principal {
            id: UserId::new(),
            email: "a@b".to_owned(),
            role: Role::Viewer,
            token_version: 7,
            sign_in: SignInId::new(),
        }
    }

    #[test]
    fn a_token_is_read_back_only_with_the_key_that_signed_it() {
        let principal = principal();
        let token = key(SECRET).issue(&principal).expect("signed").token;
        let read = Read { user: principal.id, version: 7, sign_in: principal.sign_in };
        assert_eq!(key(SECRET).read(&token), Some(read));
        assert_eq!(key(b"another secret that is long enough").read(&token), None);
    }

    #[test]
    fn expired_foreign_and_unsigned_tokens_are_refused() {
        let now = Utc::now().timestamp();
        let forge = |header: &Header, exp: i64, iss: &str, aud: &str| {
            let claims = Claims {
                sub: Uuid::now_v7(),
                iss: iss.to_owned(),
                aud: aud.to_owned(),
                iat: now,
                exp,
                ver: 0,
                sid: Uuid::now_v7(),
            };
            encode(header, &claims, &EncodingKey::from_secret(SECRET)).expect("encoded")
        };
        let hs256 = Header::new(Algorithm::HS256);
        let key = key(SECRET);
        assert!(key.read(&forge(&hs256, now + 60, ISSUER, AUDIENCE)).is_some());
        assert!(key.read(&forge(&hs256, now - 1, ISSUER, AUDIENCE)).is_none());
        assert!(key.read(&forge(&hs256, now + 60, "other", AUDIENCE)).is_none());
        assert!(key.read(&forge(&hs256, now + 60, ISSUER, "other")).is_none());
        let hs384 = Header::new(Algorithm::HS384);
        assert!(key.read(&forge(&hs384, now + 60, ISSUER, AUDIENCE)).is_none());
        // {"alg":"none"} with the claims of a good token and no signature.
        let good = forge(&hs256, now + 60, ISSUER, AUDIENCE);
        let claims = good.split('.').nth(1).expect("claims");
        assert!(key.read(&format!("eyJhbGciOiJub25lIn0.{claims}.")).is_none());
        assert!(key.read("").is_none());
    }

    #[test]
    fn secrets_that_can_be_guessed_are_refused() {
        let new = |secret: &[u8]| TokenKey::new(secret, Duration::from_secs(1)).map(|_| ());
        assert_eq!(new(b"short"), Err(TokenKeyError::TooShort));
        assert_eq!(new(&[b'a'; 64]), Err(TokenKeyError::TooShort));
        assert_eq!(new(b"change-me-change-me-change-me-change-me"), Err(TokenKeyError::WellKnown));
    }
}
