//! Tests of other tools, run by the tools themselves and by way of a suite: the verdicts are the
//! same.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::service::BINARY;

/// A directory with a project in it.
struct Project(TempDir);

impl Project {
    fn with(files: &[(&str, &str)]) -> Self {
        let project = Self(tempfile::tempdir().expect("a directory"));
        for (name, text) in files {
            let file = project.0.path().join(name);
            fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
            fs::write(&file, text).expect("a file");
        }
        project
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn call(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.path()).env("XDG_STATE_HOME", self.path());
        // What this test was itself started with is not the project's.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("NEXTEST") || name.starts_with("CARGO") && name != "CARGO_HOME" {
                command.env_remove(&*name);
            }
        }
        command.output().expect(program)
    }

    /// Makes a suite, runs it, and returns how many jobs it has, the code of the run, and the
    /// verdicts.
    fn by_suite(&self, from: &[&str]) -> (usize, Option<i32>, BTreeMap<String, &'static str>) {
        let results = self.path().join("results");
        drop(fs::remove_dir_all(&results));
        let arguments = [&["suite", "from"], from].concat();
        let at = arguments.iter().position(|part| *part == "--").unwrap_or(arguments.len());
        let (options, rest) = arguments.split_at(at);
        let places = ["--junit-dir", results.to_str().expect("UTF-8"), "--out", "made.yaml"];
        let made = self.call(BINARY, &[options, &places, rest].concat());
        assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
        let run = self.call(BINARY, &["run", "made.yaml", "--junit", "jobs.xml"]);
        let mut verdicts = BTreeMap::new();
        for file in fs::read_dir(&results).expect("results") {
            let file = file.expect("a file").path();
            if file.extension().is_some_and(|extension| extension == "xml") {
                verdicts.extend(self::verdicts(&file));
            }
        }
        let out = String::from_utf8_lossy(&run.stdout);
        assert!(!verdicts.is_empty(), "{out}{}", String::from_utf8_lossy(&run.stderr));
        (jobs(self).len(), run.status.code(), verdicts)
    }
}

/// The jobs of the last run, without the tests that they have reported: the class of those is
/// `job › class`.
fn jobs(project: &Project) -> BTreeMap<String, &'static str> {
    let mut all = verdicts(&project.path().join("jobs.xml"));
    all.retain(|name, _| !name.contains(" › "));
    all
}

/// The jobs of the last run that were skipped.
fn skipped_jobs(project: &Project) -> Vec<String> {
    let skipped = jobs(project).into_iter().filter(|(_, verdict)| *verdict == "skipped");
    skipped.map(|(name, _)| name).collect()
}

/// The verdicts of a JUnit file, by class and name.
fn verdicts(file: &Path) -> BTreeMap<String, &'static str> {
    let text = fs::read_to_string(file).expect("a file");
    let document = roxmltree::Document::parse(&text).expect("XML");
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    let verdict = |case: roxmltree::Node<'_, '_>| {
        let tag = ["failure", "error", "skipped"]
            .into_iter()
            .find(|tag| case.children().any(|child| child.has_tag_name(*tag)));
        let attribute = |name| case.attribute(name).unwrap_or_default();
        (format!("{} {}", attribute("classname"), attribute("name")), tag.unwrap_or("passed"))
    };
    cases.map(verdict).collect()
}

/// The program of a virtual environment with pytest, made once for all runs of the tests.
fn pytest() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pytest-9.2.0");
    let program = directory.join("bin/pytest");
    if !program.exists() {
        let done = Command::new("python3").arg("-m").arg("venv").arg(&directory).status();
        assert!(done.expect("python3").success(), "an environment");
        let pip = Command::new(directory.join("bin/pip"))
            .args(["-q", "install", "pytest==9.2.0"])
            .status();
        assert!(pip.expect("pip").success(), "pytest from PyPI");
    }
    program
}

