//! What a suite takes as it is written, and what it says of what it cannot take.

use serde_json::{Value, json};

use super::*;

fn expanded(yaml: &str) -> (NewBatch, Vec<NewJob>) {
    let suite = Suite::parse(yaml, "s.yaml".as_ref(), Some("/base".into()));
    suite.expect("a suite").expand(&[]).expect("expanded")
}

fn refusal(yaml: &str) -> String {
    match Suite::parse(yaml, "s.yaml".as_ref(), None) {
        Err(failure) => failure.to_string(),
        Ok(suite) => suite.expand(&[]).expect_err("refused").to_string(),
    }
}

/// The last line of a suite that has a job.
const JOB: &str = "jobs: [{name: j, shell: x}]\n";

/// Spellings that parsers of YAML are known to rewrite.
const SPELLINGS: [&str; 40] = [
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "Yes",
    "NO",
    "true",
    "True",
    "FALSE",
    "null",
    "Null",
    "~",
    "3.10",
    "3.0",
    "1.1",
    "1.10",
    "0644",
    "0o17",
    "0x1F",
    "0b11",
    "1e3",
    "1E+3",
    ".5",
    "5.",
    "+5",
    "-0",
    "00",
    "1_000",
    "12:30:45",
    "2026-11-27",
    "2026-11-27T10:00:00Z",
    ".inf",
    "-.INF",
    ".nan",
    "18446744073709551615",
    "18446744073709551616",
    "9007199254740993.0",
    "=",
];

