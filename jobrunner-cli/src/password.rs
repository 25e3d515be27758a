//! Reading a password without showing it.

use std::io::{self, BufRead, IsTerminal, Write};

use jobrunner_core::daemon::Trouble;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;

use crate::{
    exit::{Context, Failure},
    output::note,
    settings,
};

/// The password: from standard input if that is asked for, from `JOBRUNNER_PASSWORD`, or typed.
pub(crate) fn read(from_stdin: bool) -> Result<SecretString, Failure> {
    if from_stdin {
        return line().map(SecretString::from);
    }
    if let Some(password) = settings::password()? {
        return Ok(password);
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "there is no terminal to ask for the password; use --password-stdin or JOBRUNNER_PASSWORD",
        ));
    }
    hidden("Password: ").map(SecretString::from)
}

/// A password and the one in its place: two lines of standard input if that is asked for, or typed,
/// the new one twice.
pub(crate) fn both(from_stdin: bool) -> Result<(SecretString, SecretString), Failure> {
    if from_stdin {
        return Ok((line()?.into(), line()?.into()));
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "there is no terminal to ask for the passwords; use --password-stdin",
        ));
    }
    let current = hidden("Current password: ")?;
    let new = hidden("New password: ")?;
    if new != hidden("New password again: ")? {
        return Err(Failure::usage("the new password is not the same twice; nothing is changed"));
    }
    Ok((current.into(), new.into()))
}

/// Asks for a line that is not shown.
fn hidden(prompt: &str) -> Result<String, Failure> {
    ask(prompt)?;
    let hidden = HiddenInput::start()?;
    let password = line();
    drop(hidden);
    note("");
    password
}

/// Asks for a line that may be seen.
pub(crate) fn visible(prompt: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(
            "there is no terminal to ask for your email address; use --email",
        ));
    }
    ask(prompt)?;
    line()
}

fn ask(prompt: &str) -> Result<(), Failure> {
    let mut stderr = io::stderr();
    let asked = stderr.write_all(prompt.as_bytes()).and_then(|()| stderr.flush());
    asked.context(Trouble::Io, || "cannot ask".to_owned())
}

fn line() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .context(Trouble::Io, || "cannot read standard input".to_owned())?;
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(Failure::usage("nothing was entered"));
    }
    Ok(line.to_owned())
}

/// While it lives, the terminal does not show what is typed.
struct HiddenInput {
    before: Termios,
}

impl HiddenInput {
    fn start() -> Result<Self, Failure> {
        let cannot = || "cannot hide what is typed".to_owned();
        let before = tcgetattr(io::stdin()).context(Trouble::Os, cannot)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden).context(Trouble::Os, cannot)?;
        Ok(Self { before })
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before) {
            note(&format!(
                "jobrunner: the terminal may not show what you type ({error}); run: stty echo"
            ));
        }
    }
}
