//! The binary as its users run it: real processes, a real server, real commands.

mod adapters;
mod big;
mod client;
mod cpython;
mod daily;
mod example_settings;
mod exit_codes;
mod fleet;
mod flooding;
mod following;
mod help;
mod limits;
mod lists;
mod naming;
mod open;
mod own_account;
mod reaching;
mod readers;
mod reading;
mod results;
mod run;
mod servers;
mod service;
mod settings;
mod shell;
mod spawning;
mod suites;
mod supervising;
mod terminal;
#[path = "../../src/tls.rs"]
mod tls;
mod tokens;
mod up;
mod waiting;
mod why;
mod wrong;
