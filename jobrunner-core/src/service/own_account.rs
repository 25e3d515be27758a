use secrecy::ExposeSecret;

use super::{Service, audit::Deed};
use crate::{
    Error, Result,
    audit::AuditAction,
    authz::{Action, Credential, Principal},
    store::{AccountUpdate, KeptSignIn},
    user::{NewPassword, OwnUpdate, User},
};

impl Service {
    /// The caller's own account.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn me(&self, caller: &Principal) -> Result<User> {
        self.existing(caller.id).await
    }

    /// Changes the caller's own account. A new password ends all of the account's sign-ins but the
    /// one that has set it.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) for a password that may not be set, or when the current one is
    /// missing, [`Forbidden`](Error::Forbidden) when that is wrong or a token is used,
    /// [`Conflict`](Error::Conflict) when somebody else changes it at the same time,
    /// [`TooMany`](Error::TooMany).
    pub async fn update_me(&self, caller: &Principal, update: OwnUpdate) -> Result<User> {
        self.parts.authz.check(caller, Action::OwnAccount)?;
        let Some(password) = update.password else { return self.me(caller).await };
        let user = self.me(caller).await?;
        let password = NewPassword::choose(password.expose_secret(), &user.email)?;
        let Some(current) = update.current_password else {
            return Err(Error::invalid("current_password", "is missing"));
        };
        let email = user.email.clone();
        let credential = Credential::Password { email, password: current, from: None };
        let version = match self.authenticate(&credential).await {
            Ok(proved) => proved.token_version,
            Err(Error::Unauthenticated(_)) => {
                self.record_refused(&user.email).await;
                return Err(Error::Forbidden("the current password is wrong".to_owned()));
            }
            Err(error) => return Err(error),
        };
        let password_hash = Some(self.parts.passwords.hash(&password).await?);
        self.record(caller, Deed::on_user(AuditAction::ChangePassword, &user)).await?;
        let keep =
            Some(KeptSignIn { id: caller.sign_in()?, version, until: self.parts.tokens.expiry() });
        let update = AccountUpdate { password_hash, keep, ..AccountUpdate::default() };
        let updated = self.parts.store.update_account(caller.id, update).await;
        self.parts.authz.changed(caller.id);
        updated
    }
}
