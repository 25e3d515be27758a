use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};

use super::{Service, audit::Deed};
use crate::{
    Error, Result,
    audit::AuditAction,
    authz::{AccessToken, Action, Credential, Principal, Tokens},
};

impl Service {
    /// Gives out tokens for a name and a password that come from an address, or with `None` from
    /// this process.
    ///
    /// # Errors
    /// [`Unauthenticated`](crate::Error::Unauthenticated), [`TooMany`](crate::Error::TooMany).
    pub async fn sign_in(
        &self,
        email: &str,
        password: SecretString,
        from: Option<IpAddr>,
    ) -> Result<Tokens> {
        let principal = self.prove(email, password, from).await?;
        Ok(Tokens {
            access: self.parts.tokens.issue(&principal)?,
            refresh: self.parts.tokens.issue_refresh(&principal, None)?,
        })
    }

    /// Begins a session in a browser, as [`sign_in`](Self::sign_in).
    ///
    /// # Errors
    /// As there.
    pub async fn begin_session(
        &self,
        email: &str,
        password: SecretString,
        from: Option<IpAddr>,
    ) -> Result<AccessToken> {
        let principal = self.prove(email, password, from).await?;
        self.parts.tokens.issue_session(&principal, None)
    }

    /// A fresh token for a session that was just shown to be one. It ends for good as long after
    /// the password was given as refresh tokens do.
    ///
    /// # Errors
    /// [`Unauthenticated`](crate::Error::Unauthenticated) if it is none.
    pub fn renew_session(&self, caller: &Principal, token: &SecretString) -> Result<AccessToken> {
        let began = self.parts.tokens.session_began(token.expose_secret());
        let began = began.ok_or(Error::Unauthenticated("the session has ended; sign in again"))?;
        self.parts.tokens.issue_session(caller, Some(began))
    }

    /// What the forms of an account carry in a browser, which sends this text with them.
    #[must_use]
    pub fn form_value(&self, caller: &Principal, browser: &str) -> String {
        self.parts.tokens.form_value(caller.id, browser)
    }

    /// Whether a form carries that.
    #[must_use]
    pub fn is_form_value(&self, caller: &Principal, browser: &str, value: &str) -> bool {
        self.parts.tokens.is_form_value(caller.id, browser, value)
    }

    async fn prove(
        &self,
        email: &str,
        password: SecretString,
        from: Option<IpAddr>,
    ) -> Result<Principal> {
        let credential = Credential::Password { email: email.to_owned(), password, from };
        let principal = match self.authenticate(&credential).await {
            Err(refused @ Error::Unauthenticated(_)) => {
                self.record_refused(email).await;
                return Err(refused);
            }
            answer => answer?,
        };
        self.record(&principal, Deed::alone(AuditAction::SignIn)).await?;
        Ok(principal)
    }

    /// Exchanges a refresh token for new tokens of the same sign-in. The one that is sent is used
    /// up, also if the answer is lost: there is no grace in which it could be sent again, since a
    /// thief's second use could not be told from a repetition then.
    ///
    /// # Errors
    /// [`Unauthenticated`](crate::Error::Unauthenticated); where the token was used before, the
    /// sign-in has ended and none of its tokens works any more.
    pub async fn refresh(&self, token: SecretString) -> Result<Tokens> {
        let before = self.parts.tokens.read_refresh(token.expose_secret());
        let principal = self.authenticate(&Credential::Refresh(token)).await?;
        Ok(Tokens {
            access: self.parts.tokens.issue(&principal)?,
            refresh: self.parts.tokens.issue_refresh(&principal, before)?,
        })
    }

    /// Ends a sign-in: neither the token that the caller has sent nor any other that was given out
    /// for the same proof of a password works any more.
    ///
    /// # Errors
    /// [`Forbidden`](crate::Error::Forbidden) for who has shown a personal access token.
    pub async fn sign_out(&self, caller: &Principal) -> Result<()> {
        self.parts.authz.check(caller, Action::OwnAccount)?;
        let sign_in = caller.sign_in()?;
        self.record(caller, Deed::alone(AuditAction::SignOut)).await?;
        let ended = self.parts.store.end_sign_in(sign_in, self.parts.tokens.expiry()).await;
        self.parts.authz.changed(caller.id);
        ended
    }

    /// Finds out who a caller is. Ask again at every request: what changed in this process acts at
    /// once, what changed in another one within a second.
    ///
    /// # Errors
    /// [`Unauthenticated`](crate::Error::Unauthenticated).
    pub async fn authenticate(&self, credential: &Credential) -> Result<Principal> {
        self.parts.authz.authenticate(credential).await
    }
}
