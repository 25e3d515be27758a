use std::{fs, path::Path};

use jobrunner_core::daemon::Trouble;

use super::tool::{Listing, Test, Tool, Unit, by_place, numbered, output, recorded, script};
use crate::exit::{Context, Failure};

/// Automake's `make check`: every Makefile with tests lists them in `TESTS`.
pub(super) struct Automake;

/// Prints the tests, as the makefile that is included before it has them.
const PRINT: &str = "\njobrunner-tests:\n\t@for test in $(TESTS); do echo \"$$test\"; done\n";

impl Tool for Automake {
    /// A kept listing has a line `DIRECTORY TEST` for each test.
    fn list(&self, listing: &Listing) -> Result<Vec<Unit>, Failure> {
        if listing.is_kept() {
            let text = listing.text([])?;
            let tests = text.lines().filter_map(|line| line.split_once(char::is_whitespace));
            return Ok(tests.map(|(place, name)| test(place, name.trim()).into()).collect());
        }
        // Builds what is tested, and the programs of the tests.
        output(&listing.call(["check", "TESTS="]), &listing.directory, "")?;
        let mut units = Vec::new();
        for place in places(Path::new(&listing.directory), "")? {
            let directory = format!("{}/{place}", listing.directory);
            let input = format!("include Makefile{PRINT}");
            let make = listing.call(["-s", "--no-print-directory", "-f", "-", "jobrunner-tests"]);
            let text = output(&make, &directory, &input)?;
            units.extend(text.lines().map(|name| Unit::from(test(&place, name))));
        }
        Ok(units)
    }

    /// Every job has a summary of its own, since several run in one directory.
    fn command(
        &self,
        listing: &Listing,
        tests: &[&Test],
        junit: &str,
    ) -> Result<Vec<String>, Failure> {
        let stem = Path::new(junit).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut commands = Vec::new();
        for (index, (place, tests)) in by_place(tests).into_iter().enumerate() {
            let place = place.first().map_or(".", String::as_str);
            let names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
            let tests = format!("TESTS={}", names.join(" "));
            let log = format!("TEST_SUITE_LOG=jobrunner-{stem}.log");
            let command = listing.call(["-C", place, "check-TESTS", &tests, &log]);
            commands.push(recorded("automake", place, &numbered(junit, index), command)?);
        }
        Ok(script(&commands))
    }

    fn is_recorded(&self) -> bool {
        true
    }

    fn variables(&self) -> &'static [&'static str] {
        &["VERBOSE", "MAKEFLAGS"]
    }
}

fn test(place: &str, name: &str) -> Test {
    let id = if place == "." { name.to_owned() } else { format!("{place}/{name}") };
    Test { id, class: place.to_owned(), name: name.to_owned(), place: vec![place.to_owned()] }
}

/// The directories with tests, below a directory and by its name.
fn places(directory: &Path, name: &str) -> Result<Vec<String>, Failure> {
    let cannot = || format!("cannot read {}", directory.display());
    let mut places = Vec::new();
    let makefile = fs::read(directory.join("Makefile")).unwrap_or_default();
    if String::from_utf8_lossy(&makefile).lines().any(|line| line.starts_with("check-TESTS:")) {
        places.push(if name.is_empty() { ".".to_owned() } else { name.to_owned() });
    }
    let mut inner = Vec::new();
    for entry in fs::read_dir(directory).context(Trouble::NoInput, cannot)? {
        let entry = entry.context(Trouble::Io, cannot)?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            inner.extend(entry.file_name().into_string().ok());
        }
    }
    inner.sort_unstable();
    for inner in inner.into_iter().filter(|inner| !inner.starts_with('.')) {
        let name = if name.is_empty() { inner.clone() } else { format!("{name}/{inner}") };
        places.extend(self::places(&directory.join(inner), &name)?);
    }
    Ok(places)
}
