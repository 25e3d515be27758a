use super::tool::{Listing, Test, Tool, Unit, recorded};
use crate::exit::Failure;

/// Programs that print TAP: `prove --dry` lists them, and `prove` runs them.
pub(super) struct Tap;

impl Tool for Tap {
    fn list(&self, listing: &Listing) -> Result<Vec<Unit>, Failure> {
        let text = listing.text(["--dry"])?;
        let files = text.lines().filter(|line| !line.trim().is_empty());
        Ok(files.map(|file| test(file).into()).collect())
    }

    fn command(
        &self,
        listing: &Listing,
        tests: &[&Test],
        junit: &str,
    ) -> Result<Vec<String>, Failure> {
        let mut command = listing.call(["--verbose", "--nocolor", "--norc"]);
        command.extend(tests.iter().map(|test| test.id.clone()));
        recorded("prove", "", junit, command)
    }

    fn is_recorded(&self) -> bool {
        true
    }

    fn variables(&self) -> &'static [&'static str] {
        &["PERL5LIB", "HARNESS_OPTIONS"]
    }
}

fn test(file: &str) -> Test {
    Test { id: file.to_owned(), name: file.to_owned(), ..Test::default() }
}
