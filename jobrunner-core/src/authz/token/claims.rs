//! What tokens say, as it is signed and as it is read.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Result, SignInId, UserId, authz::Principal};

/// Who gives tokens out.
pub(super) const ISSUER: &str = "jobrunner";

#[derive(Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) sub: Uuid,
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) iat: i64,
    pub(super) exp: i64,
    /// The account's token version when the token was given out.
    pub(super) ver: i64,
    /// The sign-in that the token belongs to.
    pub(super) sid: Uuid,
}

/// What a token says.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::authz) struct Read {
    /// Whose it is.
    pub(in crate::authz) user: UserId,
    /// The account's token version when it was given out.
    pub(in crate::authz) version: i64,
    /// The sign-in that it belongs to.
    pub(in crate::authz) sign_in: SignInId,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SessionClaims {
    #[serde(flatten)]
    pub(super) token: Claims,
    /// When the password was given.
    pub(super) auth_time: i64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RefreshClaims {
    pub(super) sub: Uuid,
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) iat: i64,
    pub(super) exp: i64,
    /// The account's token version when the password was given.
    pub(super) ver: i64,
    /// The sign-in that the token belongs to.
    pub(super) sid: Uuid,
    /// When the password was given.
    pub(super) auth_time: i64,
    /// How many tokens of this sign-in have been exchanged before this one.
    pub(super) uses: u32,
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

impl From<Claims> for Read {
    fn from(claims: Claims) -> Self {
        Self { user: claims.sub.into(), version: claims.ver, sign_in: claims.sid.into() }
    }
}

/// The claims of a token of so many seconds.
///
/// # Errors
/// [`Forbidden`](crate::Error::Forbidden) for who has shown a personal access token.
pub(super) fn claims(
    principal: &Principal,
    audience: &str,
    now: i64,
    lifetime: i64,
) -> Result<Claims> {
    Ok(Claims {
        sub: principal.id.as_uuid(),
        iss: ISSUER.to_owned(),
        aud: audience.to_owned(),
        iat: now,
        exp: now.saturating_add(lifetime),
        ver: principal.token_version,
        sid: principal.sign_in()?.as_uuid(),
    })
}
