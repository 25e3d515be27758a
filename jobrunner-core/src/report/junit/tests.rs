use super::*;
use crate::report::{LONGEST_NAME, Summary};

fn read(document: impl AsRef<[u8]>) -> (Report, Option<String>) {
    let mut cases = Cases::default();
    let error = cases.read(document.as_ref()).err();
    (cases.into_report(error.clone()), error)
}

fn cases(document: impl AsRef<[u8]>) -> Vec<Case> {
    let (report, error) = read(document);
    assert_eq!(error, None);
    report.cases.to_vec()
}

fn message(document: impl AsRef<[u8]>) -> String {
    cases(document)[0].message.clone().expect("a message")
}

#[test]
fn what_pytest_writes_is_read() {
    let cases = cases(
        r#"<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite
        name="pytest" errors="0" failures="1" skipped="1" tests="3" time="0.035"
        hostname="h"><properties><property name="a" value="b"/></properties>
        <testcase classname="test_a" name="test_ok" time="0.001"><system-out>x</system-out></testcase>
        <testcase classname="test_a" name="test_no[&lt;1&gt;]" file="test_a.py" time="1.5"><failure
        message="assert 1 == 2&#10; +  where">def test():
&gt;   assert 1 == 2
E   assert 1 == 2</failure></testcase>
        <testcase classname="test_a" name="test_skip" time="0.000"><skipped type="pytest.skip"
        message="why">test_a.py:7: why</skipped></testcase></testsuite></testsuites>"#,
    );
    let told: Vec<_> = cases
        .iter()
        .map(|case| (case.status, &*case.class, case.name.as_str(), case.duration_ms))
        .collect();
    assert_eq!(
        told,
        [
            (CaseStatus::Failed, "test_a", "test_no[<1>]", Some(1500)),
            (CaseStatus::Skipped, "test_a", "test_skip", Some(0)),
            (CaseStatus::Passed, "test_a", "test_ok", Some(1)),
        ]
    );
    assert_eq!(cases[0].file.as_deref(), Some("test_a.py"));
    let message = cases[0].message.as_deref().expect("a message");
    assert!(message.starts_with("assert 1 == 2\n +  where\ndef test():\n>   assert"), "{message}");
    assert_eq!(cases[2].message, None);
}

#[test]
fn what_surefire_says_of_repetitions_is_read() {
    let cases = cases(
        r#"<testsuite name="com.example.T" time="1,234.5"><testcase name="a" time="1,234.5">
        <flakyFailure message="once" type="E"><stackTrace>at T</stackTrace></flakyFailure></testcase>
        <testcase name="b" classname="C"><failure type="java.lang.E"/><rerunFailure message="2"/>
        </testcase><testcase name="c"><error/><skipped/></testcase></testsuite>"#,
    );
    assert_eq!(cases[0].message.as_deref(), Some("java.lang.E"));
    assert_eq!((&*cases[0].class, cases[1].status), ("C", CaseStatus::Failed));
    let flaky = &cases[2];
    assert_eq!(
        (flaky.status, flaky.flaky, flaky.duration_ms),
        (CaseStatus::Passed, true, Some(1_234_500))
    );
    assert_eq!(flaky.message.as_deref(), Some("once\nat T"));
    assert_eq!(&*flaky.class, "com.example.T");
    let report = Report { cases: cases.into(), error: None };
    let counts = Summary { passed: 1, failed: 2, flaky: 1, ..Summary::default() };
    assert_eq!((report.summary(), counts.total()), (counts.clone(), 3));
}

#[test]
fn a_case_belongs_to_the_innermost_suite() {
    let cases = cases(
        "<testsuites><testsuite name='a' file='a.py'><testsuite name='b'><testcase name='x'/>\
         </testsuite><testcase/></testsuite><testsuite/></testsuites>",
    );
    let told: Vec<_> =
        cases.iter().map(|case| (&*case.class, &*case.name, case.file.as_deref())).collect();
    assert_eq!(told, [("b", "x", None), ("a", "(unnamed)", Some("a.py"))]);
}

#[test]
fn what_was_not_run_is_skipped() {
    let cases = cases(
        "<testsuite><testcase name='ctest' status='notrun'/><testcase name='google' result='suppressed'/>\
         <testcase name='ran' status='run' result='completed'/></testsuite>",
    );
    let skipped = cases.iter().filter(|case| case.status == CaseStatus::Skipped).count();
    assert_eq!((skipped, cases.len()), (2, 3));
}

#[test]
fn a_file_that_was_cut_gives_what_it_has() {
    let (report, error) = read("<testsuite><testcase name='a'/><testcase name='b'><failure>x");
    assert_eq!(report.cases.len(), 1);
    assert!(error.expect("an error").starts_with("ends in the middle"));
    let (report, error) = read("<testsuite><testcase name='a'/></testsuites>");
    assert_eq!(report.cases.len(), 1);
    assert!(error.expect("an error").starts_with("is not well-formed at byte "));
}

#[test]
fn what_is_no_junit_is_told() {
    let (_, error) = read("<html><body>Not found</body></html>");
    assert_eq!(
        error.expect("an error"),
        "is no JUnit: it begins with <html> and not with <testsuites>"
    );
    for nothing in ["", "  \n", "no XML at all"] {
        let (report, error) = read(nothing);
        assert!(report.cases.is_empty());
        assert_eq!(error.as_deref(), Some("has no test suite in it"), "{nothing:?}");
    }
    let (_, error) = read("<?xml version='1.0' encoding='klingon'?><testsuite/>");
    assert_eq!(error.expect("an error"), "cannot be read: unknown encoding \"klingon\"");
}

