use super::{
    durations::cases,
    tool::{Listing, Test, Tool, Unit},
};
use crate::exit::Failure;

/// Any tool, by the results of an earlier run and a command with `{name}`, `{classname}` and
/// `{file}` in it. An argument with one of them is there once for each test.
pub(super) struct Junit;

impl Tool for Junit {
    fn list(&self, listing: &Listing) -> Result<Vec<Unit>, Failure> {
        if !listing.is_kept() {
            return Err(Failure::usage("junit needs an earlier run: --listing FILE.xml"));
        }
        if !listing.arguments.iter().any(|part| has_place(part)) {
            return Err(Failure::usage(
                "junit needs a command: -- PROGRAM … with {name}, {classname} or {file} in it",
            ));
        }
        let cases = cases(&listing.text([])?, "the listing")?;
        let test = |case: super::durations::Case| {
            let id = match case.class.as_str() {
                "" => case.name.clone(),
                class => format!("{class} {}", case.name),
            };
            let place = vec![case.file.unwrap_or_default()];
            Test { id, class: case.class, name: case.name, place }.into()
        };
        Ok(cases.into_iter().map(test).collect())
    }

    fn command(
        &self,
        listing: &Listing,
        tests: &[&Test],
        junit: &str,
    ) -> Result<Vec<String>, Failure> {
        let mut command = Vec::new();
        for part in &listing.arguments {
            let part = part.replace("{junit}", junit);
            if has_place(&part) {
                command.extend(tests.iter().map(|test| filled(&part, test)));
            } else {
                command.push(part);
            }
        }
        Ok(command)
    }
}

fn has_place(part: &str) -> bool {
    ["{name}", "{classname}", "{file}"].iter().any(|place| part.contains(place))
}

fn filled(part: &str, test: &Test) -> String {
    let file = test.place.first().map_or("", String::as_str);
    // In one pass, since a name may have braces of its own.
    let mut filled = String::new();
    let mut rest = part;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        let values = [("{name}", &*test.name), ("{classname}", &*test.class), ("{file}", file)];
        let (place, value) = values
            .into_iter()
            .find(|(place, _)| rest[at..].starts_with(place))
            .unwrap_or(("{", "{"));
        filled.push_str(value);
        rest = &rest[at + place.len()..];
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_in_once() {
        let test = Test {
            name: "{file}".to_owned(),
            class: "c".to_owned(),
            place: vec!["f.py".to_owned()],
            ..Test::default()
        };
        assert_eq!(filled("{file}::{classname}::{name} {x} {", &test), "f.py::c::{file} {x} {");
    }
}
