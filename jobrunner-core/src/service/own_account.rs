use secrecy::ExposeSecret;

use super::{Service, audit::Deed};
use crate::{
    Error, Result,
    audit::AuditAction,
    authz::{Action, Principal},
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
    /// [`Invalid`](Error::Invalid) for a password that may not be set, or when the one until now is
    /// missing, [`Forbidden`](Error::Forbidden) when that is wrong or a token is used, [`Conflict`](Error::Conflict)
    /// when somebody else changes it at the same time.
    pub async fn update_me(&self, caller: &Principal, update: OwnUpdate) -> Result<User> {
        self.parts.authz.check(caller, Action::OwnAccount)?;
        let Some(password) = update.password else { return self.me(caller).await };
        let account = self.parts.store.account(caller.id).await?.ok_or(Error::NotFound("user"))?;
        let password = NewPassword::choose(password.expose_secret(), &account.user.email)?;
        let Some(current) = update.current_password else {
            return Err(Error::invalid("current_password", "is missing"));
        };
        let hash = Some(account.password_hash);
        if !self.parts.passwords.verify(current.expose_secret(), hash).await? {
            self.record_refused(&caller.email).await;
            return Err(Error::Forbidden("the current password is wrong".to_owned()));
        }
        let password_hash = Some(self.parts.passwords.hash(&password).await?);
        self.record(caller, Deed::on_user(AuditAction::ChangePassword, &account.user)).await?;
        let keep = Some(KeptSignIn {
            id: caller.sign_in()?,
            version: account.token_version,
            until: self.parts.tokens.expiry(),
        });
        let update = AccountUpdate { password_hash, keep, ..AccountUpdate::default() };
        let updated = self.parts.store.update_account(caller.id, update).await;
        self.parts.authz.changed(caller.id);
        updated
    }
}
