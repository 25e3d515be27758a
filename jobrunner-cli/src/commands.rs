//! What each command does.

pub(crate) mod audit;
pub(crate) mod batch;
mod batch_show;
pub(crate) mod cancel;
mod cases;
mod changed;
pub(crate) mod config;
mod events;
pub(crate) mod init_db;
pub(crate) mod jobs;
mod list;
pub(crate) mod login;
mod logs;
mod names;
pub(crate) mod notifications;
pub(crate) mod password;
pub(crate) mod queues;
mod repro;
mod reruns;
pub(crate) mod run;
pub(crate) mod shell;
pub(crate) mod submit;
pub(crate) mod suite;
pub(crate) mod tokens;
pub(crate) mod up;
pub(crate) mod users;
pub(crate) mod workers;
