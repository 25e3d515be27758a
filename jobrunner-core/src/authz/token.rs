use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Principal, hs256};
use crate::{Error, Result, SignInId, UserId};

const ISSUER: &str = "jobrunner";
const AUDIENCE: &str = "jobrunner-api";
/// Whoever takes a token for a request does not take one of these, and the other way round.
const REFRESH_AUDIENCE: &str = "jobrunner-refresh";

/// Secrets that stand in examples and therefore protect nothing.
const WELL_KNOWN: [&str; 6] =
    ["change-me", "changeme", "your-secret-key", "secret", "supersecret", "jwt-secret-key"];

/// Signs tokens and reads them: JWTs with HS256, good for this service alone.
#[derive(Clone)]
pub struct TokenKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    refresh_validation: Validation,
    lifetimes: Lifetimes,
}

/// How long tokens are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// An access token, from when it is given out.
    pub access: Duration,
    /// A refresh token, from when the password was given, however often it has been exchanged
    /// since.
    pub refresh: Duration,
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

/// What somebody gets who has signed in.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// For requests.
    pub access: AccessToken,
    /// For the next pair of tokens. It is good for one exchange.
    pub refresh: RefreshToken,
}

/// A signed token that is exchanged for other tokens, once.
#[derive(Clone, Debug)]
pub struct RefreshToken {
    /// What to send.
    pub token: SecretString,
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

#[derive(Serialize, Deserialize)]
struct RefreshClaims {
    sub: Uuid,
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    /// The account's token version when the password was given.
    ver: i64,
    /// The sign-in that the token belongs to.
    sid: Uuid,
    /// When the password was given.
    auth_time: i64,
    /// How many tokens of this sign-in have been exchanged before this one.
    uses: u32,
}

/// What a refresh token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refresh {
    /// Whose it is.
    pub(crate) user: UserId,
    /// The account's token version when the password was given.
    pub(crate) version: i64,
    /// The sign-in that it belongs to.
    pub(crate) sign_in: SignInId,
    /// When the password was given.
    pub(crate) signed_in_at: DateTime<Utc>,
    /// How many tokens of this sign-in have been exchanged before this one.
    pub(crate) uses: u32,
    /// When it, and all that follow it, have expired.
    pub(crate) expires_at: DateTime<Utc>,
}

