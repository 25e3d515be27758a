use chrono::{TimeDelta, Utc};
use jobrunner_core::{UserId, user::PersonalToken};

use super::{changed::Told, users};
use crate::{
    args::{OfService, Output, Tokens as Args, TokensCommand},
    client::{Client, NewToken, Pages, routes},
    exit::{Exit, Failure},
    find,
    output::{self, note},
    settings,
    table::{self, Context},
    tables::TOKENS,
};

pub(crate) async fn tokens(args: Args) -> Result<Exit, Failure> {
    let remote = &args.remote;
    let client = Client::signed_in(remote).await?;
    match args.command {
        TokensCommand::List { owner } => {
            let tokens = all(&client, id_of(&client, owner).await?).await?;
            match remote.output {
                Output::Table if tokens.is_empty() => note("no tokens"),
                Output::Table if !remote.quiet => {
                    let context = Context::of(tokens.iter().map(|token| token.id.as_uuid()));
                    output::things(&table::chosen(TOKENS, &[])?, &tokens, &context)?;
                }
                _ => return Told { id, line: id }.print(remote, &tokens),
            }
        }
        TokensCommand::Create { name, scopes, expires_in, owner } => {
            let far = || Failure::usage("--expires-in is too long");
            let end = expires_in.map(|lasts| {
                let lasts = TimeDelta::from_std(lasts).ok();
                lasts.and_then(|lasts| Utc::now().checked_add_signed(lasts)).ok_or_else(far)
            });
            let owner_id = id_of(&client, owner).await?;
            let project = settings::project(remote.project.as_ref())?;
            let new = NewToken { name, scopes, project, expires_at: end.transpose()?, owner_id };
            let made = client.create_token(&new).await?;
            match remote.output {
                Output::Json => output::json(&made)?,
                Output::Table => output::line(&made.secret)?,
            }
            note("this secret is not shown again; a program takes it as JOBRUNNER_TOKEN");
        }
        TokensCommand::Delete { tokens, owner } => {
            let owner = id_of(&client, owner).await?;
            for named in &tokens {
                let token = find::token(&client, owner, named).await?;
                client.delete_token(token).await?;
                if remote.output == Output::Table {
                    output::line(&token.to_string())?;
                }
            }
        }
    }
    Ok(Exit::Success)
}

/// All tokens of an account, or one's own.
pub(crate) async fn all(
    client: &Client,
    owner: Option<UserId>,
) -> Result<Vec<PersonalToken>, Failure> {
    let owner = owner.map(|owner| ("owner_id", owner.to_string()));
    Pages::new(client, routes::TOKENS, owner.into_iter().collect(), usize::MAX).all().await
}

async fn id_of(client: &Client, owner: OfService) -> Result<Option<UserId>, Failure> {
    match owner.email {
        Some(email) => Ok(Some(users::find(client, &email).await?.id)),
        None => Ok(None),
    }
}

fn id(token: &PersonalToken) -> String {
    token.id.to_string()
}
