use clap::{Args, Subcommand};

use super::Remote;
use crate::find::WorkerRef;

#[derive(Debug, Args)]
pub(crate) struct Workers {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    pub(crate) command: WorkersCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkersCommand {
    /// List the workers that are alive
    #[command(visible_alias = "ls")]
    List,
    /// Let workers take no new jobs; what they run goes on
    Drain {
        /// Which workers, by id or four or more digits of one
        #[arg(required = true)]
        workers: Vec<WorkerRef>,
    },
}
