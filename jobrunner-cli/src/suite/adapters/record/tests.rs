use super::*;

/// The cases of an output: `CLASS NAME VERDICT`.
fn told(reader: &mut dyn Reader, output: &str) -> Vec<String> {
    let mut cases: Vec<Case> = output.lines().flat_map(|line| reader.line(line)).collect();
    reader.end(&mut cases);
    cases
        .iter()
        .map(|case| format!("{} | {} | {:?}", case.class, case.name, case.verdict))
        .collect()
}

#[test]
fn what_automake_prints_is_read() {
    let output =
        "make[1]: Entering directory\nPASS: a\nFAIL: b c\nXFAIL: d\nXPASS: e\nSKIP: f\nERROR: g
PASS: h.tap 1 - opens\n# TOTAL: 6\n# PASS:  1\n";
    let expected = [
        "s | a | Passed",
        "s | b c | Failed",
        "s | d | Expected",
        "s | e | Failed",
        "s | f | Skipped",
        "s | g | Error",
        "s | h.tap 1 - opens | Passed",
    ];
    assert_eq!(told(&mut automake::Automake { suite: "s".to_owned() }, output), expected);
}

#[test]
fn what_libtest_prints_is_read_with_the_output_of_failures() {
    let output = "\nrunning 4 tests\ntest a::b ... ok\ntest c - should panic ... ok\ntest d ... FAILED
test e ... ignored, too slow\n\nfailures:\n\n---- d stdout ----\ntest x ... ok\nat d:1\n\nfailures:\n    d

test result: FAILED. 2 passed; 1 failed\n";
    let mut reader = libtest::Libtest::new("s".to_owned());
    let expected = ["s | a::b | Passed", "s | c | Passed", "s | d | Failed", "s | e | Skipped"];
    assert_eq!(told(&mut reader, output), expected);
    let mut reader = libtest::Libtest::new("s".to_owned());
    let mut cases: Vec<Case> = output.lines().flat_map(|line| reader.line(line)).collect();
    reader.end(&mut cases);
    assert_eq!(cases[2].text, "test x ... ok\nat d:1");
}

#[test]
fn tap_is_read_with_its_directives_and_its_plan() {
    let mut tap = tap::Tap::new("s".to_owned());
    let output = "TAP version 13\n1..5\nok 1 - opens\nnot ok 2 - reads\n# why\nok # skip no net
not ok 4 - later # TODO soon\n    ok 1 - of a subtest\nokay\nok 5\n";
    let expected = [
        "s | 1 - opens | Passed",
        "s | 2 - reads | Failed",
        "s | 3 | Skipped",
        "s | 4 - later | Expected",
        "s | 5 | Passed",
    ];
    assert_eq!(told(&mut tap, output), expected);
    for (output, expected) in [
        ("1..2\nok 1\n", &["s | 1 | Passed", "s | (the program) | Error"][..]),
        ("ok 1\n1..1\n", &["s | 1 | Passed"]),
        ("", &["s | (the program) | Error"]),
        ("1..0 # SKIP no net\n", &["s | (the program) | Skipped"]),
        ("1..1\nBail out! no disk\n", &["s | (the program) | Error"]),
    ] {
        assert_eq!(told(&mut tap::Tap::new("s".to_owned()), output), expected, "{output}");
    }
}

#[test]
fn what_prove_prints_is_read_program_by_program() {
    let output = "t/a.t ....... \n1..1\nok 1 - fine\nok\nt/b.t .. \n1..2\nok 1\nnot ok 2\nFailed 1/2 subtests
t/c.t .. \n1..1\nok 1\nDubious, test returned 3 (wstat 768, 0x300)\nAll 1 subtests passed\nt/d.t .. skipped: no reason\n\nTest Summary Report\n";
    let expected = [
        "t/a.t | 1 - fine | Passed",
        "t/b.t | 1 | Passed",
        "t/b.t | 2 | Failed",
        "t/c.t | 1 | Passed",
        "t/c.t | (the program) | Error",
        "t/d.t | (the program) | Skipped",
    ];
    assert_eq!(told(&mut tap::Tap::of_prove(String::new()), output), expected);
}

#[test]
fn the_document_counts_what_is_in_it() {
    let case = |name: &str, verdict, text: &str| Case {
        class: "c<".to_owned(),
        name: name.to_owned(),
        verdict,
        text: text.to_owned(),
    };
    let cases = [
        case("a", Verdict::Passed, ""),
        case("b", Verdict::Failed, "first\nsecond \u{1}"),
        case("c", Verdict::Skipped, "why"),
    ];
    let times = [Some(Duration::from_millis(1500)), None, None];
    let xml = document("s", &cases, &times, Duration::from_secs(2));
    let document = roxmltree::Document::parse(&xml).expect("XML");
    let suite = document.root_element().first_element_child().expect("a suite");
    let counts =
        ["tests", "failures", "errors", "skipped", "time"].map(|name| suite.attribute(name));
    assert_eq!(counts, [Some("3"), Some("1"), Some("0"), Some("1"), Some("2.000")]);
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).expect("one");
    assert_eq!(failure.attribute("message"), Some("first"));
    assert_eq!(failure.text(), Some("first\nsecond \u{fffd}"));
}

#[test]
fn a_command_whose_tests_were_all_skipped_says_so_and_no_other_does() {
    use Verdict::{Expected, Failed, Passed, Skipped};

    let case =
        |verdict| Case { class: String::new(), name: String::new(), verdict, text: String::new() };
    let told = |code: i32, verdicts: &[Verdict]| {
        let cases: Vec<Case> = verdicts.iter().copied().map(case).collect();
        ended(ExitStatus::from_raw(code << 8), &cases, Some(77))
    };
    assert_eq!(told(0, &[Skipped, Skipped]), 77);
    assert_eq!(told(0, &[]), 0, "nobody knows");
    assert_eq!(told(0, &[Skipped, Passed]), 0);
    assert_eq!(told(0, &[Skipped, Expected]), 0, "it has run");
    assert_eq!(told(2, &[Skipped, Failed]), 2);
    assert_eq!(told(2, &[Skipped]), 2);
    assert_eq!(told(77, &[Failed]), 1, "77 is ours");
    assert_eq!(ended(ExitStatus::from_raw(77 << 8), &[], None), 77);
}

#[test]
fn junit_that_a_command_writes_itself_is_read() {
    use Verdict::{Error, Failed, Passed, Skipped};

    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("r.xml");
    let xml = r#"<testsuite><testcase name="a"/><testcase name="b"><skipped/></testcase>
        <testcase name="c"><failure/></testcase><testcase name="d"><error/></testcase>
        <testcase name="e" status="disabled"/></testsuite>"#;
    std::fs::write(&file, xml).expect("a file");
    let mut told = Vec::new();
    junit::Junit { file }.end(&mut told);
    let verdicts: Vec<_> = told.iter().map(|case| case.verdict).collect();
    assert_eq!(verdicts, [Passed, Skipped, Failed, Error, Skipped]);
    junit::Junit { file: directory.path().join("none") }.end(&mut told);
    assert_eq!(told.len(), 5);
}
