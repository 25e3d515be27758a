//! When personal access tokens were last used.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinSet;

use crate::{Store, user::PersonalToken};

/// How many uses are being stored at one time. One more is forgotten: the next will tell.
const MOST: usize = 16;

/// Stores them aside from the requests, which do not wait for it. What is being stored when this is
/// dropped may get lost.
#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<JoinSet<()>>);

impl Uses {
    /// A token is used, unless that is known of the minute before.
    pub(super) fn note(&self, store: &Arc<dyn Store>, token: &PersonalToken, now: DateTime<Utc>) {
        let is_known = |at| now - at < TimeDelta::minutes(1);
        if token.last_used_at.is_some_and(is_known) {
            return;
        }
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        if tasks.len() >= MOST {
            return;
        }
        let (store, id) = (Arc::clone(store), token.id);
        tasks.spawn(async move {
            if let Err(error) = store.token_used(id, now).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, token.id = %id, "the use of a token could not be stored");
            }
        });
    }
}
