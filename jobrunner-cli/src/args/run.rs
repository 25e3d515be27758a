use std::{path::PathBuf, str::FromStr};

use clap::Args;

use super::{Output, pair};

/// Ends with 0 if all passed, 1 if something failed, 3 if it was interrupted.
///
/// Commands get PATH, HOME, LANG, LC_*, TZ, USER and TMPDIR of this environment, PWD, JOBRUNNER_*
/// and what the suite sets; --pass-env and --inherit-env pass on more.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The suite, a YAML file; - reads it from standard input
    pub(crate) suite: PathBuf,
    /// Give a parameter or variable of the suite a value; can be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
    /// How many jobs to run at one time [default: number of CPUs]
    #[arg(
        short = 'j',
        long,
        visible_alias = "slots",
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=4096)
    )]
    pub(crate) jobs: Option<u32>,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Cancel what is left after so many failures, one if no number is given
    #[arg(
        short = 'x',
        long,
        value_name = "N",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub(crate) fail_fast: Option<u64>,
    /// Pass a variable of this environment on to commands, unless the suite sets it; can be
    /// repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) pass_env: Vec<String>,
    /// Pass this whole environment on to commands
    #[arg(long, conflicts_with = "pass_env")]
    pub(crate) inherit_env: bool,
    /// Write the results as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Keep the database with all results and output here [default: forget it]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Show what would be run, and run nothing
    #[arg(long, conflicts_with_all = ["junit", "data_dir"])]
    pub(crate) dry_run: bool,
    /// How to show the result
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// Which jobs of a suite are run, in the order of these fields.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Run only jobs with TEXT in their name; with a * in it, it is like the whole name; !TEXT
    /// leaves jobs out; can be repeated
    #[arg(short = 'k', long, value_name = "TEXT")]
    pub(crate) filter: Vec<String>,
    /// Run only jobs that failed in the last run of this suite here, or all if none did
    #[arg(long)]
    pub(crate) last_failed: bool,
    /// Run only the Ith of N parts of the jobs, every Nth job
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
    /// Run every job N times
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) repeat: Option<u32>,
}

/// A part of the jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Which one, from 1 on.
    pub(crate) number: usize,
    pub(crate) of: usize,
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "must look like 2/5, the second of five parts";
        let (number, of) = text.split_once('/').ok_or(wrong)?;
        let (number, of) = (number.parse().map_err(|_| wrong)?, of.parse().map_err(|_| wrong)?);
        if (1..=of).contains(&number) { Ok(Self { number, of }) } else { Err(wrong) }
    }
}

#[cfg(test)]
mod tests {
    use super::Shard;

    #[test]
    fn a_shard_is_one_of_the_parts_there_are() {
        assert_eq!("2/5".parse(), Ok(Shard { number: 2, of: 5 }));
        for text in ["0/5", "6/5", "1/0", "2", "a/b", "1/2/3", "-1/2", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
