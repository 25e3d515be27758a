use std::time::Duration;

use jobrunner_core::config::Settings;

use super::*;

fn expanded_in(base: &Path, yaml: &str, set: &[(&str, &str)]) -> Result<Vec<NewJob>, String> {
    let suite = Suite::parse(yaml, "suite.yaml".as_ref(), Some(base.to_owned()));
    let suite = suite.map_err(|failure| failure.to_string())?;
    let set: Vec<_> = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let settings = Settings::from_vars(|_| None).expect("settings");
    let rules = Rules { max_timeout: Duration::from_secs(60), ..settings.rules() };
    expand(&suite, &set, Some(&rules)).map(|(_, jobs)| jobs).map_err(|wrong| wrong.join("\n"))
}

fn expanded(yaml: &str, set: &[(&str, &str)]) -> Result<Vec<NewJob>, String> {
    expanded_in(Path::new("/base"), yaml, set)
}

fn refused(yaml: &str, set: &[(&str, &str)]) -> String {
    expanded(yaml, set).expect_err(yaml)
}

fn one(job: &str) -> String {
    format!("name: s\njobs:\n  - {job}\n")
}

#[test]
fn a_matrix_makes_every_combination_in_order() {
    let yaml = "
name: s
jobs:
  - name: t ${n} ${word}
    command: [echo, '${n}', '${word}']
    matrix: {n: [1, 2], word: [a, true]}
";
    let jobs = expanded(yaml, &[]).expect("expanded");
    let names: Vec<_> = jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["t 1 a", "t 1 true", "t 2 a", "t 2 true"]);
    assert_eq!(jobs[3].command, ["echo", "2", "true"]);
}

#[test]
fn defaults_hold_where_a_job_does_not_say_otherwise() {
    let yaml = "
name: s
vars: {level: 1}
defaults:
  {timeout_seconds: 5, priority: 7, env: {A: 'a${level}', B: b}, working_dir: sub, inputs: [/a]}
jobs:
  - {name: one, shell: 'echo $HOME', env: {B: 2}, timeout_seconds: 9, inputs: [/b, /c]}
  - {name: two, command: ['true'], working_dir: /abs, priority: , inputs: []}
";
    let jobs = expanded(yaml, &[("level", "3")]).expect("expanded");
    assert_eq!(jobs[0].command, ["/bin/sh", "-c", "echo $HOME"]);
    assert_eq!(jobs[0].env["A"], "a3");
    assert_eq!((jobs[0].env["B"].as_str(), jobs[1].env["B"].as_str()), ("2", "b"));
    assert_eq!((jobs[0].timeout_seconds, jobs[1].timeout_seconds), (Some(9), Some(5)));
    assert_eq!(jobs[0].working_dir.as_deref(), Some("/base/sub"));
    assert_eq!(jobs[1].working_dir.as_deref(), Some("/abs"));
    assert_eq!((jobs[0].inputs.len(), jobs[1].inputs.len()), (2, 1));
    assert_eq!(jobs[1].priority, Some(7));
}

#[test]
fn variables_are_filled_in_in_every_field() {
    let yaml = "
name: s ${n}
parameters: {n: 3, t: {type: number, default: 1.5}, q: ''}
vars: {twice: '${n}${n}', text: 'v${twice}'}
payload: {of: batch}
defaults:
  retry: {on: ['${n}', signal], delay_seconds: '${n}', backoff: '${t}'}
  silence_seconds: ${n}
jobs:
  - name: j ${i}
    command: ['${text}', '${i}']
    working_dir: d/${i}
    env: {E: '${twice}'}
    queue: ${q}
    priority: ${i}
    timeout_seconds: ${n}${i}
    max_attempts: ${n}
    inputs: ['/in/${i}']
    max_output_bytes: ${twice}
    max_memory_mb: ${twice}
    max_open_files: ${twice}
    max_cpu_seconds: ${twice}
    skip_exit_codes: [77, '${twice}']
    payload:
      number: ${n}
      text: \"${n}\"
      list: [{deep: 'x${i}'}, 7]
      half: ${t}
    matrix: {i: [4]}
";
    let job = expanded(yaml, &[]).expect("expanded").remove(0);
    let retry = job.retry.expect("a retry");
    assert_eq!((retry.delay_seconds, retry.backoff, retry.on.len()), (3, 1.5, 2));
    assert_eq!(
        (job.silence_seconds, job.priority, job.timeout_seconds),
        (Some(3), Some(4), Some(34))
    );
    assert_eq!((job.name.as_str(), job.command[0].as_str()), ("j 4", "v33"));
    assert_eq!(job.working_dir.as_deref(), Some("/base/d/4"));
    assert_eq!((job.env["E"].as_str(), job.queue, job.inputs[0].as_str()), ("33", None, "/in/4"));
    let limits = [job.max_output_bytes, job.max_memory_mb, job.max_open_files, job.max_cpu_seconds];
    assert_eq!((limits, job.max_attempts), ([Some(33); 4], Some(3)));
    assert_eq!(job.skip_exit_codes, [77, 33]);
    let expected = serde_json::json!(
        {"number": 3, "text": "3", "list": [{"deep": "x4"}, 7], "half": 1.5});
    assert_eq!(serde_json::Value::Object(job.payload), expected);
}

