use super::users;
use crate::{
    args::{Cancel, Output},
    client::Client,
    exit::{Exit, Failure},
    output,
};

/// Cancels all that is open.
pub(crate) async fn cancel(args: Cancel) -> Result<Exit, Failure> {
    let client = Client::signed_in(&args.remote).await?;
    let owner = match &args.whose.owner {
        Some(email) => users::find(&client, email).await?.id.to_string(),
        None if args.whose.all => "all".to_owned(),
        None => "me".to_owned(),
    };
    let canceled = client.cancel_jobs(&owner).await?;
    match args.remote.output {
        Output::Json => output::json(&canceled)?,
        Output::Table => output::line(&format!(
            "{} canceled, {} being ended",
            canceled.ended, canceled.stopping
        ))?,
    }
    Ok(Exit::Success)
}
