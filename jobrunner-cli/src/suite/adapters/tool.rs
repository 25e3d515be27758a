use std::{
    collections::BTreeMap,
    io::Read,
    path::Path,
    process::{Command, Stdio},
};

use jobrunner_core::daemon::Trouble;

use crate::{
    args::From,
    exit::{Context, Failure},
};

/// A test of another tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Test {
    /// What the tool calls it.
    pub(super) id: String,
    /// What it is a part of, as its JUnit has it.
    pub(super) class: String,
    /// Its name there.
    pub(super) name: String,
    /// Where it belongs, for tools that run the tests of one place at a time.
    pub(super) place: Vec<String>,
}

/// Tests that are run by one job, whatever the number of jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) tests: Vec<Test>,
}

impl std::convert::From<Test> for Unit {
    fn from(test: Test) -> Self {
        Self { tests: vec![test] }
    }
}

/// A tool that runs tests.
pub(super) trait Tool {
    /// The tests, in the tool's order.
    fn list(&self, listing: &Listing) -> Result<Vec<Unit>, Failure>;

    /// The command that runs some of them and writes their results to a file.
    fn command(
        &self,
        listing: &Listing,
        tests: &[&Test],
        junit: &str,
    ) -> Result<Vec<String>, Failure>;

    /// Whether its jobs are [`recorded`], and so end with [`SKIP_EXIT_CODE`] if every test was
    /// skipped.
    fn is_recorded(&self) -> bool {
        false
    }

    /// Variables that the tool heeds, which jobs get as they are here.
    fn variables(&self) -> &'static [&'static str] {
        &[]
    }
}

/// How a tool is asked for its tests.
pub(super) struct Listing {
    /// Where it is run, absolute.
    pub(super) directory: String,
    /// How it is called.
    pub(super) program: Vec<String>,
    /// What else it is told when it lists.
    pub(super) arguments: Vec<String>,
    /// Its listing, if it was kept.
    kept: Option<String>,
}

impl Listing {
    pub(super) fn new(args: &From) -> Result<Self, Failure> {
        let cannot = || format!("cannot use the directory {}", args.dir.display());
        let directory = args.dir.canonicalize().context(Trouble::NoInput, cannot)?;
        let directory = directory.into_os_string().into_string();
        let directory = directory.map_err(|_| Failure::usage("--dir is not UTF-8"))?;
        let program = args.program.as_deref().unwrap_or(args.tool.program());
        let program = shell_words::split(program);
        let program = program.map_err(|error| Failure::usage(format!("--program: {error}")))?;
        let kept = args.listing.as_deref().map(read).transpose()?;
        Ok(Self { directory, program, arguments: args.arguments.clone(), kept })
    }

    /// The tool's program with these arguments.
    pub(super) fn call<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let arguments = arguments.into_iter().map(str::to_owned);
        self.program.iter().cloned().chain(arguments).collect()
    }

    /// What the tool lists: from the file it was kept in, or by asking it.
    pub(super) fn text<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<String, Failure> {
        match &self.kept {
            Some(kept) => Ok(kept.clone()),
            None => {
                let mut command = self.call(arguments);
                command.extend(self.arguments.iter().cloned());
                output(&command, &self.directory, "")
            }
        }
    }

    pub(super) const fn is_kept(&self) -> bool {
        self.kept.is_some()
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let cannot = || format!("cannot read the listing {}", file.display());
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(file)
    };
    text.context(Trouble::NoInput, cannot)
}

/// What a program prints. What it says of itself goes where ours goes.
pub(super) fn output(command: &[String], directory: &str, input: &str) -> Result<String, Failure> {
    let shown = shell_words::join(command);
    let (program, arguments) =
        command.split_first().ok_or_else(|| Failure::usage("--program names no program"))?;
    let cannot = || format!("cannot run {program}; --program names another");
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context(Trouble::NoInput, cannot)?;
    // Short enough for the pipe to take it whole.
    if let Some(mut stdin) = child.stdin.take() {
        let written = std::io::Write::write_all(&mut stdin, input.as_bytes());
        written.context(Trouble::Io, cannot)?;
    }
    let mut text = Vec::new();
    if let Some(stdout) = &mut child.stdout {
        stdout.read_to_end(&mut text).context(Trouble::Io, cannot)?;
    }
    let status = child.wait().context(Trouble::Os, cannot)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    if !status.success() {
        let last: Vec<&str> = text.lines().rev().take(5).collect();
        let last = last.into_iter().rev().collect::<Vec<_>>().join(" | ");
        let why = format!("cannot list tests: {shown} ended with {status}: {last}");
        return Err(Failure::new(Trouble::Data, why));
    }
    Ok(text)
}

