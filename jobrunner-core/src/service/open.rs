use super::{Service, audit::Deed};
use crate::{
    Error, Result, UserId,
    audit::AuditAction,
    authz::{Action, Principal, Thing},
    queue::Wakeup,
    store::Canceled,
    user::Scope,
};

/// Whose jobs are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The caller's own.
    Mine,
    /// Of everybody whose jobs the caller may control.
    All,
    /// Of one owner.
    Of(UserId),
}

impl Service {
    /// Takes every job back that has not ended, of whatever batch: those that wait end at once,
    /// those that run are killed by their workers.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden) for viewers, [`NotFound`](Error::NotFound) for an owner
    /// whose jobs the caller may not see.
    pub async fn cancel_open(&self, caller: &Principal, whose: Whose) -> Result<Canceled> {
        let own = Thing { owner: Some(caller.id), project: None };
        self.parts.authz.check_on(caller, Action::Control, own)?;
        let scope = self.parts.authz.scope(caller);
        let owner = match (whose, scope) {
            (Whose::Mine, _) => Some(caller.id),
            (Whose::All, Scope::All) => None,
            (Whose::All, scope) if scope.contains(caller.id, None) => Some(caller.id),
            (Whose::Of(owner), scope) if scope.contains(owner, None) => Some(owner),
            (Whose::Of(_) | Whose::All, _) => return Err(Error::NotFound("user")),
        };
        let deed = Deed::alone(AuditAction::CancelJobs);
        let deed = match owner {
            Some(owner) => deed.with("owner_id", owner.to_string()),
            None => deed.with("owner", "all"),
        };
        self.record(caller, deed).await?;
        let canceled = self.parts.store.cancel_all(owner).await?;
        if canceled.stopping > 0 {
            self.parts.queue.announce(Wakeup::Cancel).await;
        }
        // Too many may have changed to name them.
        self.parts.queue.announce(Wakeup::Lagged).await;
        Ok(canceled)
    }
}
