use std::io::{self, BufRead};

use base64::{Engine, engine::general_purpose::STANDARD};
use jobrunner_core::{DeliveryId, SubscriptionId, daemon::Trouble};
use uuid::Uuid;

use super::changed::Told;
use crate::{
    args::{CreateNotification, Notifications as Args, NotificationsCommand, Output},
    client::{
        Client, Delivery, NewChannel, NewNotification, NewWindow, Notification, NotificationChange,
        Pages, routes,
    },
    exit::{Context as _, Exit, Failure},
    output::{self, note},
    table::{self, Context},
    tables::{DELIVERIES, NOTIFICATIONS},
};

const OF_NOTIFICATION: Told<Notification> =
    Told { id: |it| it.id.to_string(), line: |it| it.id.to_string() };

const OF_DELIVERY: Told<Delivery> =
    Told { id: |it| it.id.to_string(), line: |it| it.id.to_string() };

pub(crate) async fn notifications(args: Args) -> Result<Exit, Failure> {
    let remote = &args.remote;
    let client = Client::signed_in(remote).await?;
    let is_table = remote.output == Output::Table && !remote.quiet;
    match args.command {
        NotificationsCommand::List => {
            let found: Vec<Notification> =
                Pages::new(&client, routes::NOTIFICATIONS, Vec::new(), usize::MAX).all().await?;
            match is_table {
                true if found.is_empty() => note("no notifications"),
                true => {
                    let context = Context::of(found.iter().map(|it| it.id.as_uuid()));
                    output::things(&table::chosen(NOTIFICATIONS, &[])?, &found, &context)?;
                }
                false => return OF_NOTIFICATION.print(remote, &found),
            }
        }
        NotificationsCommand::Create(new) => {
            let CreateNotification {
                name,
                on,
                project,
                series,
                batch,
                every,
                daily,
                zone,
                webhook,
                slack_stdin,
                email,
            } = *new;
            let channel = match webhook {
                Some(url) => NewChannel::webhook(url, secret()),
                None if slack_stdin => NewChannel::slack(first_line()?),
                None => NewChannel::email(email),
            };
            let every = every.map(|every_minutes| NewWindow::Every { every_minutes });
            let window = daily.map(|at| NewWindow::Daily { at, zone }).or(every);
            let secret = channel.secret.clone();
            let new = NewNotification {
                name,
                project,
                series,
                batch_name: batch,
                on,
                channel,
                window,
                is_enabled: true,
            };
            let made = client.create_notification(&new).await?;
            OF_NOTIFICATION.print(remote, &[made])?;
            if let Some(secret) = secret {
                output::line(&secret)?;
                note("messages are signed with this secret, which is not shown again");
            }
        }
        NotificationsCommand::Test { id } => {
            return OF_DELIVERY.print(remote, &[client.test_notification(id).await?]);
        }
        NotificationsCommand::Enable { id } => return change(&client, remote, id, true).await,
        NotificationsCommand::Disable { id } => return change(&client, remote, id, false).await,
        NotificationsCommand::Delete { ids } => {
            for id in ids {
                client.delete_notification(id).await?;
                if remote.output == Output::Table {
                    output::line(&id.to_string())?;
                }
            }
        }
        NotificationsCommand::Deliveries { id } => {
            let found = client.deliveries(id).await?;
            match is_table {
                true if found.is_empty() => note("nothing was to be delivered"),
                true => {
                    let context = Context::of(found.iter().map(|it| it.id.as_uuid()));
                    output::things(&table::chosen(DELIVERIES, &[])?, &found, &context)?;
                }
                false => return OF_DELIVERY.print(remote, &found),
            }
        }
        NotificationsCommand::Redeliver { ids } => {
            let again = async |id: DeliveryId| client.redeliver(id).await;
            return OF_DELIVERY.each(remote, &ids, again).await;
        }
    }
    Ok(Exit::Success)
}

async fn change(
    client: &Client,
    remote: &crate::args::Remote,
    id: SubscriptionId,
    is_enabled: bool,
) -> Result<Exit, Failure> {
    let changed = client.update_notification(id, &NotificationChange { is_enabled }).await?;
    OF_NOTIFICATION.print(remote, &[changed])
}

/// A webhook's secret: 32 bytes, of which 244 bits are random.
fn secret() -> String {
    let bytes = [Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes).concat();
    format!("whsec_{}", STANDARD.encode(bytes))
}

fn first_line() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .context(Trouble::Io, || "cannot read standard input".to_owned())?;
    match line.trim() {
        "" => Err(Failure::usage("standard input has no address of Slack in its first line")),
        url => Ok(url.to_owned()),
    }
}
