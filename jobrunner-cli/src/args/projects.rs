use clap::{Args, Subcommand};
use jobrunner_core::{ProjectName, ProjectRole, Violation};

use super::Remote;

#[derive(Debug, Args)]
pub(crate) struct Projects {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    pub(crate) command: ProjectsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProjectsCommand {
    /// List your projects; for admins, all of them
    #[command(visible_alias = "ls")]
    List,
    /// Show a project and its members
    Show {
        /// Which project
        #[arg(value_parser = project)]
        name: ProjectName,
    },
    /// Make a project, whose first maintainer you are; for admins
    Create {
        /// What to call it, for ever: a-z, 0-9, '.', '_' and '-'
        #[arg(value_parser = project)]
        name: ProjectName,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
    },
    /// Describe a project anew, archive it, or take it out of the archive
    Update {
        /// Which project
        #[arg(value_parser = project)]
        name: ProjectName,
        /// What it is for; empty for nothing
        #[arg(long)]
        description: Option<String>,
        /// What belongs to it can be read from then on, and nothing else
        #[arg(long, conflicts_with = "restore")]
        archive: bool,
        /// Take it out of the archive
        #[arg(long)]
        restore: bool,
    },
    /// Delete projects; those that something belongs to are archived
    #[command(visible_alias = "rm")]
    Delete {
        /// Which projects
        #[arg(required = true, value_parser = project)]
        names: Vec<ProjectName>,
    },
    /// List the members of a project
    Members {
        /// Which project
        #[arg(value_parser = project)]
        name: ProjectName,
    },
    /// Make somebody a member of a project, or give a member another role
    Add {
        /// Which project
        #[arg(value_parser = project)]
        name: ProjectName,
        /// Whose account, by its address
        email: String,
        /// What they may do: viewer, operator or maintainer
        #[arg(long, default_value = "operator", value_parser = role)]
        role: ProjectRole,
    },
    /// End memberships
    Remove {
        /// Which project
        #[arg(value_parser = project)]
        name: ProjectName,
        /// Whose, by their addresses
        #[arg(required = true)]
        emails: Vec<String>,
    },
}

/// The name of a project.
pub(super) fn project(text: &str) -> Result<ProjectName, String> {
    text.parse().map_err(|wrong: Violation| wrong.message)
}

fn role(text: &str) -> Result<ProjectRole, String> {
    text.parse().map_err(|_| "must be viewer, operator or maintainer".to_owned())
}