#[test]
#[ignore = "needs pytest from PyPI"]
fn pytest_says_the_same_by_way_of_a_suite() {
    let project = Project::with(&[
        (
            "tests/test_a.py",
            "import pytest
@pytest.mark.parametrize('text', ['a b', 'x::y', '[z]', 'é', '$HOME', \"it's\", '${v}'])
def test_texts(text): assert text != 'x::y'
class TestB:
    def test_one(self): pass
    @pytest.mark.skip
    def test_two(self): pass
    @pytest.mark.xfail
    def test_three(self): assert False
@pytest.fixture
def broken(): raise OSError
def test_broken(broken): pass
",
        ),
        ("tests/sub/test_b.py", "def test_one(): pass\ndef test_two(): assert 1 == 2\n"),
        // More quiet than usual: the listing is made all the same.
        ("pytest.ini", "[pytest]\naddopts = -q -q\n"),
    ]);
    let program = pytest();
    let program = program.to_str().expect("UTF-8");
    let own = project.call(program, &["--junitxml=own.xml"]);
    assert_eq!(own.status.code(), Some(1));
    let own = verdicts(&project.path().join("own.xml"));
    assert_eq!(own.len(), 13);
    let (jobs, code, verdicts) = project.by_suite(&["pytest", "--program", program]);
    assert_eq!((jobs, code, &verdicts), (13, Some(1), &own));
    let sharded = ["pytest", "--program", program, "--shards", "3", "--durations", "own.xml"];
    assert_eq!(project.by_suite(&sharded), (3, Some(1), own));
    // As it was listed before.
    let listed = project.call(program, &["--collect-only", "--verbosity=-1", "tests/sub"]);
    fs::write(project.path().join("listed"), listed.stdout).expect("a file");
    let (jobs, _, verdicts) = project.by_suite(&["pytest", "listed", "--program", program]);
    assert_eq!((jobs, verdicts.len()), (2, 2));
}

#[test]
#[ignore = "needs CMake"]
fn ctest_says_the_same_by_way_of_a_suite() {
    let project = Project::with(&[(
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.21)
project(p NONE)
enable_testing()
foreach(n RANGE 1 5)
  add_test(NAME \"plain.${n}\" COMMAND sh -c \"test ${n} -ne 3\")
endforeach()
add_test(NAME \"plain.1(x)+\" COMMAND true)
add_test(NAME turned COMMAND false)
set_tests_properties(turned PROPERTIES WILL_FAIL TRUE)
add_test(NAME skips COMMAND sh -c \"exit 77\")
set_tests_properties(skips PROPERTIES SKIP_RETURN_CODE 77)
add_test(NAME off COMMAND true)
set_tests_properties(off PROPERTIES DISABLED TRUE)
add_test(NAME setup COMMAND sh -c \"echo x > mark\")
add_test(NAME uses COMMAND sh -c \"test -e mark && test \\\"$V\\\" = 'a;b'\")
add_test(NAME cleanup COMMAND sh -c \"rm mark\")
set_tests_properties(setup PROPERTIES FIXTURES_SETUP f)
set_tests_properties(uses PROPERTIES FIXTURES_REQUIRED f ENVIRONMENT \"V=a\\;b\")
set_tests_properties(cleanup PROPERTIES FIXTURES_CLEANUP f)
",
    )]);
    let made = project.call("cmake", &["-B", "build"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let junit = project.path().join("own.xml");
    let junit = junit.to_str().expect("UTF-8");
    let own = project.call("ctest", &["--test-dir", "build", "--output-junit", junit]);
    assert_eq!(own.status.code(), Some(8));
    let own = verdicts(junit.as_ref());
    assert_eq!(own.len(), 12, "{own:?}");
    let (jobs, code, verdicts) = project.by_suite(&["ctest", "--dir", "build"]);
    assert_eq!((jobs, code, &verdicts), (10, Some(1), &own), "three with a fixture are one job");
    assert_eq!(skipped_jobs(&project), ["ctest off", "ctest skips"]);
    let sharded = ["ctest", "--dir", "build", "--shards", "3", "--durations", "own.xml"];
    assert_eq!(project.by_suite(&sharded), (3, Some(1), own));
    // What is told when it lists chooses among the tests.
    let (jobs, _, _) = project.by_suite(&["ctest", "--dir", "build", "--", "-R", "plain"]);
    assert_eq!(jobs, 6);
}

#[test]
#[ignore = "needs Automake"]
fn automake_says_the_same_by_way_of_a_suite() {
    let test = |code: u8| format!("#!/bin/sh\necho text\nexit {code}\n");
    let (pass, fail, skip, error) = (test(0), test(1), test(77), test(99));
    let project = Project::with(&[
        (
            "configure.ac",
            "AC_INIT([p], [1])\nAM_INIT_AUTOMAKE([foreign])\nAC_CONFIG_FILES([Makefile t/Makefile])\nAC_OUTPUT\n",
        ),
        ("Makefile.am", "SUBDIRS = . t\nTESTS = top.sh\nEXTRA_DIST = top.sh\n"),
        ("top.sh", &pass),
        ("t/Makefile.am", "TESTS = a.sh b.sh c.sh d.sh e.sh f.sh\nXFAIL_TESTS = e.sh f.sh\n"),
        ("t/a.sh", &pass),
        ("t/b.sh", &fail),
        ("t/c.sh", &skip),
        ("t/d.sh", &error),
        ("t/e.sh", &fail),
        ("t/f.sh", &pass),
    ]);
    let script = "chmod +x top.sh t/*.sh && autoreconf -i && ./configure";
    let made = project.call("sh", &["-c", script]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let own = project.call("make", &["-k", "check"]);
    assert_ne!(own.status.code(), Some(0));
    let own = String::from_utf8_lossy(&own.stdout).into_owned();
    let count =
        |word: &str| own.lines().filter(|line| line.starts_with(&format!("{word}: "))).count();
    assert_eq!(["PASS", "FAIL", "SKIP", "ERROR", "XFAIL", "XPASS"].map(count), [2, 1, 1, 1, 1, 1]);
    let expected = [
        (". top.sh", "passed"),
        ("t a.sh", "passed"),
        ("t b.sh", "failure"),
        ("t c.sh", "skipped"),
        ("t d.sh", "error"),
        ("t e.sh", "skipped"),
        ("t f.sh", "failure"),
    ];
    let expected: BTreeMap<_, _> =
        expected.iter().map(|(name, verdict)| ((*name).to_owned(), *verdict)).collect();
    assert_eq!(project.by_suite(&["automake"]), (7, Some(1), expected.clone()));
    // What fails as expected has run.
    assert_eq!(skipped_jobs(&project), ["automake t/c.sh"]);
    assert_eq!(project.by_suite(&["automake", "--shards", "2"]), (2, Some(1), expected));
}

/// A crate with a library, a program and an integration test.
fn crate_with_tests() -> Project {
    Project::with(&[
        (
            "Cargo.toml",
            "[package]\nname = \"c\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[workspace]\n",
        ),
        (
            "src/lib.rs",
            "#[cfg(test)] mod a { #[test] fn passes() {} #[test] fn fails() { panic!(\"no\") }
#[test] #[should_panic] fn panics() { panic!() } #[test] #[ignore] fn waits() {} }",
        ),
        ("src/main.rs", "fn main() {}\n#[test] fn passes() {}\n"),
        (
            "tests/t.rs",
            "#[test] fn there() { assert!(std::path::Path::new(\"Cargo.toml\").exists()) }",
        ),
    ])
}

fn crate_verdicts() -> BTreeMap<String, &'static str> {
    [
        ("c a::passes", "passed"),
        ("c a::fails", "failure"),
        ("c a::panics", "passed"),
        ("c::bin/c passes", "passed"),
        ("c::t there", "passed"),
    ]
    .map(|(name, verdict)| (name.to_owned(), verdict))
    .into()
}

#[test]
fn cargo_says_the_same_by_way_of_a_suite() {
    let project = crate_with_tests();
    let expected = crate_verdicts();
    assert_eq!(project.by_suite(&["cargo"]), (5, Some(1), expected.clone()));
    assert_eq!(project.by_suite(&["cargo", "--shards", "2"]), (2, Some(1), expected));
}

#[test]
fn nextest_says_the_same_by_way_of_a_suite() {
    let project = crate_with_tests();
    let expected = crate_verdicts();
    assert_eq!(project.by_suite(&["nextest"]), (5, Some(1), expected.clone()));
    assert_eq!(project.by_suite(&["nextest", "--shards", "2"]), (2, Some(1), expected));
    let listed = project.call("cargo", &["nextest", "list", "--message-format", "json", "--lib"]);
    fs::write(project.path().join("listed"), listed.stdout).expect("a file");
    assert_eq!(project.by_suite(&["nextest", "listed"]).0, 3);
}

#[test]
fn programs_that_print_tap_say_the_same_by_way_of_a_suite() {
    let project = Project::with(&[
        ("t/a.t", "print qq(1..3\\nok 1 - a\\nnot ok 2 - b\\nok 3 - c # SKIP no\\n);"),
        ("t/b.t", "print qq(1..1\\nok 1 - only\\n); exit 3;"),
        ("t/c.t", "print qq(1..0 # SKIP not here\\n);"),
    ]);
    let expected: BTreeMap<_, _> = [
        ("t/a.t 1 - a", "passed"),
        ("t/a.t 2 - b", "failure"),
        ("t/a.t 3 - c", "skipped"),
        ("t/b.t 1 - only", "passed"),
        ("t/b.t (the program)", "error"),
        ("t/c.t (the program)", "skipped"),
    ]
    .map(|(name, verdict)| (name.to_owned(), verdict))
    .into();
    assert_eq!(project.by_suite(&["tap"]), (3, Some(1), expected.clone()));
    assert_eq!(project.by_suite(&["tap", "--shards", "2"]), (2, Some(1), expected));
}

#[test]
fn any_tool_is_run_by_its_earlier_results_and_a_command() {
    let script = "for name in \"$@\"; do case $name in *bad*) exit 1;; esac; done; echo '<testsuite><testcase classname=\"c\" name=\"ran\"/></testsuite>' > \"$0\"";
    let project = Project::with(&[(
        "old.xml",
        "<testsuite><testcase classname=\"c\" name=\"good\" time=\"3\"/><testcase classname=\"c\" name=\"fine\"
            time=\"1\"/><testcase classname=\"c\" name=\"also\" time=\"2\"/><testcase name=\"bad\"/></testsuite>",
    )]);
    let command = ["--", "sh", "-c", script, "{junit}", "{classname}.{name}"];
    let from = |options: &[&'static str]| [&["junit", "old.xml"], options, &command].concat();
    let (jobs, code, _) = project.by_suite(&from(&[]));
    assert_eq!((jobs, code), (4, Some(1)));
    let sharded = from(&["--shards", "2", "--durations", "old.xml"]);
    let (jobs, code, _) = project.by_suite(&sharded);
    assert_eq!((jobs, code), (2, Some(1)));
    let made = fs::read_to_string(project.path().join("made.yaml")).expect("a file");
    assert!(made.contains("c.good") && made.contains("c.fine"), "{made}");
}
