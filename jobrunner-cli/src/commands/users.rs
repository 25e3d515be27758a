use jobrunner_core::{User, daemon::Trouble};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use crate::{
    args::{List, Output, Users as Args, UsersCommand},
    client::Client,
    commands::batch::pages,
    exit::{Exit, Failure},
    output, password,
};

pub(crate) async fn users(args: Args) -> Result<Exit, Failure> {
    let client = Client::signed_in(&args.server)?;
    match args.command {
        UsersCommand::List { output } => list(&client, output).await?,
        UsersCommand::Create { email, role, max_running_jobs, password_stdin } => {
            let password = password::read(password_stdin)?;
            let account = json!({"email": email, "role": role.as_str(),
                "password": password.expose_secret(), "max_running_jobs": max_running_jobs});
            told("made", &client.create_user(&account).await?)?;
        }
        UsersCommand::Update {
            email,
            role,
            max_running_jobs,
            password,
            password_stdin,
            enable,
        } => {
            let mut change = Map::new();
            if let Some(role) = role {
                change.insert("role".to_owned(), role.as_str().into());
            }
            if let Some(limit) = max_running_jobs {
                change.insert("max_running_jobs".to_owned(), limit.0.into());
            }
            if password || password_stdin {
                let password = password::read(password_stdin)?;
                change.insert("password".to_owned(), password.expose_secret().into());
            }
            if enable {
                change.insert("is_active".to_owned(), true.into());
            }
            if change.is_empty() {
                return Err(Failure::usage("nothing to change; see jobrunner users update --help"));
            }
            told("changed", &update(&client, &email, change).await?)?;
        }
        UsersCommand::Disable { email } => {
            let change = Map::from_iter([("is_active".to_owned(), Value::from(false))]);
            told("disabled", &update(&client, &email, change).await?)?;
        }
    }
    Ok(Exit::Success)
}

async fn all(client: &Client) -> Result<Vec<User>, Failure> {
    let everything = List { limit: 1000, all: true, output: Output::Table };
    pages(client, "/users", Vec::new(), everything).await
}

async fn list(client: &Client, format: Output) -> Result<(), Failure> {
    let users = all(client).await?;
    if format == Output::Json {
        return output::json(&users);
    }
    let row = |user: &User| {
        [
            user.email.clone(),
            user.role.as_str().to_owned(),
            if user.is_active { "active" } else { "disabled" }.to_owned(),
            user.max_running_jobs.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string()),
            output::time(Some(user.created_at)),
        ]
    };
    let headings = ["EMAIL", "ROLE", "STATE", "JOBS AT ONE TIME", "CREATED (UTC)"];
    output::table(headings, users.iter().map(row))
}

/// The account with this address.
pub(crate) async fn find(client: &Client, email: &str) -> Result<User, Failure> {
    let wanted = email.trim().to_lowercase();
    let users = all(client).await?;
    let user = users.into_iter().find(|user| user.email == wanted);
    user.ok_or_else(|| {
        let message = format!("there is no account {email}; see jobrunner users list");
        Failure::new(Trouble::NoUser, message)
    })
}

async fn update(client: &Client, email: &str, change: Map<String, Value>) -> Result<User, Failure> {
    let user = find(client, email).await?;
    client.update_user(user.id, &Value::Object(change)).await
}

fn told(what: &str, user: &User) -> Result<(), Failure> {
    let state = if user.is_active { "active" } else { "disabled" };
    output::line(&format!("{what} {} ({}, {state})", user.email, user.role))
}