#[test]
fn parameters_are_checked_by_their_types_and_choices() {
    let yaml = |parameter: &str| {
        format!("name: s\nparameters: {{p: {parameter}}}\njobs: [{{name: 'p=${{p}}', shell: x}}]\n")
    };
    for (parameter, set, name) in [
        ("no", &[][..], "p=no"),
        ("{default: 010, type: integer}", &[], "p=010"),
        ("{type: integer}", &[("p", "-5")], "p=-5"),
        ("{type: integer}", &[("p", "5"), ("p", "6")], "p=6"),
        ("{type: number, default: 1}", &[("p", "1e3")], "p=1e3"),
        ("{type: boolean, default: false}", &[("p", "true")], "p=true"),
        ("{choices: [a, b], default: a}", &[("p", "b")], "p=b"),
        ("{choices: [1, 2], type: integer, description: d}", &[("p", "1")], "p=1"),
        ("x", &[("p", "${not} filled")], "p=${not} filled"),
    ] {
        assert_eq!(expanded(&yaml(parameter), set).expect(parameter)[0].name, name);
    }
    for (parameter, set, why) in [
        ("{type: integer}", &[][..], "has no default; give it a value: --set p=…"),
        ("{choices: [a, b]}", &[], "one of a, b: --set p=…"),
        ("{choices: [a, b]}", &[("p", "c")], "is none of its choices: a, b"),
        (
            "{type: integer, default: 1}",
            &[("p", "1.5")],
            "is set to \"1.5\", which is no whole number",
        ),
        ("{type: number}", &[("p", "many")], "no number"),
        ("{type: boolean}", &[("p", "yes")], "no boolean"),
        ("{type: integer, default: x}", &[], "has a default that is no whole number"),
        ("{choices: [a], default: b}", &[], "has a default that is none of its choices"),
        ("{kind: integer}", &[], "unknown field \"kind\""),
        ("{type: int}", &[], "must be one of string, integer"),
        ("[a]", &[], "must be text"),
        ("x", &[("q", "1")], "no parameter or variable \"q\" to set (it has: p)"),
    ] {
        let said = refused(&yaml(parameter), set);
        assert!(said.contains(why) && said.starts_with("suite.yaml:"), "{said}");
    }
}

#[test]
fn variables_may_use_one_another_but_not_themselves() {
    let yaml =
        "name: s\nvars: {a: '${b}!', b: '${c}${c}', c: x}\njobs: [{name: '${a}', shell: x}]\n";
    assert_eq!(expanded(yaml, &[]).expect("expanded")[0].name, "xx!");
    assert_eq!(expanded(yaml, &[("b", "${b}")]).expect("expanded")[0].name, "${b}!");
    let circle = "name: s\nvars: {a: '${b}', b: '${a}'}\njobs: [{name: x, shell: x}]\n";
    assert!(refused(circle, &[]).contains("vars.a uses itself: a uses b uses a"));
    let both = "name: s\nparameters: {a: 1}\nvars: {a: 2}\njobs: [{name: x, shell: x}]\n";
    assert!(refused(both, &[]).contains("is a variable, too"));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let cases = [
        (one("{name: a, command: ['${x}']}"), "jobs[0] (a) uses the unknown variable \"x\""),
        (one("{name: a}"), "needs a command"),
        (one("{shell: a}"), "needs the field name"),
        (one("{name: a, shell: x, command: [y]}"), "both"),
        (one("{name: a, shell: x, matrix: {n: []}}"), "empty matrix.n"),
        (one("{name: a, shell: x, matrix: {n: [1, 1]}}"), "the value \"1\" twice in matrix.n"),
        ("name: s\njobs: []\n".to_owned(), "at least one"),
        (one("{name: a, shell: x, colour: red}"), "colour"),
        ("version: 2\nname: s\njobs: []\n".to_owned(), "version is 2; this program reads"),
    ];
    for (yaml, expected) in cases {
        let message = refused(&yaml, &[]);
        assert!(message.contains(expected), "{message}");
    }
    assert!(refused(&one("{name: a, shell: x}"), &[("v", "1")]).contains("variable \"v\" to set"));
}

