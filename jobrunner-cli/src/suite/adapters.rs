//! Suites made of other tools' tests. A tool lists its tests itself and runs those of a job itself,
//! so that what it does for them (fixtures, properties, environments) is done here, too.

mod automake;
mod cargo;
mod ctest;
mod durations;
mod junit;
mod nextest;
mod pytest;
pub(crate) mod record;
mod shards;
mod tap;
mod tool;

use std::path::PathBuf;

use jobrunner_core::{NewBatch, NewJob, daemon::Trouble, report::Glob};
use serde_json::json;

use crate::{
    args::{From, Tool as Name},
    exit::{Context, Failure},
    output::note,
};
use durations::Durations;
use tool::{Listing, SKIP_EXIT_CODE, Test, Tool};

/// The longest name of a job, in bytes.
const LONGEST_NAME: usize = 255;

/// A batch with jobs that run the tests of a tool.
pub(crate) fn made(args: &From) -> Result<(NewBatch, Vec<NewJob>), Failure> {
    let listing = Listing::new(args)?;
    let tool: Box<dyn Tool> = match args.tool {
        Name::Pytest => Box::new(pytest::Pytest),
        Name::Ctest => Box::new(ctest::Ctest),
        Name::Nextest => Box::new(nextest::Nextest),
        Name::Cargo => Box::new(cargo::Cargo),
        Name::Automake => Box::new(automake::Automake),
        Name::Tap => Box::new(tap::Tap),
        Name::Junit => Box::new(junit::Junit),
    };
    let units = tool.list(&listing)?;
    let count: usize = units.iter().map(|unit| unit.tests.len()).sum();
    if count == 0 {
        return Err(Failure::new(Trouble::Data, format!("{} lists no tests", args.tool)));
    }
    let durations = Durations::read(&args.durations)?;
    let jobs = match args.shards {
        Some(shards) => shards::even(units, shards.get(), &durations),
        None => units.into_iter().map(|unit| vec![unit]).collect(),
    };
    let directory = junit_directory(args, &listing)?;
    let total = jobs.len();
    let jobs = jobs.iter().enumerate().map(|(index, units)| {
        let tests: Vec<&Test> = units.iter().flat_map(|unit| &unit.tests).collect();
        let file = format!("{directory}/{}-{}.xml", args.tool, index + 1);
        let name = match (args.shards, tests.as_slice()) {
            (None, [test]) => shortened(&test.id, index),
            (None, [first, ..]) => {
                shortened(&format!("{} and {} more", first.id, tests.len() - 1), index)
            }
            _ => format!("{} {}/{total}", args.tool, index + 1),
        };
        let payload = json!({"junit": [file], "tests": tests.len()});
        let command = tool.command(&listing, &tests, &file)?;
        Ok(NewJob {
            name,
            junit: written(&command, &file, &listing.directory),
            command,
            working_dir: Some(listing.directory.clone()),
            env: tool::environment(tool.variables()),
            skip_exit_codes: tool.is_recorded().then_some(SKIP_EXIT_CODE).into_iter().collect(),
            payload: payload.as_object().cloned().unwrap_or_default(),
            ..NewJob::default()
        })
    });
    let jobs = jobs.collect::<Result<Vec<_>, Failure>>()?;
    note(&format!("{count} tests in {total} jobs, which write JUnit to {directory}"));
    if args.shards.is_none() && count > MANY {
        note("each starts the tool anew; --shards N makes N jobs that take about as long");
    }
    let name = args.name.clone().unwrap_or_else(|| args.tool.to_string());
    Ok((NewBatch { name, ..NewBatch::default() }, jobs))
}

/// The files that a command writes, as patterns below its working directory; none, if they lie
/// elsewhere.
fn written(command: &[String], file: &str, directory: &str) -> Vec<String> {
    let is_written = |path: &String| {
        let name = path.rsplit('/').next().unwrap_or_default();
        command.iter().any(|part| part.contains(name))
    };
    let all = (0..).map(|index| tool::numbered(file, index)).take_while(is_written);
    let below = |path: String| {
        let below = path.strip_prefix(directory)?.strip_prefix('/')?;
        Some(below.to_owned()).filter(|below| below.parse::<Glob>().is_ok())
    };
    all.filter_map(below).collect()
}

/// From how many tests on it is said what they cost.
const MANY: usize = 50;

/// Where jobs write their results; made if need be.
fn junit_directory(args: &From, listing: &Listing) -> Result<String, Failure> {
    let directory = args.junit_dir.clone().unwrap_or_else(|| PathBuf::from("jobrunner-junit"));
    let directory = PathBuf::from(&listing.directory).join(directory);
    let made = std::fs::create_dir_all(&directory);
    made.context(Trouble::CannotCreate, || format!("cannot make {}", directory.display()))?;
    directory.into_os_string().into_string().map_err(|name| {
        Failure::usage(format!("--junit-dir {} is not UTF-8", name.to_string_lossy()))
    })
}

/// A name for a job, on one line and short enough.
fn shortened(name: &str, index: usize) -> String {
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if name.len() <= LONGEST_NAME {
        return name;
    }
    let suffix = format!("… #{}", index + 1);
    let mut end = LONGEST_NAME - suffix.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn the_files_that_a_job_writes_are_named_below_its_directory() {
        let written = |command: &str, file: &str| written(&[command.to_owned()], file, "/w");
        let file = "/w/out/tap-1.xml";
        assert_eq!(written("x --junit=/w/out/tap-1.xml", file), ["out/tap-1.xml"]);
        let two = written("x /w/out/tap-1.xml; y /w/out/tap-1.2.xml", file);
        assert_eq!(two, ["out/tap-1.xml", "out/tap-1.2.xml"]);
        assert!(written("x /elsewhere/tap-1.xml", "/elsewhere/tap-1.xml").is_empty());
        assert!(written("x", file).is_empty());
    }
}
