//! What every store must do.

pub mod accounts;
pub mod audit;
pub mod cases;
pub mod claims;
pub mod ends;
pub mod faults;
pub mod history;
pub mod insight;
pub mod known_issues;
pub mod lists;
pub mod logs;
pub mod notifications;
pub mod projects;
pub mod queues;
pub mod repeats;
pub mod reports;
pub mod results;
pub mod sessions;
pub mod submit;
pub mod tokens;
pub mod turns;
