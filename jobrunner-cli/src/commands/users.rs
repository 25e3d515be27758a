use jobrunner_core::{User, daemon::Trouble};
use secrecy::ExposeSecret;

use super::changed::Told;
use crate::{
    args::{Output, Remote, Users as Args, UsersCommand},
    client::{Client, NewUser, Pages, UserChange, routes},
    exit::{Exit, Failure},
    output, password,
    table::{self, Context},
    tables::USERS,
};

pub(crate) async fn users(args: Args) -> Result<Exit, Failure> {
    let remote = &args.remote;
    let client = Client::signed_in(remote).await?;
    match args.command {
        UsersCommand::List => list(&client, remote).await,
        UsersCommand::Create { email, role, max_running_jobs, password_stdin, service } => {
            let password = match service {
                true => None,
                false => Some(password::read(password_stdin)?.expose_secret().to_owned()),
            };
            let is_service = service;
            let account = NewUser { email, role, password, is_service, max_running_jobs };
            told(remote, "made", client.create_user(&account).await?)
        }
        UsersCommand::Update {
            email,
            role,
            max_running_jobs,
            password,
            password_stdin,
            enable,
        } => {
            let mut change = UserChange {
                role,
                max_running_jobs: max_running_jobs.map(|limit| limit.0),
                is_active: enable.then_some(true),
                password: None,
            };
            if password || password_stdin {
                let password = password::read(password_stdin)?;
                change.password = Some(password.expose_secret().to_owned());
            }
            if change == UserChange::default() {
                return Err(Failure::usage("nothing to change; see jobrunner users update --help"));
            }
            told(remote, "changed", update(&client, &email, &change).await?)
        }
        UsersCommand::Disable { email } => {
            let change = UserChange { is_active: Some(false), ..UserChange::default() };
            told(remote, "disabled", update(&client, &email, &change).await?)
        }
    }
}

async fn all(client: &Client) -> Result<Vec<User>, Failure> {
    Pages::new(client, routes::USERS, Vec::new(), usize::MAX).all().await
}

async fn list(client: &Client, remote: &Remote) -> Result<Exit, Failure> {
    let users = all(client).await?;
    if remote.output == Output::Json || remote.quiet {
        return Told { id: email, line: email }.print(remote, &users);
    }
    let context = Context::of(std::iter::empty());
    output::things(&table::chosen(USERS, &[])?, &users, &context)?;
    Ok(Exit::Success)
}

/// The account with this address.
pub(crate) async fn find(client: &Client, email: &str) -> Result<User, Failure> {
    let wanted = email.trim().to_lowercase();
    // Everybody may ask for themselves.
    let me = client.me().await?;
    if me.email == wanted {
        return Ok(me);
    }
    let users = all(client).await?;
    let user = users.into_iter().find(|user| user.email == wanted);
    user.ok_or_else(|| {
        let message = format!("there is no account {email}; see jobrunner users list");
        Failure::new(Trouble::NoUser, message)
    })
}

async fn update(client: &Client, email: &str, change: &UserChange) -> Result<User, Failure> {
    let user = find(client, email).await?;
    client.update_user(user.id, change).await
}

fn email(user: &User) -> String {
    user.email.clone()
}

fn told(remote: &Remote, what: &str, user: User) -> Result<Exit, Failure> {
    let state = if user.is_active { "active" } else { "disabled" };
    match remote.output {
        Output::Json => output::json(&user)?,
        Output::Table if remote.quiet => output::line(&user.email)?,
        Output::Table => output::line(&format!("{what} {} ({}, {state})", user.email, user.role))?,
    }
    Ok(Exit::Success)
}
