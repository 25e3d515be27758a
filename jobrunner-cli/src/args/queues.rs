use clap::{Args, Subcommand};

use super::Remote;

#[derive(Debug, Args)]
pub(crate) struct Queues {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    pub(crate) command: QueuesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueuesCommand {
    /// List the queues
    #[command(visible_alias = "ls")]
    List,
    /// Start nothing more of queues; what runs goes on
    Pause {
        /// Which queues
        #[arg(required = true, add = crate::complete::queues())]
        queues: Vec<String>,
    },
    /// Let paused queues go on
    Resume {
        /// Which queues
        #[arg(required = true, add = crate::complete::queues())]
        queues: Vec<String>,
    },
    /// Give a queue more or fewer of its owners' turns than other queues get
    Weight {
        /// Which queue
        #[arg(add = crate::complete::queues())]
        queue: String,
        /// Above 0, at most 1000; 2 is twice as many turns as 1
        #[arg(value_parser = weight)]
        weight: f64,
    },
}

fn weight(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "must be a number above 0, at most 1000".to_owned())
}