impl TokenKey {
    /// A key for tokens that last so long.
    ///
    /// # Errors
    /// The secret is too short or well known.
    pub fn new(secret: &[u8], lifetimes: Lifetimes) -> Result<Self, TokenKeyError> {
        let text = String::from_utf8_lossy(secret).to_lowercase();
        let distinct = secret.iter().collect::<std::collections::BTreeSet<_>>().len();
        if WELL_KNOWN.iter().any(|known| text.starts_with(known)) {
            return Err(TokenKeyError::WellKnown);
        }
        if secret.len() < 32 || distinct < 8 {
            return Err(TokenKeyError::TooShort);
        }
        hs256::install();
        Ok(Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation: validation(AUDIENCE),
            refresh_validation: validation(REFRESH_AUDIENCE),
            lifetimes,
        })
    }

    /// A token for somebody who just proved who they are.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden) for who has shown a personal access token. Signing failed,
    /// which is a defect.
    pub fn issue(&self, principal: &Principal) -> Result<AccessToken> {
        let now = Utc::now().timestamp();
        let claims = Claims {
            sub: principal.id.as_uuid(),
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat: now,
            exp: now.saturating_add(seconds(self.lifetimes.access)),
            ver: principal.token_version,
            sid: principal.sign_in()?.as_uuid(),
        };
        Ok(AccessToken { token: self.sign(&claims)?, lifetime: self.lifetimes.access })
    }

    /// The token to go on with after the access token, for somebody who just proved who they are by
    /// a password, or by `before`, the refresh token that this one follows.
    ///
    /// # Errors
    /// Signing failed, which is a defect.
    pub(crate) fn issue_refresh(
        &self,
        principal: &Principal,
        before: Option<Refresh>,
    ) -> Result<RefreshToken> {
        let now = Utc::now().timestamp();
        let signed_in_at = before.map_or(now, |before| before.signed_in_at.timestamp());
        let exp = signed_in_at.saturating_add(seconds(self.lifetimes.refresh));
        let claims = RefreshClaims {
            sub: principal.id.as_uuid(),
            iss: ISSUER.to_owned(),
            aud: REFRESH_AUDIENCE.to_owned(),
            iat: now,
            exp,
            ver: principal.token_version,
            sid: principal.sign_in()?.as_uuid(),
            auth_time: signed_in_at,
            uses: before.map_or(0, |before| before.uses.saturating_add(1)),
        };
        let lifetime = Duration::from_secs(u64::try_from(exp - now).unwrap_or(0));
        Ok(RefreshToken { token: self.sign(&claims)?.into(), lifetime })
    }

    fn sign(&self, claims: &impl Serialize) -> Result<String> {
        let token = encode(&Header::new(Algorithm::HS256), claims, &self.encoding);
        token.map_err(|e| Error::internal("signing a token", e))
    }

    /// When the tokens that were given out so far have expired.
    pub(crate) fn expiry(&self) -> DateTime<Utc> {
        let longest = self.lifetimes.access.max(self.lifetimes.refresh);
        let lifetime = chrono::Duration::from_std(longest).unwrap_or(chrono::Duration::MAX);
        // A token's times are whole seconds.
        let latest = Utc::now().checked_add_signed(lifetime + chrono::Duration::seconds(1));
        latest.unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// What a token says; `None` if it is not a valid one of this service.
    pub(super) fn read(&self, token: &str) -> Option<Read> {
        let claims = decode::<Claims>(token, &self.decoding, &self.validation).ok()?.claims;
        Some(Read { user: claims.sub.into(), version: claims.ver, sign_in: claims.sid.into() })
    }

    /// What a refresh token says; `None` if it is not a valid one of this service. One that was
    /// given out when they lasted longer ends as if it were given out now, so that a sign-out is
    /// never forgotten before the tokens that it ends.
    pub(crate) fn read_refresh(&self, token: &str) -> Option<Refresh> {
        let claims = decode::<RefreshClaims>(token, &self.decoding, &self.refresh_validation);
        let claims = claims.ok()?.claims;
        let latest = claims.auth_time.saturating_add(seconds(self.lifetimes.refresh));
        let expires_at = claims.exp.min(latest);
        (expires_at > Utc::now().timestamp()).then_some(Refresh {
            user: claims.sub.into(),
            version: claims.ver,
            sign_in: claims.sid.into(),
            signed_in_at: DateTime::from_timestamp(claims.auth_time, 0)?,
            uses: claims.uses,
            expires_at: DateTime::from_timestamp(expires_at, 0)?,
        })
    }
}

fn validation(audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["sub", "iss", "aud", "exp"]);
    validation.leeway = 0;
    validation
}

