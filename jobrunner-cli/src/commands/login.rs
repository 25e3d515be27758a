use secrecy::ExposeSecret;

use crate::{
    args::{Login, Server},
    client::Client,
    credentials,
    exit::{Exit, Failure},
    output::{self, note},
    password,
};

/// Signs in and keeps the tokens.
pub(crate) async fn login(args: Login) -> Result<Exit, Failure> {
    let client = Client::anonymous(&args.server)?;
    let email = match args.email {
        Some(email) => email,
        None => password::visible("Email: ")?,
    };
    let password = password::read(args.password_stdin)?;
    let credential = client.sign_in(&email, password.expose_secret()).await?;
    credentials::Lock::take().await?.keep(client.server(), credential)?;
    note(&format!("signed in to {} as {email}", client.server()));
    Ok(Exit::Success)
}

/// Ends the sign-in and forgets its tokens, also where the server cannot be reached.
pub(crate) async fn logout(server: Server) -> Result<Exit, Failure> {
    let client = Client::anonymous(&server)?;
    if credentials::find(client.server())?.is_none() {
        note(&format!("you were not signed in to {}", client.server()));
        return Ok(Exit::Success);
    }
    let ended = Client::signed_in(&server)?.sign_out().await;
    credentials::Lock::take().await?.forget(client.server())?;
    match ended {
        Ok(()) => note(&format!("signed out of {}", client.server())),
        Err(error) => note(&format!(
            "the tokens are forgotten here, but they work until their time is over: {error}"
        )),
    }
    Ok(Exit::Success)
}

/// Shows the account that the token belongs to.
pub(crate) async fn whoami(server: Server) -> Result<Exit, Failure> {
    let client = Client::signed_in(&server)?;
    let me = client.me().await?;
    output::line(&format!("{} ({}) on {}", me.email, me.role, client.server()))?;
    Ok(Exit::Success)
}
