use clap::CommandFactory;
use clap_complete::env::Shells;
use jobrunner_core::daemon::Trouble;

use crate::{
    args::{Cli, Completions, Man},
    exit::{Context, Exit, Failure},
    output::{self, note},
};

/// The variable by which a shell asks what to offer.
pub(crate) const ASKED: &str = "JOBRUNNER_COMPLETE";

/// Prints what makes a shell ask this command what to offer.
pub(crate) fn completions(args: &Completions) -> Result<Exit, Failure> {
    let cannot = || format!("cannot write completions for {}", args.shell.name());
    let shells = Shells::builtins();
    let shell = shells.completer(args.shell.name());
    let shell = shell.ok_or_else(|| Failure::new(Trouble::Software, cannot()))?;
    let mut script = Vec::new();
    shell
        .write_registration(ASKED, "jobrunner", "jobrunner", "jobrunner", &mut script)
        .context(Trouble::Software, cannot)?;
    output::put(&script)?;
    Ok(Exit::Success)
}

/// Writes a page of the manual for each command.
pub(crate) fn man(args: &Man) -> Result<Exit, Failure> {
    let directory = &args.directory;
    let cannot = || format!("cannot write the pages to {}", directory.display());
    std::fs::create_dir_all(directory).context(Trouble::CannotCreate, cannot)?;
    clap_mangen::generate_to(Cli::command(), directory).context(Trouble::CannotCreate, cannot)?;
    note(&format!("read them with: man -l {}", directory.join("jobrunner.1").display()));
    Ok(Exit::Success)
}
