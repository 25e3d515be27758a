//! What each command does.

pub(crate) mod audit;
pub(crate) mod batch;
pub(crate) mod init_db;
pub(crate) mod jobs;
pub(crate) mod login;
pub(crate) mod run;
pub(crate) mod submit;
pub(crate) mod suite;
pub(crate) mod up;
pub(crate) mod users;
pub(crate) mod workers;
