//! The conformance suite on the backends of this crate, and what is special about each.

mod authz;
mod callers;
mod executor;
mod indexes;
mod layers;
mod local_queue;
mod migration;
mod months;
mod plans;
mod postgres;
#[cfg(feature = "postgres")]
mod postgres_queue;
#[cfg(feature = "redis")]
mod redis_queue;
mod season;
mod servers;
mod sqlite;
mod state_machine;
mod statements;
