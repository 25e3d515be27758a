//! The worker on the embedded store and queue, with real processes.

mod canceling;
mod draining;
mod losing;
mod misled;
mod output;
mod repeating;
mod reports;
mod running;
mod site;
mod sweeping;