/// Those of these variables that are set here.
pub(super) fn environment(names: &[&str]) -> BTreeMap<String, String> {
    let set = |name: &&str| Some(((*name).to_owned(), std::env::var(name).ok()?));
    names.iter().filter_map(set).collect()
}

/// Whoever lists something that cannot be understood.
pub(super) fn not_understood(what: &str, why: impl std::fmt::Display) -> Failure {
    Failure::new(Trouble::Data, format!("cannot understand {what}: {why}"))
}

/// By what a recorded job says that every test was skipped; Automake's tests say so, too.
pub(super) const SKIP_EXIT_CODE: i32 = 77;

/// A script that runs several recorded commands and fails if one of them does. It is skipped if all
/// of them are.
pub(super) fn script(commands: &[Vec<String>]) -> Vec<String> {
    if let [only] = commands {
        return only.clone();
    }
    let mut script = format!("failed=0 passed={SKIP_EXIT_CODE}\n");
    for command in commands {
        let command = shell_words::join(command);
        script.push_str(&format!(
            "{command}; code=$?\ncase $code in 0) passed=0;; {SKIP_EXIT_CODE}) ;; *) failed=$code;; esac\n"
        ));
    }
    script.push_str("[ $failed = 0 ] || exit $failed\nexit $passed\n");
    ["/bin/sh".to_owned(), "-c".to_owned(), script].into()
}

/// The tests of each place, in the order in which the places come first.
pub(super) fn by_place<'a>(tests: &[&'a Test]) -> Vec<(&'a [String], Vec<&'a Test>)> {
    let mut places: Vec<(&[String], Vec<&Test>)> = Vec::new();
    for test in tests {
        match places.iter_mut().find(|(place, _)| *place == test.place) {
            Some((_, tests)) => tests.push(test),
            None => places.push((&test.place, vec![test])),
        }
    }
    places
}

/// `FILE.xml` for the first, `FILE.2.xml` for the second.
pub(super) fn numbered(junit: &str, index: usize) -> String {
    match (index, junit.strip_suffix(".xml")) {
        (0, _) | (_, None) => junit.to_owned(),
        (_, Some(stem)) => format!("{stem}.{}.xml", index + 1),
    }
}

/// A command under the eyes of this program, which writes what it prints as JUnit.
pub(super) fn recorded(
    format: &str,
    suite: &str,
    junit: &str,
    command: Vec<String>,
) -> Result<Vec<String>, Failure> {
    let program = std::env::current_exe();
    let program =
        program.context(Trouble::Os, || "cannot tell where this program is".to_owned())?;
    let program = program.to_string_lossy().into_owned();
    let skip = format!("--skip-exit-code={SKIP_EXIT_CODE}");
    let head =
        [&program, "suite", "record", format, "--junit", junit, "--suite", suite, &skip, "--"];
    Ok(head.into_iter().map(str::to_owned).chain(command).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_fails_if_a_command_does_and_is_skipped_if_all_are() {
        for (codes, expected) in [
            (&[0, 0][..], 0),
            (&[0, 77], 0),
            (&[77, 0], 0),
            (&[77, 77], 77),
            (&[77, 3, 0], 3),
            (&[3, 77], 3),
            (&[77], 77),
        ] {
            let command = |code| ["sh", "-c", &format!("exit {code}")].map(str::to_owned).to_vec();
            let script = script(&codes.iter().map(command).collect::<Vec<_>>());
            let (program, arguments) = script.split_first().expect("a command");
            let ended = Command::new(program).args(arguments).status().expect("a process");
            assert_eq!(ended.code(), Some(expected), "{codes:?}");
        }
    }
}
