//! The binary as its users run it: real processes, a real server, real commands.

#![expect(clippy::print_stdout, reason = "tests print what they measured")]

mod big;
mod client;
mod cpython;
mod run;
mod service;
mod up;
