//! The binary as its users run it: real processes, a real server, real commands.

mod big;
mod client;
mod cpython;
mod example_settings;
mod fleet;
mod flooding;
mod following;
mod readers;
mod run;
mod service;
mod settings;
mod spawning;
mod supervising;
mod up;
