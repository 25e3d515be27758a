//! What both stores say in the same words. Each store mounts this as a module of its own, where
//! these names are what it has by them.

use super::{
    Arguments, Connection, Database, Pool, Store, append, bind, cases, claim, expiry, group, lease,
    lists, lock, pass, sql, store_error, turn,
};

mod account;
mod audit;
pub(super) mod cancel;
mod case;
mod claimable;
mod delete;
mod exchange;
mod insight;
mod log;
mod notification;
mod queue;
pub(super) mod read;
mod reclaim;
mod session;
pub(super) mod submit;
mod token;
mod traits;
