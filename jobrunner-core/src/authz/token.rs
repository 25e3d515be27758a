mod claims;

use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Validation, decode_header};
use secrecy::SecretString;
use serde::{Serialize, de::DeserializeOwned};

pub(super) use self::claims::Read;
pub(crate) use self::claims::Refresh;
use self::claims::{Claims, ISSUER, RefreshClaims, SessionClaims, claims};
use super::{Principal, hs256, signing::Signing};
use crate::{Error, Result, UserId};

const AUDIENCE: &str = "jobrunner-api";
/// What is taken for a request is not taken for a session in a browser or for an exchange, and the
/// other way round.
const SESSION_AUDIENCE: &str = "jobrunner-pages";
const REFRESH_AUDIENCE: &str = "jobrunner-refresh";

/// Secrets that stand in examples and therefore protect nothing.
const WELL_KNOWN: [&str; 6] =
    ["change-me", "changeme", "your-secret-key", "secret", "supersecret", "jwt-secret-key"];

/// Signs tokens and reads them: JWTs with HS256, good for this service alone. Of several secrets
/// the first signs, and all verify, so that one can be changed while its tokens are out.
#[derive(Clone)]
pub struct TokenKey {
    keys: Vec<Signing>,
    validation: Validation,
    session_validation: Validation,
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

/// An hour, and thirty days.
impl Default for Lifetimes {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(3600);
        Self { access: HOUR, refresh: HOUR * 24 * 30 }
    }
}

/// The secret cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenKeyError {
    /// It can be guessed.
    #[error("must have at least 32 bytes")]
    TooShort,
    /// There is none.
    #[error("must have a secret")]
    Missing,
    /// It stands in an example.
    #[error("must not be a well-known example")]
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

