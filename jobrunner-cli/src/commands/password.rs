use secrecy::ExposeSecret;

use crate::{
    args::{Output, Password},
    client::{Client, OwnChange},
    exit::{Exit, Failure},
    output::{self, note},
    password,
};

/// Sets the password of one's own account.
pub(crate) async fn password(args: Password) -> Result<Exit, Failure> {
    let client = Client::signed_in(&args.remote).await?;
    let (current, new) = password::both(args.password_stdin)?;
    let change = OwnChange {
        password: Some(new.expose_secret().to_owned()),
        current_password: Some(current.expose_secret().to_owned()),
    };
    let me = client.update_me(&change).await?;
    match args.remote.output {
        Output::Json => output::json(&me)?,
        Output::Table => note(&format!("the password of {} is changed", me.email)),
    }
    Ok(Exit::Success)
}