#[test]
fn entities_stand_for_nothing() {
    let lol = |n: u32| format!("<!ENTITY lol{n} \"{}\">", format!("&lol{};", n - 1).repeat(10));
    let bomb: String = (1..10).map(lol).collect();
    let document = format!(
        "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY lol0 \"lol\">{bomb}\
         <!ENTITY file SYSTEM \"file:///etc/passwd\"><!ENTITY % p SYSTEM \"http://127.0.0.1/\">%p;]>\
         <testsuite><testcase name='&lol9;&file;' classname='&lt;c&#x41;'><failure message='&lol9;'>\
         &lol9; &file; &amp;&quot;&#65;&#0;</failure></testcase></testsuite>"
    );
    let cases = cases(document);
    assert_eq!(cases[0].name, "&lol9;&file;");
    assert_eq!(&*cases[0].class, "<cA");
    assert_eq!(cases[0].message.as_deref(), Some("&lol9; &file; &\"A&#0;"));
}

#[test]
fn long_messages_and_names_are_cut() {
    let long = "x".repeat(1_000_000);
    let document = format!(
        "<testsuite><testcase name='{long}'><failure message='{long}'>{long}</failure></testcase></testsuite>"
    );
    let case = cases(&document).remove(0);
    assert!(case.name.len() <= LONGEST_NAME);
    let message = case.message.expect("a message");
    assert!(message.len() <= LONGEST_MESSAGE && message.ends_with("x…"));
    let text =
        format!("<testsuite><testcase><error><![CDATA[{long}]]></error></testcase></testsuite>");
    assert_eq!(message.len(), self::message(text).len());
}

#[test]
fn messages_have_room_for_so_much_together() {
    let of_one = "y".repeat(LONGEST_MESSAGE);
    let one = format!("<testcase><failure>{of_one}</failure></testcase>");
    let many = MOST_MESSAGES / LONGEST_MESSAGE + 10;
    let cases = cases(format!("<testsuite>{}</testsuite>", one.repeat(many)));
    let kept: usize = cases.iter().filter_map(|case| case.message.as_ref()).map(String::len).sum();
    assert!(kept < MOST_MESSAGES + 100, "{kept}");
    assert_eq!(cases.last().and_then(|case| case.message.as_deref()), Some("…"));
}

#[test]
fn no_more_cases_are_kept_than_there_may_be() {
    let document =
        format!("<testsuite>{}</testsuite>", "<testcase name='a'/>".repeat(MOST_CASES + 1));
    let (report, error) = read(document);
    assert_eq!(report.cases.len(), MOST_CASES);
    assert!(error.expect("an error").contains("100000"));
}

#[test]
fn deep_nesting_and_many_attributes_cost_little() {
    let (_, error) = read("<testsuite>".repeat(100_000));
    assert!(error.expect("an error").contains("64 deep"));
    let attributes: String = (0..100_000).map(|n| format!(" a{n}='x'")).collect();
    assert_eq!(cases(format!("<testsuite><testcase name='a'{attributes}/></testsuite>")).len(), 1);
}

#[test]
fn controls_are_made_visible() {
    let case = "<testsuite><testcase name='a\u{0}b\nc'><failure>\u{0}\u{1b}[31mred\u{7}</failure></testcase></testsuite>";
    assert_eq!(cases(case)[0].name, "a b c");
    assert_eq!(message(case), "\u{fffd}\u{fffd}[31mred\u{fffd}");
}

mod any {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of documents, put together in any way.
    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = proptest::sample::select(vec![
            &b"<testsuites>"[..],
            b"</testsuites>",
            b"<testsuite name='s'>",
            b"</testsuite>",
            b"<testcase name='a' time='1e999'>",
            b"<testcase/>",
            b"</testcase>",
            b"<failure message=\"&",
            b"<failure>",
            b"</failure>",
            b"<skipped/>",
            b"<![CDATA[",
            b"]]>",
            b"<!--",
            b"-->",
            b"<?xml encoding='UTF-16'?>",
            b"&#xD800;",
            b"&lt;",
            b"&",
            b"<",
            b">",
            b"'",
            b"\"",
            b"\xff\xfe",
            b"\xe4",
            b"\0",
            b"text",
            b"=",
            b" ",
            b"<!DOCTYPE a [",
            b"]>",
            b"<!ENTITY a 'b'>",
        ]);
        let piece = prop_oneof![
            8 => piece.prop_map(<[u8]>::to_vec),
            1 => proptest::collection::vec(any::<u8>(), 0..20),
        ];
        proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    fn escaped(text: &str) -> String {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
    }

    proptest! {
        #[test]
        fn whatever_a_file_holds_it_is_read_or_refused(document in pieces()) {
            let (report, error) = read(&document);
            prop_assert!(error.is_none_or(|error| error.len() < 400));
            for case in &*report.cases {
                prop_assert!(!case.name.is_empty() && !case.name.contains(char::is_control));
                prop_assert!(case.message.as_ref().is_none_or(|message| !message.contains('\0')));
            }
        }

        #[test]
        fn what_was_written_is_read(
            names in proptest::collection::vec("[ -~äλ€🦀]{1,20}", 1..20),
            message in "[!-~äλ€🦀]{1,50}",
        ) {
            let mut document = String::from("<testsuite>");
            for name in &names {
                document += &format!("<testcase name=\"{}\"><failure>{}</failure></testcase>",
                    escaped(name), escaped(&message));
            }
            let cases = cases(document + "</testsuite>");
            for (case, name) in cases.iter().zip(&names) {
                let expected = if name.trim().is_empty() { "(unnamed)" } else { name.trim() };
                prop_assert_eq!(case.name.as_str(), expected);
                prop_assert_eq!(case.message.as_deref(), Some(message.as_str()));
            }
            prop_assert_eq!(cases.len(), names.len());
        }
    }
}