fn seconds(lifetime: Duration) -> i64 {
    i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::{Role, authz::Proof};

    const LIFETIMES: Lifetimes =
        Lifetimes { access: Duration::from_secs(60), refresh: Duration::from_secs(3600) };

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn key(secret: &[u8]) -> TokenKey {
        TokenKey::new(secret, LIFETIMES).expect("a good secret")
    }

    fn principal() -> Principal {
        Principal {
            id: UserId::new(),
            email: "a@b".to_owned(),
            role: Role::Viewer,
            token_version: 7,
            by: Proof::SignIn(SignInId::new()),
        }
    }

    #[test]
    fn a_token_is_read_back_only_with_the_key_that_signed_it() {
        let principal = principal();
        let token = key(SECRET).issue(&principal).expect("signed").token;
        let read =
            Read { user: principal.id, version: 7, sign_in: principal.sign_in().expect("one") };
        assert_eq!(key(SECRET).read(&token), Some(read));
        assert_eq!(key(b"another secret that is long enough").read(&token), None);
    }

    #[test]
    fn expired_foreign_and_unsigned_tokens_are_refused() {
        let now = Utc::now().timestamp();
        let forge = |exp: i64, iss: &str, aud: &str| {
            let claims = Claims {
                sub: Uuid::now_v7(),
                iss: iss.to_owned(),
                aud: aud.to_owned(),
                iat: now,
                exp,
                ver: 0,
                sid: Uuid::now_v7(),
            };
            encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(SECRET))
                .expect("encoded")
        };
        let key = key(SECRET);
        assert!(key.read(&forge(now + 60, ISSUER, AUDIENCE)).is_some());
        assert!(key.read(&forge(now - 1, ISSUER, AUDIENCE)).is_none());
        assert!(key.read(&forge(now + 60, "other", AUDIENCE)).is_none());
        assert!(key.read(&forge(now + 60, ISSUER, "other")).is_none());
        // {"alg":"none"} with the claims of a good token and no signature.
        let good = forge(now + 60, ISSUER, AUDIENCE);
        let claims = good.split('.').nth(1).expect("claims");
        assert!(key.read(&format!("eyJhbGciOiJub25lIn0.{claims}.")).is_none());
        // {"alg":"HS384","typ":"JWT"} with a signature of HS256.
        let message = format!("eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.{claims}");
        let secret = EncodingKey::from_secret(SECRET);
        let signed = jsonwebtoken::crypto::sign(message.as_bytes(), &secret, Algorithm::HS256);
        assert!(key.read(&format!("{message}.{}", signed.expect("signed"))).is_none());
        assert!(key.read("").is_none());
    }

    #[test]
    fn a_token_for_requests_and_one_for_exchanges_do_not_stand_for_each_other() {
        let (key, principal) = (key(SECRET), principal());
        let refresh = key.issue_refresh(&principal, None).expect("signed").token;
        let access = key.issue(&principal).expect("signed").token;
        assert!(key.read(refresh.expose_secret()).is_none());
        assert!(key.read_refresh(&access).is_none());
        assert!(key.read_refresh(refresh.expose_secret()).is_some());
    }

    #[test]
    fn however_often_it_is_exchanged_a_refresh_token_ends_when_the_first_one_did() {
        let (key, principal) = (key(SECRET), principal());
        let read = |token: &RefreshToken| key.read_refresh(token.token.expose_secret());
        let first = read(&key.issue_refresh(&principal, None).expect("signed")).expect("valid");
        let earlier = first.signed_in_at - chrono::Duration::seconds(3000);
        let before = Refresh { signed_in_at: earlier, ..first };
        let next = key.issue_refresh(&principal, Some(before)).expect("signed");
        assert!(next.lifetime <= Duration::from_secs(600));
        let next = read(&next).expect("valid");
        assert_eq!(
            (first.uses, next.uses, next.sign_in),
            (0, 1, principal.sign_in().expect("one"))
        );
        assert_eq!(next.expires_at, earlier + chrono::Duration::seconds(3600));
    }

    #[test]
    fn a_shorter_lifetime_holds_for_the_refresh_tokens_that_are_out() {
        let principal = principal();
        let token = key(SECRET).issue_refresh(&principal, None).expect("signed").token;
        let shorter = Lifetimes { refresh: Duration::ZERO, ..LIFETIMES };
        let shorter = TokenKey::new(SECRET, shorter).expect("a good secret");
        assert!(shorter.read_refresh(token.expose_secret()).is_none());
    }

    #[test]
    fn secrets_that_can_be_guessed_are_refused() {
        let new = |secret: &[u8]| TokenKey::new(secret, LIFETIMES).map(|_| ());
        assert_eq!(new(b"short"), Err(TokenKeyError::TooShort));
        assert_eq!(new(&[b'a'; 64]), Err(TokenKeyError::TooShort));
        assert_eq!(new(b"change-me-change-me-change-me-change-me"), Err(TokenKeyError::WellKnown));
    }
}
