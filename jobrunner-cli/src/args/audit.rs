use clap::{Args, Subcommand, builder::PossibleValuesParser};
use jobrunner_core::audit::AuditAction;

use super::{List, Remote};

#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    pub(crate) command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List what was asked for, newest first
    #[command(visible_alias = "ls")]
    List(Events),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Events {
    /// Only what this account asked for, by its address
    #[arg(long, value_name = "EMAIL")]
    pub(crate) actor: Option<String>,
    /// Only what was asked for so
    #[arg(long, value_parser = PossibleValuesParser::new(AuditAction::ALL.iter().map(|word| word.as_str())))]
    pub(crate) action: Option<String>,
    /// Only what was done to the job, batch, account or worker with this id, or the queue of this
    /// name
    #[arg(long, value_name = "ID")]
    pub(crate) target: Option<String>,
    #[command(flatten)]
    pub(crate) list: List,
}
