use secrecy::ExposeSecret;

use crate::{
    args::{Login, Server},
    client::Client,
    credentials::{self, Credential},
    exit::{Exit, Failure},
    password,
};

/// Signs in and keeps the token.
pub(crate) async fn login(args: Login) -> Result<Exit, Failure> {
    let client = Client::anonymous(&args.server)?;
    let email = match args.email {
        Some(email) => email,
        None => password::visible("Email: ")?,
    };
    let password = password::read(args.password_stdin)?;
    let token = client.sign_in(&email, password.expose_secret()).await?;
    let credential = Credential { email: email.clone(), token: token.access_token };
    credentials::keep(client.server(), credential)?;
    eprintln!("signed in to {} as {email}", client.server());
    Ok(Exit::Success)
}

/// Ends the token and forgets it, also where the server cannot be reached.
pub(crate) async fn logout(server: Server) -> Result<Exit, Failure> {
    let client = Client::anonymous(&server)?;
    if credentials::find(client.server())?.is_none() {
        eprintln!("you were not signed in to {}", client.server());
        return Ok(Exit::Success);
    }
    let ended = Client::signed_in(&server)?.sign_out().await;
    credentials::forget(client.server())?;
    match ended {
        Ok(()) => eprintln!("signed out of {}", client.server()),
        Err(error) => {
            eprintln!("the token is forgotten here, but it works until its time is over: {error}")
        }
    }
    Ok(Exit::Success)
}

/// Shows the account that the token belongs to.
pub(crate) async fn whoami(server: Server) -> Result<Exit, Failure> {
    let client = Client::signed_in(&server)?;
    let me = client.me().await?;
    println!("{} ({}) on {}", me.email, me.role, client.server());
    Ok(Exit::Success)
}