#[test]
fn every_rule_of_the_service_is_checked_at_the_place_of_the_field() {
    for (job, expected) in [
        ("{name: a, shell: x, priority: 11}", "3:35: jobs[0] (a).priority must be 0 to 10"),
        ("{name: a, shell: x, queue: a b}", "3:32: jobs[0] (a).queue must have 1 to 64"),
        (
            "{name: a, shell: x, env: {B: c, LD_PRELOAD: d}}",
            "3:49: jobs[0] (a).env.LD_PRELOAD may not",
        ),
        ("{name: a, shell: x, env: {JOBRUNNER_JOB_ID: d}}", "env.JOBRUNNER_JOB_ID may not be set"),
        ("{name: a, command: []}", "3:24: jobs[0] (a).command must name a program"),
        ("{name: a, shell: x, inputs: [/a, b]}", "3:38: jobs[0] (a).inputs[1]"),
        ("{name: '', shell: x}", "jobs[0] ().name"),
        ("{name: a, shell: x, timeout_seconds: 0}", "timeout_seconds must be 1 or more"),
        ("{name: a, shell: x, max_attempts: 0}", "max_attempts must be 1 to 100"),
        (
            "{name: a, shell: x, retry: {delay_seconds: 9999}}",
            "retry.delay_seconds must be 0 to 3600",
        ),
        ("{name: a, shell: \"a\\0b\"}", "3:22: jobs[0] (a).shell must not contain a NUL"),
        ("{name: a, shell: x, working_dir: ../x}", "working_dir"),
        ("{name: a, shell: x, max_open_files: 1}", "max_open_files must be 16 or more"),
    ] {
        let said = refused(&one(job), &[]);
        assert!(said.contains(expected) && said.lines().count() == 1, "{job}: {said}");
    }
    let default = "name: s\ndefaults: {priority: 11}\njobs: [{name: a, shell: x}]\n";
    assert!(refused(default, &[]).contains("suite.yaml:2:22: jobs[0] (a).priority must be"));
    let name = "name: \"a\\nb\"\njobs: [{name: a, shell: x}]\n";
    assert!(refused(name, &[]).starts_with("suite.yaml:1:7: name"), "{}", refused(name, &[]));
    let several = "name: s\njobs:\n  - {name: a, shell: x, priority: 11, queue: a b}
  - {name: b}\n  - {nam: c}\n";
    assert_eq!(refused(several, &[]).lines().count(), 4, "{}", refused(several, &[]));
    // Lowered by the service, which says so; not wrong.
    let long = expanded(&one("{name: a, shell: x, timeout_seconds: 9999}"), &[]);
    assert_eq!(long.expect("expanded")[0].timeout_seconds, Some(9999));
}

#[test]
fn included_suites_are_expanded_where_they_lie_with_what_they_are_given() {
    let directory = tempfile::tempdir().expect("a directory");
    let base = directory.path().canonicalize().expect("a path");
    std::fs::create_dir(base.join("sub")).expect("a directory");
    let write = |file: &str, text: &str| std::fs::write(base.join(file), text).expect("a file");
    write(
        "sub/a.yaml",
        "name: a\nparameters: {p: 1, q: 1}\ndefaults: {priority: 9}
include: [../b.yaml]\njobs: [{name: 'a ${p}${q}', shell: x}]\n",
    );
    write("b.yaml", "name: b\nparameters: {p: 0}\njobs: [{name: 'b ${p}', shell: x}]\n");
    let yaml =
        "name: s\nvars: {v: 7}\ninclude:\n  - {suite: sub/a.yaml, set: {p: '${v}'}}\n  - b.yaml
jobs: [{name: own, shell: x}]\n";
    let jobs = expanded_in(&base, yaml, &[("q", "5")]).expect("expanded");
    let names: Vec<_> = jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["b 0", "a 75", "b 0", "own"]);
    assert_eq!((jobs[1].priority, jobs[3].priority), (Some(9), None));
    assert_eq!(jobs[1].working_dir, base.join("sub").to_str().map(str::to_owned));
    let only = "name: s\ninclude: b.yaml\n";
    assert_eq!(expanded_in(&base, only, &[("p", "4")]).expect("expanded")[0].name, "b 4");

    write("loop.yaml", "name: l\ninclude: [loop2.yaml]\n");
    write("loop2.yaml", "name: l\ninclude: [loop.yaml]\n");
    write("bad.yaml", "name: l\njobs: [{name: a, shell: x, priority: 12}]\n");
    for (include, set, why) in [
        ("loop.yaml", &[][..], "includes itself"),
        ("bad.yaml", &[], "bad.yaml:2:38: jobs[0] (a).priority must be 0 to 10"),
        ("missing.yaml", &[], "cannot be read"),
        ("{suite: b.yaml, set: {z: 1}}", &[], "sets \"z\", which"),
        ("{suite: b.yaml, set: {p: 1}}", &[("p", "2")], "no parameter or variable \"p\" to set"),
        ("b.yaml", &[("r", "2")], "no parameter or variable \"r\" to set (it has: p)"),
    ] {
        let said = expanded_in(&base, &format!("name: s\ninclude: [{include}]\n"), set);
        let said = said.expect_err(include);
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn suites_that_include_one_another_without_end_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let base = directory.path().canonicalize().expect("a path");
    for level in 0..30 {
        let next = level + 1;
        let text = format!("name: s\ninclude: [{next}.yaml, {next}.yaml]\n");
        std::fs::write(base.join(format!("{level}.yaml")), text).expect("a file");
    }
    std::fs::write(base.join("30.yaml"), "name: s\njobs: [{name: j, shell: x}]\n").expect("a file");
    let said = expanded_in(&base, "name: s\ninclude: 0.yaml\n", &[]).expect_err("refused");
    assert!(said.contains("is more than 1000 suites"), "{said}");
}
