use jobrunner_core::audit::AuditEvent;

use super::{list::Listing, users};
use crate::{
    args::{Audit as Args, AuditCommand, Events},
    client::{Client, routes},
    exit::{Exit, Failure},
    table::Context,
    tables::AUDIT,
};

pub(crate) async fn audit(args: Args) -> Result<Exit, Failure> {
    let client = Client::signed_in(&args.remote).await?;
    let AuditCommand::List(Events { actor, action, target, list }) = args.command;
    let mut filters = Vec::new();
    if let Some(email) = actor {
        filters.push(("actor_id", users::find(&client, &email).await?.id.to_string()));
    }
    filters.extend(action.map(|action| ("action", action)));
    filters.extend(target.map(|target| ("target_id", target)));
    let listing = Listing {
        client: &client,
        remote: &args.remote,
        list: &list,
        route: routes::AUDIT,
        filters,
        columns: AUDIT,
        id: |event: &AuditEvent| event.id.to_string(),
        what: "events",
    };
    listing.show(async |_: &[AuditEvent]| Ok(Context::of(std::iter::empty()))).await
}