#[test]
fn every_text_is_taken_as_it_is_written() {
    for text in SPELLINGS {
        let yaml = format!(
            "
name: {text}
description: {text}
vars: {{v: {text}}}
defaults: {{env: {{D: {text}, {text}: x}}}}
jobs:
  - name: {text}
    command: [{text}, '${{v}}', '${{m}}', \"{text}\"]
    matrix: {{m: [{text}, other]}}
    env: {{E: {text}}}
    queue: {text}
    working_dir: {text}
    inputs: [{text}]
  - name: x
    shell: {text}
"
        );
        let (batch, jobs) = expanded(&yaml);
        assert_eq!((batch.name.as_str(), batch.description.as_deref()), (text, Some(text)));
        let job = &jobs[0];
        assert_eq!(job.command, [text; 4], "{text}");
        assert_eq!((job.name.as_str(), job.queue.as_deref()), (text, Some(text)));
        assert_eq!((job.env["D"].as_str(), job.env["E"].as_str()), (text, text));
        assert_eq!(job.env[text], "x");
        assert_eq!(job.inputs, [text]);
        assert_eq!(job.working_dir, Some(format!("/base/{text}")));
        assert_eq!(jobs[2].command, ["/bin/sh", "-c", text]);
    }
}

#[test]
fn values_of_an_axis_that_are_spelled_differently_are_different() {
    let (_, jobs) = expanded(
        "
name: s
jobs: [{name: '${a}', shell: x, matrix: {a: [n, no, N, 1.1, 1.10, 1, 01, 1.0, 0x1, true, yes, '~', null]}}]
",
    );
    let names: Vec<_> = jobs.iter().map(|job| job.name.as_str()).collect();
    let written = "n no N 1.1 1.10 1 01 1.0 0x1 true yes ~ null";
    assert_eq!(names.join(" "), written);
}

#[test]
fn a_payload_has_the_types_of_the_core_schema_and_is_never_rounded() {
    let (batch, _) = expanded(
        "
name: s
payload:
  words: [yes, no, on, off, n, 1_000, 2026-11-27, 0b11, inf, nan, '5', !!str 7]
  others: [true, False, null, ~, 0644, 0x1F, 0o17, -3, 3.10, 1e3, !!int '8']
  large: [18446744073709551615, -9223372036854775808]
  yes: {no: {null: x}}
  nothing:
jobs: [{name: j, shell: x}]
",
    );
    let expected = json!({
        "words": ["yes", "no", "on", "off", "n", "1_000", "2026-11-27", "0b11", "inf", "nan", "5", "7"],
        "others": [true, false, null, null, 644, 31, 15, -3, 3.1, 1000.0, 8],
        "large": [u64::MAX, i64::MIN],
        "yes": {"no": {"null": "x"}},
        "nothing": null,
    });
    assert_eq!(Value::Object(batch.payload), expected);
    for number in
        ["18446744073709551616", "-9223372036854775809", "3.14159265358979323846", "1e999"]
    {
        let message = refusal(&format!("name: s\npayload: {{a: [{number}]}}\n{JOB}"));
        let expected = format!(
            "s.yaml:2:15: payload.a[0] is the number {number}, which would be rounded; write it in quotes"
        );
        assert_eq!(message, expected);
    }
}

#[test]
fn what_is_wrong_is_said_on_one_line_with_its_place() {
    let cases = [
        ("", "s.yaml:1:1: is empty"),
        ("name: s\n", "s.yaml:1:1: needs the field jobs"),
        ("name: [a]\njobs: []\n", "s.yaml:1:7: name must be text, not a list"),
        ("name: s\njobs: x\n", "s.yaml:2:7: jobs must be a list, not \"x\""),
        ("- a\n", "s.yaml:1:1: must be a map, not a list"),
        ("name: s\nvars: {a: {b: c}}\njobs: []\n", "s.yaml:2:11: vars.a must be text, not a map"),
        (
            "name: s\njobs:\n  - name: a\n    priority: high\n",
            "s.yaml:4:15: jobs[0].priority must be a whole number from 0 to 255, not \"high\"",
        ),
        (
            "name: s\ndefaults: {timeout_seconds: 1.5}\n",
            "s.yaml:2:29: defaults.timeout_seconds must be a whole number from 0 to \
             18446744073709551615, not \"1.5\"",
        ),
        (
            "name: s\ndefaults: {retry: {backoff: .inf}}\n",
            "s.yaml:2:29: defaults.retry.backoff must be a number, not \".inf\"",
        ),
        (
            "name: s\ndefaults: {retry: {on: [75, [1]]}}\n",
            "s.yaml:2:29: defaults.retry.on[1] must be an exit code, 1 to 255, or one of signal, \
             timeout, silent",
        ),
        (
            "name: s\njbos: []\n",
            "s.yaml:2:1: has the unknown field \"jbos\"; did you mean \"jobs\"?",
        ),
        (
            "name: s\ndefaults: {queu: q}\njobs: []\n",
            "s.yaml:2:12: defaults has the unknown field \"queu\"; did you mean \"queue\"?",
        ),
        (
            "name: s\njobs:\n  - name: a\n    shell: x\n    timeout: 5\n",
            "s.yaml:5:5: jobs[0] has the unknown field \"timeout\"; did you mean \"timeout_seconds\"?",
        ),
        (
            "name: s\njobs:\n  - {name: a, shell: x, retry: {delay: 5}}\n",
            "s.yaml:3:33: jobs[0].retry has the unknown field \"delay\"; did you mean \
             \"delay_seconds\"?",
        ),
        (
            "name: s\nparameters: {p: {chioces: [a]}}\njobs: [{name: a, shell: x}]\n",
            "s.yaml:2:18: parameters.p has the unknown field \"chioces\"; did you mean \"choices\"?",
        ),
        (
            "name: s\nvars: {seed: 1}\njobs:\n  - {name: a, shell: '${sead}'}\n",
            "s.yaml:4:22: jobs[0] (a) uses the unknown variable \"sead\"; did you mean \"seed\"? \
             (known: seed; write $${ for a shell variable)",
        ),
        ("name: s\nname: t\n", "s.yaml:2:1: has \"name\" twice, first in line 1"),
        ("name: !secret s\n", "s.yaml:1:15: has the tag !secret, which means nothing here"),
        ("name: s\n---\nname: t\n", "s.yaml:2:1: holds a second document; a suite is one"),
        ("name: &a [*a]\n", "s.yaml:1:11: is an alias for what it is a part of"),
        (
            "name: s\njobs:\n  - {name: a, shell: '${x}'}\n",
            "s.yaml:3:22: jobs[0] (a) uses the unknown variable \"x\" (known: none; write $${ for a \
             shell variable)",
        ),
    ];
    for (yaml, expected) in cases {
        assert_eq!(refusal(yaml), expected, "{yaml}");
    }
    for yaml in ["name: s\njobs: [\n", "name: 'a\n", "a: b: c\n", "\tname: s\n", "name: *x\n"] {
        let message = refusal(yaml);
        assert!(message.starts_with("s.yaml:") && message.lines().count() == 1, "{message}");
    }
}

#[test]
fn a_text_that_is_left_out_is_none_and_a_tilde_is_one() {
    let (batch, jobs) = expanded(
        "
name: s
description:
payload: {nothing: , tilde: ~}
jobs:
  - {name: a, shell: x, queue: }
  - {name: b, shell: x, queue: ~, working_dir: ~}
  - name: c
    shell: x
    env:
    queue:
",
    );
    assert_eq!(batch.description, None);
    assert_eq!(Value::Object(batch.payload), json!({"nothing": null, "tilde": null}));
    let queues: Vec<_> = jobs.iter().map(|job| job.queue.as_deref()).collect();
    assert_eq!(queues, [None, Some("~"), None]);
    assert_eq!(jobs[1].working_dir.as_deref(), Some("/base/~"));
}

#[test]
fn aliases_and_merged_maps_stand_for_what_they_name() {
    let (_, jobs) = expanded(
        "
name: s
defaults: {env: &env {A: on, B: off}}
jobs:
  - &job {name: one, command: &c [echo, no], env: {<<: *env, B: 007}}
  - {<<: *job, name: two}
  - {<<: [{name: three, queue: q}, *job]}
",
    );
    assert_eq!((jobs[0].env["A"].as_str(), jobs[0].env["B"].as_str()), ("on", "007"));
    assert_eq!((jobs[1].name.as_str(), &jobs[1].command), ("two", &jobs[0].command));
    assert_eq!((jobs[2].name.as_str(), jobs[2].queue.as_deref()), ("three", Some("q")));
}

#[test]
fn documents_made_to_exhaust_the_reader_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let before = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", [before.as_str(); 10].join(", "));
    }
    assert!(refusal(&bomb).contains("values"), "{}", refusal(&bomb));
    let deep = format!("name: {}", "[".repeat(200_000));
    assert!(refusal(&deep).contains("recursion limit"), "{}", refusal(&deep));
    // As deep by aliases as no document is by itself.
    let mut deep = "a0: &a0 [x]\n".to_owned();
    for level in 1..200 {
        deep += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
    }
    assert!(refusal(&deep).contains("deeper"), "{}", refusal(&deep));
}
