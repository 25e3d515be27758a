use chrono::{DateTime, Utc};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use jobrunner_core::{KnownIssueId, UserId, known_issue};

use super::Remote;

#[derive(Debug, Args)]
pub(crate) struct KnownIssues {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    pub(crate) command: KnownIssuesCommand,
}

/// What becomes of a test that an issue is about.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Effect {
    /// Its failures are known, and fail no gate
    Mute,
    /// It is expected to fail: that it passes is told
    Xfail,
}

impl From<Effect> for known_issue::Effect {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Mute => Self::Mute,
            Effect::Xfail => Self::Xfail,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum KnownIssuesCommand {
    /// List known issues
    #[command(visible_alias = "ls")]
    List {
        /// Only those of this account
        #[arg(long, value_name = "ID")]
        owner: Option<UserId>,
    },
    /// Make an issue known: such failures fail no gate until it ends
    ///
    /// It is about the batches of the project, or without one about your batches of no project.
    #[command(group = ArgGroup::new("change").multiple(true))]
    Create {
        /// What to call it
        title: String,
        /// Which tests, by their names: * is any text, ? one character
        #[arg(long, value_name = "GLOB")]
        test: String,
        #[command(flatten)]
        about: About,
        /// What becomes of the tests
        #[arg(long, value_name = "EFFECT", default_value = "mute")]
        effect: Effect,
    },
    /// Change a known issue
    #[command(group = ArgGroup::new("change").multiple(true).required(true))]
    Update {
        /// Which known issue
        id: KnownIssueId,
        /// Another title
        #[arg(long, group = "change")]
        title: Option<String>,
        /// Other tests
        #[arg(long, value_name = "GLOB", group = "change")]
        test: Option<String>,
        #[command(flatten)]
        about: About,
        /// Another effect
        #[arg(long, value_name = "EFFECT", group = "change")]
        effect: Option<Effect>,
    },
    /// End known issues: such failures fail again
    #[command(visible_alias = "rm")]
    Delete {
        /// Which known issues
        #[arg(required = true)]
        ids: Vec<KnownIssueId>,
    },
}

/// Which failures an issue is about, and who sees to it. In an update an empty text is any.
#[derive(Debug, Args)]
pub(crate) struct About {
    /// Only series of exactly this name
    #[arg(long, value_name = "NAME", group = "change")]
    pub(crate) series: Option<String>,
    /// Only variants that have this; may be given again
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, group = "change")]
    pub(crate) variant: Vec<(String, String)>,
    /// Only failures in whose last line this regular expression is found; numbers are # in it
    #[arg(long, value_name = "REGEX", group = "change")]
    pub(crate) pattern: Option<String>,
    /// Where it is written down
    #[arg(long, value_name = "URL", group = "change")]
    pub(crate) ticket: Option<String>,
    /// Who sees to it
    #[arg(long, value_name = "ID", group = "change")]
    pub(crate) owner: Option<UserId>,
    /// Until when it holds, as 2026-12-24T18:00:00Z: 180 days at most [default: 30 days]
    #[arg(long, value_name = "TIME", group = "change")]
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
