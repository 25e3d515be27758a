//! Accounts, and what was asked for with them.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jobrunner_core::{
    Conflict, Error, Result, SignInId, TokenId, User, UserId,
    audit::{AuditEvent, AuditFilter},
    authz::SecretDigest,
    page::{Page, PageRequest},
    store::{Account, AccountStore, AccountUpdate, AuditStore, MOST_TOKENS},
    user::PersonalToken,
};
use uuid::Uuid;

use crate::{Memory, state::Kept};

#[async_trait]
impl AccountStore for Memory {
    async fn create_account(&self, account: Account) -> Result<()> {
        let mut state = self.lock();
        if state.accounts.values().any(|known| known.user.email == account.user.email) {
            return Err(Conflict::EmailTaken.into());
        }
        state.accounts.insert(account.user.id, account);
        Ok(())
    }

    async fn create_first_account(&self, account: Account) -> Result<bool> {
        let mut state = self.lock();
        if !state.accounts.is_empty() {
            return Ok(false);
        }
        state.accounts.insert(account.user.id, account);
        Ok(true)
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>> {
        Ok(self.lock().accounts.get(&id).cloned())
    }

    async fn signed_in_account(
        &self,
        id: UserId,
        sign_in: SignInId,
        version: i64,
    ) -> Result<Option<Account>> {
        let state = self.lock();
        let has_ended = state.ended_sign_ins.contains_key(&sign_in);
        let kept = state.kept_sign_ins.get(&sign_in).filter(|kept| kept.account == id);
        let is_good = |account: &&Account| {
            let now = account.token_version;
            !has_ended && (version == now || kept.is_some_and(|kept| kept.version == now))
        };
        Ok(state.accounts.get(&id).filter(is_good).cloned())
    }

    async fn end_sign_in(&self, sign_in: SignInId, until: DateTime<Utc>) -> Result<()> {
        let ended = &mut self.lock().ended_sign_ins;
        ended.retain(|_, until| *until >= Utc::now());
        ended.entry(sign_in).or_insert(until);
        Ok(())
    }

    async fn use_refresh_token(
        &self,
        sign_in: SignInId,
        uses: u32,
        until: DateTime<Utc>,
    ) -> Result<bool> {
        let refreshed = &mut self.lock().refreshed;
        refreshed.retain(|_, (_, until)| *until >= Utc::now());
        let (used, _) = refreshed.entry(sign_in).or_insert((uses, until));
        let is_next = *used == uses;
        *used += u32::from(is_next);
        Ok(is_next)
    }

    async fn account_by_email(&self, email: &str) -> Result<Option<Account>> {
        let state = self.lock();
        Ok(state.accounts.values().find(|account| account.user.email == email).cloned())
    }

    async fn users(&self, page: PageRequest) -> Result<Page<User>> {
        let state = self.lock();
        let newest = state.accounts.values().rev().map(|account| &account.user);
        let found = newest.filter(|user| is_after(page, user.id.as_uuid()));
        let found = found.take(page.limit as usize + 1).cloned().collect();
        Ok(Page::from_surplus(found, page.limit, |user: &User| user.id.as_uuid()))
    }

    async fn update_account(&self, id: UserId, update: AccountUpdate) -> Result<User> {
        let mut state = self.lock();
        let before = state.accounts.get(&id).ok_or(Error::NotFound("user"))?;
        let keep = update.keep;
        if keep.is_some_and(|keep| keep.version != before.token_version) {
            return Err(Conflict::AccountChanged.into());
        }
        let after = before.clone().updated(update);
        let mut others = state.accounts.values().filter(|account| account.user.id != id);
        let was_last = before.is_active_admin() && !others.any(Account::is_active_admin);
        if was_last && !after.is_active_admin() {
            return Err(Conflict::LastAdmin.into());
        }
        if let Some(keep) = keep {
            let kept = Kept { account: id, version: after.token_version, until: keep.until };
            state.kept_sign_ins.retain(|_, kept| kept.until >= Utc::now());
            state.kept_sign_ins.insert(keep.id, kept);
        }
        let user = after.user.clone();
        state.accounts.insert(id, after);
        Ok(user)
    }

    async fn create_token(&self, token: PersonalToken, digest: SecretDigest) -> Result<()> {
        let tokens = &mut self.lock().tokens;
        let has = tokens.values().filter(|(known, _)| known.owner_id == token.owner_id).count();
        if has as i64 >= MOST_TOKENS {
            return Err(Conflict::TooManyTokens { most: MOST_TOKENS }.into());
        }
        tokens.insert(token.id, (token, digest));
        Ok(())
    }

    async fn token_by_secret(&self, digest: SecretDigest) -> Result<Option<PersonalToken>> {
        let state = self.lock();
        let found = state.tokens.values().find(|(_, known)| *known == digest);
        Ok(found.map(|(token, _)| token.clone()))
    }

    async fn token(&self, id: TokenId) -> Result<Option<PersonalToken>> {
        Ok(self.lock().tokens.get(&id).map(|(token, _)| token.clone()))
    }

    async fn tokens(&self, owner: UserId, page: PageRequest) -> Result<Page<PersonalToken>> {
        let state = self.lock();
        let newest = state.tokens.values().rev().map(|(token, _)| token);
        let found = newest
            .filter(|token| token.owner_id == owner && is_after(page, token.id.as_uuid()))
            .take(page.limit as usize + 1)
            .cloned()
            .collect();
        Ok(Page::from_surplus(found, page.limit, |token: &PersonalToken| token.id.as_uuid()))
    }

    async fn delete_token(&self, id: TokenId) -> Result<()> {
        self.lock().tokens.remove(&id);
        Ok(())
    }

    async fn token_used(&self, id: TokenId, at: DateTime<Utc>) -> Result<()> {
        if let Some((token, _)) = self.lock().tokens.get_mut(&id) {
            let kept = token.last_used_at.filter(|kept| at - *kept <= TimeDelta::minutes(1));
            token.last_used_at = Some(kept.unwrap_or(at));
        }
        Ok(())
    }
}

#[async_trait]
impl AuditStore for Memory {
    async fn record(&self, event: AuditEvent) -> Result<()> {
        self.lock().events.entry(event.id).or_insert(event);
        Ok(())
    }

    async fn audit_events(
        &self,
        filter: &AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEvent>> {
        let state = self.lock();
        let is_shown = |event: &&AuditEvent| {
            is_after(page, event.id.as_uuid())
                && filter.actor.is_none_or(|actor| event.actor_id == Some(actor))
                && filter.action.is_none_or(|action| event.action == action)
                && filter.target.as_ref().is_none_or(|it| event.target_id.as_ref() == Some(it))
        };
        let found = state.events.values().rev().filter(is_shown);
        let found = found.take(page.limit as usize + 1).cloned().collect();
        Ok(Page::from_surplus(found, page.limit, |event: &AuditEvent| event.id.as_uuid()))
    }
}

/// Whether something comes on this page or a later one of a list with the newest first.
fn is_after(page: PageRequest, id: Uuid) -> bool {
    page.after.is_none_or(|after| id < after)
}
