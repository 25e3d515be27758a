use serde::Deserialize;

use super::tool::{
    Listing, Test, Tool, Unit, by_place, not_understood, numbered, output, recorded, script,
};
use crate::exit::Failure;

/// Variables that cargo and what it starts heed.
pub(super) const VARIABLES: &[&str] = &[
    "CARGO_BUILD_TARGET",
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "RUSTFLAGS",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "RUST_BACKTRACE",
];

/// `cargo test`: builds test programs, which list their tests. What is listed is run by cargo, too,
/// one program at a time; libtest's output becomes JUnit.
pub(super) struct Cargo;

/// A message of `cargo test --no-run --message-format json`.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    package_id: String,
    target: Option<Target>,
    executable: Option<String>,
    #[serde(default)]
    profile: Profile,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Profile {
    #[serde(default)]
    test: bool,
}

impl Tool for Cargo {
    fn list(&self, listing: &Listing) -> Result<Vec<Unit>, Failure> {
        let text = listing.text(["test", "--no-run", "--message-format", "json"])?;
        let mut units = Vec::new();
        for line in text.lines().filter(|line| line.starts_with('{')) {
            let message: Message = serde_json::from_str(line)
                .map_err(|error| not_understood("what cargo says", error))?;
            let (Some(target), Some(program)) = (message.target, message.executable) else {
                continue;
            };
            if message.reason != "compiler-artifact" || !message.profile.test {
                continue;
            }
            let place = place(&message.package_id, &target);
            let class = class(&message.package_id, &target);
            let list = [program, "--list".to_owned(), "--format".to_owned(), "terse".to_owned()];
            let tests = output(&list, &listing.directory, "")?;
            let ignored: Vec<String> = [&list[..], &["--ignored".to_owned()]].concat();
            let ignored = output(&ignored, &listing.directory, "")?;
            let ignored: Vec<&str> = ignored.lines().collect();
            for line in tests.lines().filter(|line| !ignored.contains(line)) {
                let Some(name) = line.strip_suffix(": test") else { continue };
                let (class, name) = (class.clone(), name.to_owned());
                let id = format!("{class} {name}");
                units.push(Test { id, class, name, place: place.clone() }.into());
            }
        }
        Ok(units)
    }

    fn command(
        &self,
        listing: &Listing,
        tests: &[&Test],
        junit: &str,
    ) -> Result<Vec<String>, Failure> {
        let mut commands = Vec::new();
        for (index, (place, tests)) in by_place(tests).into_iter().enumerate() {
            let mut command = listing.call(["test"]);
            command.extend(listing.arguments.iter().cloned());
            command.extend(place.iter().cloned());
            command.extend(["--", "--exact"].map(str::to_owned));
            command.extend(tests.iter().map(|test| test.name.clone()));
            let class = tests.first().map_or("", |test| test.class.as_str());
            commands.push(recorded("libtest", class, &numbered(junit, index), command)?);
        }
        Ok(script(&commands))
    }

    fn is_recorded(&self) -> bool {
        true
    }

    fn variables(&self) -> &'static [&'static str] {
        VARIABLES
    }
}

/// The options by which cargo runs one target alone.
fn place(package: &str, target: &Target) -> Vec<String> {
    let kind = target.kind.first().map_or("", String::as_str);
    let mut place = vec!["--package".to_owned(), package.to_owned()];
    match kind {
        "bin" | "test" | "example" | "bench" => {
            place.extend([format!("--{kind}"), target.name.clone()]);
        }
        _ => place.push("--lib".to_owned()),
    }
    place
}

/// What a target's tests are a part of, by the names that nextest has for them.
fn class(package: &str, target: &Target) -> String {
    // `path+file:///src/NAME#1.0.0` or `path+file:///src/other#NAME@1.0.0`
    let (path, version) = package.split_once('#').unwrap_or((package, ""));
    let last = path.rsplit('/').next().unwrap_or(path);
    let name = version.split_once('@').map_or(last, |(name, _)| name);
    let kind = target.kind.first().map_or("", String::as_str);
    match kind {
        "bin" | "example" | "bench" => format!("{name}::{kind}/{}", target.name),
        "test" => format!("{name}::{}", target.name),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_named_as_nextest_names_them() {
        let target = |kind: &str| Target { name: "t".to_owned(), kind: vec![kind.to_owned()] };
        for (package, kind, expected) in [
            ("path+file:///src/c#1.0.0", "lib", "c"),
            ("path+file:///src/x#c@1.0.0", "proc-macro", "c"),
            ("path+file:///src/x#c@1.0.0", "bin", "c::bin/t"),
            ("path+file:///src/x#c@1.0.0", "test", "c::t"),
            ("registry+https://example.com/index#c@1.0.0", "example", "c::example/t"),
        ] {
            assert_eq!(class(package, &target(kind)), expected, "{package}");
        }
    }
}
