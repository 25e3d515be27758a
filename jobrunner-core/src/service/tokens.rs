use chrono::{SubsecRound, Utc};

use super::{Service, audit::Deed};
use crate::{
    Error, Result, TokenId, UserId,
    audit::AuditAction,
    authz::{Action, Principal, secret},
    page::{Page, PageRequest},
    user::{MadeToken, NewToken, PersonalToken},
};

impl Service {
    /// Makes a personal access token of the caller's, or for a service account. Its secret is told
    /// by the answer and never again.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden) for who has shown such a token, and for others' accounts but
    /// as an admin for a service account; [`Invalid`](Error::Invalid),
    /// [`Conflict`](Error::Conflict) when the account has too many.
    pub async fn create_token(
        &self,
        caller: &Principal,
        owner: Option<UserId>,
        new: NewToken,
    ) -> Result<MadeToken> {
        let owner_id = self.owner_of_tokens(caller, owner).await?;
        new.check()?;
        if let Some(project) = &new.project {
            self.seen_project(caller, project).await?;
        }
        let secret = secret::new()?;
        let digest = secret::digest(&secret)
            .ok_or_else(|| Error::internal("making a token", "its secret is none"))?;
        let token = PersonalToken {
            id: TokenId::new(),
            owner_id,
            name: new.name,
            scopes: new.scopes,
            project: new.project,
            // What is shown now is what will be read back.
            created_at: Utc::now().trunc_subsecs(3),
            expires_at: new.expires_at.map(|end| end.trunc_subsecs(3)),
            last_used_at: None,
        };
        self.record(caller, Deed::on_token(AuditAction::CreateToken, &token)).await?;
        self.parts.store.create_token(token.clone(), digest).await?;
        Ok(MadeToken { token, secret })
    }

    /// The tokens of the caller, or of a service account, newest first.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden) as for [`create_token`](Self::create_token).
    pub async fn tokens(
        &self,
        caller: &Principal,
        owner: Option<UserId>,
        page: PageRequest,
    ) -> Result<Page<PersonalToken>> {
        let owner = self.owner_of_tokens(caller, owner).await?;
        self.parts.store.tokens(owner, page).await
    }

    /// Whose tokens the caller sees to.
    async fn owner_of_tokens(&self, caller: &Principal, owner: Option<UserId>) -> Result<UserId> {
        self.parts.authz.check(caller, Action::OwnAccount)?;
        let Some(owner) = owner.filter(|owner| *owner != caller.id) else { return Ok(caller.id) };
        self.parts.authz.check(caller, Action::Administer)?;
        match self.existing(owner).await?.is_service {
            true => Ok(owner),
            false => Err(Error::Forbidden("people make their tokens themselves".to_owned())),
        }
    }

    /// Ends a token for good: at once here, within a second in other processes.
    ///
    /// # Errors
    /// [`Forbidden`](Error::Forbidden) for who has shown such a token,
    /// [`NotFound`](Error::NotFound), also for those of others.
    pub async fn delete_token(&self, caller: &Principal, id: TokenId) -> Result<()> {
        self.parts.authz.check(caller, Action::OwnAccount)?;
        let token = self.parts.store.token(id).await?;
        let token = token.ok_or(Error::NotFound("token"))?;
        if self.owner_of_tokens(caller, Some(token.owner_id)).await.is_err() {
            return Err(Error::NotFound("token"));
        }
        self.record(caller, Deed::on_token(AuditAction::DeleteToken, &token)).await?;
        let deleted = self.parts.store.delete_token(id).await;
        self.parts.authz.changed(token.owner_id);
        deleted
    }
}
