use secrecy::ExposeSecret;

use crate::{
    args::{Login, Output, Remote},
    client::Client,
    config, credentials,
    exit::{Exit, Failure},
    output::{self, note},
    password, settings,
};

/// Signs in, keeps the tokens, and asks this server from now on.
pub(crate) async fn login(args: Login) -> Result<Exit, Failure> {
    let client = Client::anonymous(&args.remote)?;
    let email = match args.email {
        Some(email) => email,
        None => password::visible("Email: ")?,
    };
    let password = password::read(args.password_stdin)?;
    let credential = client.sign_in(&email, password.expose_secret()).await?;
    credentials::Lock::take().await?.keep(&client.key(), credential)?;
    config::choose(args.remote.server.as_deref().unwrap_or_else(|| client.server()))?;
    note(&format!("signed in to {} as {email}", client.server()));
    if settings::token()?.is_some() {
        note("JOBRUNNER_TOKEN is set and is used instead, until you unset it");
    }
    if args.remote.output == Output::Json {
        output::json(&serde_json::json!({ "server": client.server(), "email": email }))?;
    }
    Ok(Exit::Success)
}

/// Ends the sign-in and forgets its tokens, also where the server cannot be reached.
pub(crate) async fn logout(remote: Remote) -> Result<Exit, Failure> {
    let Some(client) = Client::of_kept(&remote)? else {
        note(&format!("you were not signed in to {}", Client::anonymous(&remote)?.server()));
        return Ok(Exit::Success);
    };
    let ended = client.sign_out().await;
    credentials::Lock::take().await?.forget(&client.key())?;
    match ended {
        Ok(()) => note(&format!("signed out of {}", client.server())),
        Err(error) => note(&format!(
            "the tokens are forgotten here, but they work until their time is over: {error}"
        )),
    }
    Ok(Exit::Success)
}

/// Shows the account that the token belongs to.
pub(crate) async fn whoami(remote: Remote) -> Result<Exit, Failure> {
    let client = Client::signed_in(&remote).await?;
    let me = client.me().await?;
    match remote.output {
        Output::Json => output::json(&me)?,
        Output::Table if remote.quiet => output::line(&me.email)?,
        Output::Table => {
            output::line(&format!("{} ({}) on {}", me.email, me.role, client.server()))?;
        }
    }
    Ok(Exit::Success)
}
