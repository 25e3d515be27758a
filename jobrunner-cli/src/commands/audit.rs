use jobrunner_core::audit::AuditEvent;

use super::{batch::pages, users};
use crate::{
    args::{Audit as Args, AuditCommand, Events, Output},
    client::Client,
    exit::{Exit, Failure},
    output,
};

pub(crate) async fn audit(args: Args) -> Result<Exit, Failure> {
    let client = Client::signed_in(&args.server)?;
    let AuditCommand::List(Events { actor, action, target, list }) = args.command;
    let mut filters = Vec::new();
    if let Some(email) = actor {
        filters.push(("actor_id", users::find(&client, &email).await?.id.to_string()));
    }
    filters.extend(action.map(|action| ("action", action)));
    filters.extend(target.map(|target| ("target_id", target)));
    let format = list.output;
    let events: Vec<AuditEvent> = pages(&client, "/audit-events", filters, list).await?;
    if format == Output::Json {
        output::json(&events)?;
    } else {
        let headings = ["AT (UTC)", "WHO", "WHAT", "ON", "DETAILS"];
        output::table(headings, events.iter().map(row))?;
    }
    Ok(Exit::Success)
}

fn row(event: &AuditEvent) -> [String; 5] {
    let name = event.target_name.as_ref().or(event.target_id.as_ref());
    let target = event.target_type.zip(name).map(|(kind, name)| format!("{kind} {name}"));
    let details = event.details.iter().map(|(name, value)| match value.as_str() {
        Some(text) => format!("{name}={text}"),
        None => format!("{name}={value}"),
    });
    [
        output::time(Some(event.created_at)),
        event.actor_email.clone().unwrap_or_else(|| "the service".to_owned()),
        event.action.to_string(),
        target.unwrap_or_else(|| "-".to_owned()),
        details.collect::<Vec<_>>().join(" "),
    ]
}
