use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Put it where the shell looks, or evaluate it when the shell starts:
///
/// bash:  source <(jobrunner completions bash)          in ~/.bashrc
/// zsh:   source <(jobrunner completions zsh)           in ~/.zshrc
/// fish:  jobrunner completions fish | source           in ~/.config/fish/config.fish
///
/// Ids and names come from the server that you are signed in to.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Completions {
    /// Which shell
    pub(crate) shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }
}

/// One page for each command; read them with: man -l DIR/jobrunner.1
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The directory to write them to; it is made if need be
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}
