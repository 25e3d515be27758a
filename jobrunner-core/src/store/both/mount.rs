//! What both stores say in the same words. Each store mounts this as a module of its own, where
//! these names are what it has by them.

use super::{
    Arguments, Connection, Database, Pool, Store, append, bind, cases, claim, expiry, group, lease,
    lists, lock, month, notable, pass, sql, store_error, turn,
};

mod account;
mod audit;
pub(super) mod cancel;
mod case;
mod claimable;
mod compare;
mod delete;
mod exchange;
mod history;
mod insight;
mod known_issue;
mod log;
mod notification;
mod project;
mod queue;
pub(super) mod read;
mod reclaim;
mod result;
pub(super) mod run;
mod session;
pub(super) mod submit;
mod token;
mod told;
mod traits;
pub(super) mod verdict;
