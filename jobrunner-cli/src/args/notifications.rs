use clap::{ArgGroup, Args, Subcommand};
use jobrunner_core::{DeliveryId, SubscriptionId, notification::EventKind};

use super::Remote;

#[derive(Debug, Args)]
pub(crate) struct Notifications {
    #[command(flatten)]
    pub(crate) remote: Remote,
    #[command(subcommand)]
    pub(crate) command: NotificationsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NotificationsCommand {
    /// List who is told of your batches
    #[command(visible_alias = "ls")]
    List,
    /// Tell a webhook, Slack or people by email what becomes of batches
    ///
    /// For a webhook a secret is made and printed, once: messages are signed with it, as Standard
    /// Webhooks has it.
    Create(Box<CreateNotification>),
    /// Send a message that says that it is a test
    Test {
        /// Which notification
        id: SubscriptionId,
    },
    /// Tell again what becomes of batches
    Enable {
        /// Which notification
        id: SubscriptionId,
    },
    /// Tell nothing until it is enabled again
    Disable {
        /// Which notification
        id: SubscriptionId,
    },
    /// Delete notifications, with what was delivered
    #[command(visible_alias = "rm")]
    Delete {
        /// Which notifications
        #[arg(required = true)]
        ids: Vec<SubscriptionId>,
    },
    /// List what was and is to be delivered, and how it went
    Deliveries {
        /// Which notification
        id: SubscriptionId,
    },
    /// Deliver messages once more, with the same id
    Redeliver {
        /// Which deliveries
        #[arg(required = true)]
        ids: Vec<DeliveryId>,
    },
}

fn kind(text: &str) -> Result<EventKind, String> {
    text.parse().map_err(|unknown: jobrunner_core::UnknownWord| unknown.to_string())
}

/// Whom to tell of what.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("channel").required(true))]
pub(crate) struct CreateNotification {
    /// What to call it
    pub(crate) name: String,
    /// What to tell: finished, failed, first_failure, recovered, new_failures
    #[arg(long, value_name = "A,B", value_delimiter = ',', default_value = "failed,recovered", value_parser = kind)]
    pub(crate) on: Vec<EventKind>,
    /// Of batches that belong to this project, whoever submits them [default: of yours]
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<String>,
    /// Only of runs of the series of exactly this name
    #[arg(long, value_name = "NAME")]
    pub(crate) series: Option<String>,
    /// Only of batches with exactly this name
    #[arg(long, value_name = "NAME")]
    pub(crate) batch: Option<String>,
    /// Tell all that happens within so many minutes by one message
    #[arg(long, value_name = "MINUTES", conflicts_with = "daily")]
    pub(crate) every: Option<u32>,
    /// Tell all that happens within a day by one message, at this time (07:30)
    #[arg(long, value_name = "HH:MM")]
    pub(crate) daily: Option<String>,
    /// By whose clocks (Europe/Berlin)
    #[arg(long, value_name = "ZONE", requires = "daily", default_value = "UTC")]
    pub(crate) zone: String,
    /// Send to this address, as Standard Webhooks has it
    #[arg(long, value_name = "URL", group = "channel")]
    pub(crate) webhook: Option<String>,
    /// Send as Slack takes it, to the address in the first line of standard input
    #[arg(long, group = "channel")]
    pub(crate) slack_stdin: bool,
    /// Send mail to this address; can be given several times
    #[arg(long, value_name = "ADDRESS", group = "channel")]
    pub(crate) email: Vec<String>,
}