impl TokenKey {
    /// A key for tokens that last so long: the first of these secrets signs, all of them verify.
    ///
    /// # Errors
    /// There is no secret, or one is too short or well known.
    pub fn new<'a>(
        secrets: impl IntoIterator<Item = &'a [u8]>,
        lifetimes: Lifetimes,
    ) -> Result<Self, TokenKeyError> {
        let keys = secrets.into_iter().map(Self::key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(TokenKeyError::Missing);
        }
        hs256::install();
        Ok(Self {
            keys,
            validation: validation(AUDIENCE),
            session_validation: validation(SESSION_AUDIENCE),
            refresh_validation: validation(REFRESH_AUDIENCE),
            lifetimes,
        })
    }

    fn key(secret: &[u8]) -> Result<Signing, TokenKeyError> {
        let text = String::from_utf8_lossy(secret).to_lowercase();
        let distinct = secret.iter().collect::<std::collections::BTreeSet<_>>().len();
        if WELL_KNOWN.iter().any(|known| text.starts_with(known)) {
            return Err(TokenKeyError::WellKnown);
        }
        if secret.len() < 32 || distinct < 8 {
            return Err(TokenKeyError::TooShort);
        }
        Signing::new(secret).ok_or(TokenKeyError::TooShort)
    }

    /// A token for somebody who just proved who they are.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden) for who has shown a personal access token. Signing failed,
    /// which is a defect.
    pub fn issue(&self, principal: &Principal) -> Result<AccessToken> {
        let lifetime = self.lifetimes.access;
        let now = Utc::now().timestamp();
        let claims = claims(principal, AUDIENCE, now, seconds(lifetime))?;
        Ok(AccessToken { token: self.sign(&claims)?, lifetime })
    }

    /// The token of a session in a browser, for somebody who just proved who they are by a
    /// password, or by `before`, when the password was given that the session goes back to. However
    /// often it is renewed, it ends when refresh tokens would.
    ///
    /// # Errors
    /// As for [`issue`](Self::issue).
    pub(crate) fn issue_session(
        &self,
        principal: &Principal,
        before: Option<DateTime<Utc>>,
    ) -> Result<AccessToken> {
        let now = Utc::now().timestamp();
        let auth_time = before.map_or(now, |before| before.timestamp());
        let left = auth_time.saturating_add(seconds(self.lifetimes.refresh)) - now;
        let lifetime = seconds(self.lifetimes.access).min(left.max(0));
        let token = claims(principal, SESSION_AUDIENCE, now, lifetime)?;
        let token = self.sign(&SessionClaims { token, auth_time })?;
        Ok(AccessToken {
            token,
            lifetime: Duration::from_secs(u64::try_from(lifetime).unwrap_or(0)),
        })
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
        // There is one at least.
        let key = self.keys.first().ok_or_else(|| Error::internal("signing a token", "no key"))?;
        key.sign(claims).map_err(|e| Error::internal("signing a token", e))
    }

    /// The claims of a token that one of the keys has signed.
    fn verify<T: DeserializeOwned>(&self, token: &str, validation: &Validation) -> Option<T> {
        let named = decode_header(token).ok()?.kid;
        let fits = |key: &&Signing| named.as_deref().is_none_or(|named| named == key.id());
        self.keys.iter().filter(fits).find_map(|key| key.verify(token, validation))
    }

    /// What forms carry that pages of this service show to an account in a browser: nobody can make
    /// it who has not the secret.
    pub(crate) fn form_value(&self, user: UserId, browser: &str) -> String {
        self.keys.first().map(|key| key.form_value(user, browser)).unwrap_or_default()
    }

    /// Whether it is such a value, in the same time whatever is wrong with it.
    pub(crate) fn is_form_value(&self, user: UserId, browser: &str, value: &str) -> bool {
        self.keys.iter().any(|key| key.is_form_value(user, browser, value))
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
        self.verify::<Claims>(token, &self.validation).map(Read::from)
    }

    /// What the token of a session says, and when the password was given; `None` if it is not a
    /// valid one of this service.
    pub(super) fn read_session(&self, token: &str) -> Option<(Read, DateTime<Utc>)> {
        let claims = self.verify::<SessionClaims>(token, &self.session_validation)?;
        let auth_time = DateTime::from_timestamp(claims.auth_time, 0)?;
        let end = claims.auth_time.saturating_add(seconds(self.lifetimes.refresh));
        (end > Utc::now().timestamp()).then(|| (claims.token.into(), auth_time))
    }

    /// When the password was given that a session goes back to.
    pub(crate) fn session_began(&self, token: &str) -> Option<DateTime<Utc>> {
        self.read_session(token).map(|(_, began)| began)
    }

    /// What a refresh token says; `None` if it is not a valid one of this service. One that was
    /// given out when they lasted longer ends as if it were given out now, so that a sign-out is
    /// never forgotten before the tokens that it ends.
    pub(crate) fn read_refresh(&self, token: &str) -> Option<Refresh> {
        let claims = self.verify::<RefreshClaims>(token, &self.refresh_validation)?;
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
    use jsonwebtoken::{EncodingKey, Header, encode};
    use secrecy::ExposeSecret;
    use uuid::Uuid;

    use super::*;
    use crate::{Role, SignInId, authz::Proof};

    const LIFETIMES: Lifetimes =
        Lifetimes { access: Duration::from_secs(60), refresh: Duration::from_secs(3600) };

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn key(secret: &[u8]) -> TokenKey {
        TokenKey::new([secret], LIFETIMES).expect("a good secret")
    }

    fn principal() -> Principal {
        Principal {
            id: UserId::new(),
            email: "a@b".to_owned(),
            role: Role::Viewer,
            token_version: 7,
            projects: crate::project::Memberships::default(),
            within: None,
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
        let shorter = TokenKey::new([SECRET], shorter).expect("a good secret");
        assert!(shorter.read_refresh(token.expose_secret()).is_none());
    }

    #[test]
    fn the_first_secret_signs_and_all_verify() {
        const NEW: &[u8] = b"fedcba9876543210fedcba9876543210";
        let principal = principal();
        let (old, new) = (key(SECRET), key(NEW));
        let both = TokenKey::new([NEW, SECRET], LIFETIMES).expect("good secrets");
        let before = old.issue(&principal).expect("signed").token;
        let after = both.issue(&principal).expect("signed").token;
        assert!(both.read(&before).is_some() && both.read(&after).is_some());
        assert!(new.read(&after).is_some() && old.read(&after).is_none());
        assert!(new.read(&before).is_none(), "the old secret is gone");
        let kid = |token: &str| decode_header(token).expect("a header").kid.expect("a name");
        assert_ne!(kid(&before), kid(&after));
        let form = old.form_value(principal.id, "b");
        assert!(both.is_form_value(principal.id, "b", &form));
        assert!(!both.is_form_value(principal.id, "c", &form));
        assert!(!both.is_form_value(UserId::new(), "b", &form));
        assert!(
            !new.is_form_value(principal.id, "b", &form)
                && !both.is_form_value(principal.id, "b", "")
        );
        assert_eq!(TokenKey::new([], LIFETIMES).map(|_| ()), Err(TokenKeyError::Missing));
    }

    #[test]
    fn a_session_is_no_other_token_and_ends_however_often_it_is_renewed() {
        let (key, principal) = (key(SECRET), principal());
        let session = key.issue_session(&principal, None).expect("signed").token;
        assert!(key.read(&session).is_none() && key.read_refresh(&session).is_none());
        let access = key.issue(&principal).expect("signed").token;
        assert!(key.read_session(&access).is_none());
        let (read, began) = key.read_session(&session).expect("valid");
        assert_eq!(read.user, principal.id);
        let early = began - chrono::Duration::seconds(3570);
        let last = key.issue_session(&principal, Some(early)).expect("signed");
        assert!(last.lifetime <= Duration::from_secs(30), "{last:?}");
        let (_, began) = key.read_session(&last.token).expect("valid");
        assert_eq!(began, early);
        let over = early - chrono::Duration::seconds(100);
        let over = key.issue_session(&principal, Some(over)).expect("signed");
        assert!(key.read_session(&over.token).is_none());
    }

    #[test]
    fn secrets_that_can_be_guessed_are_refused() {
        let new = |secret: &[u8]| TokenKey::new([secret], LIFETIMES).map(|_| ());
        assert_eq!(new(b"short"), Err(TokenKeyError::TooShort));
        assert_eq!(new(&[b'a'; 64]), Err(TokenKeyError::TooShort));
        assert_eq!(new(b"change-me-change-me-change-me-change-me"), Err(TokenKeyError::WellKnown));
    }
}
