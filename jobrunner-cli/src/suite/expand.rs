use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use jobrunner_core::{NewBatch, NewJob, batch::MAX_JOBS};

use super::{
    Defaults, JobTemplate, Suite,
    template::fill,
    yaml::{Placed, Wrong},
};

type Vars = BTreeMap<String, String>;

pub(super) fn expand(
    suite: &Suite,
    set: &[(String, String)],
    base: Option<&Path>,
) -> Result<(NewBatch, Vec<NewJob>), Wrong> {
    let vars = variables(suite, set).map_err(Wrong::new)?;
    let filled = |field: &'static str, text: &Placed<String>| {
        let filled = fill(&text.value, &vars);
        filled.map_err(|message| Wrong::new(message).within(field).at(text.place))
    };
    let description = suite.description.as_ref();
    let batch = NewBatch {
        name: filled("name", &suite.name)?,
        description: description.map(|text| filled("description", text)).transpose()?,
        payload: suite.payload.clone(),
    };
    let mut jobs = Vec::new();
    for (index, Placed { value: template, place }) in suite.jobs.iter().enumerate() {
        let wrong = |message: String| {
            Wrong::new(message).within(format!("jobs[{index}] ({})", template.name)).at(*place)
        };
        let cells = cells(template, &vars).map_err(wrong)?;
        if jobs.len() + cells.len() > MAX_JOBS {
            return Err(wrong(format!("makes more than {MAX_JOBS} jobs")));
        }
        for cell in cells {
            jobs.push(job(template, &suite.defaults, &cell, base).map_err(wrong)?);
        }
    }
    if jobs.is_empty() {
        return Err(Wrong::new("must have at least one member").within("jobs"));
    }
    Ok((batch, jobs))
}

fn variables(suite: &Suite, set: &[(String, String)]) -> Result<Vars, String> {
    let mut vars = suite.vars.clone();
    for (name, value) in set {
        if vars.insert(name.clone(), value.clone()).is_none() {
            let known: Vec<&str> = suite.vars.keys().map(String::as_str).collect();
            return Err(format!("has no variable {name:?} to set (it has: {})", known.join(", ")));
        }
    }
    Ok(vars)
}

/// The variables of each combination of the matrix; the axes vary in the order of their names, the
/// last one fastest.
fn cells(template: &JobTemplate, vars: &Vars) -> Result<Vec<Vars>, String> {
    let mut cells = vec![vars.clone()];
    for (axis, values) in &template.matrix {
        if values.is_empty() {
            return Err(format!("has an empty matrix.{axis}"));
        }
        if vars.contains_key(axis) {
            return Err(format!("has matrix.{axis}, which is a variable, too"));
        }
        let mut distinct = BTreeSet::new();
        if let Some(twice) = values.iter().find(|value| !distinct.insert(*value)) {
            return Err(format!("has the value {twice:?} twice in matrix.{axis}"));
        }
        if cells.len().saturating_mul(values.len()) > MAX_JOBS {
            return Err(format!("makes more than {MAX_JOBS} jobs"));
        }
        let with = |cell: &Vars, value: &String| {
            let mut cell = cell.clone();
            cell.insert(axis.clone(), value.clone());
            cell
        };
        cells = cells.iter().flat_map(|cell| values.iter().map(|v| with(cell, v))).collect();
    }
    Ok(cells)
}

fn job(
    template: &JobTemplate,
    defaults: &Defaults,
    vars: &Vars,
    base: Option<&Path>,
) -> Result<NewJob, String> {
    let filled = |texts: &[String]| -> Result<Vec<String>, String> {
        texts.iter().map(|text| fill(text, vars)).collect()
    };
    let mut env = BTreeMap::new();
    for (name, value) in defaults.env.iter().chain(&template.env) {
        env.insert(name.clone(), fill(value, vars)?);
    }
    let directory = template.working_dir.as_ref().or(defaults.working_dir.as_ref());
    let directory = directory.map(|text| fill(text, vars)).transpose()?;
    let inputs = if template.inputs.is_empty() { &defaults.inputs } else { &template.inputs };
    Ok(NewJob {
        name: fill(&template.name, vars)?,
        command: command(template, vars)?,
        working_dir: working_dir(directory, base)?,
        env,
        payload: template.payload.clone(),
        queue: template.queue.clone().or_else(|| defaults.queue.clone()),
        priority: template.priority.or(defaults.priority),
        timeout_seconds: template.timeout_seconds.or(defaults.timeout_seconds),
        scheduled_at: None,
        max_attempts: template.max_attempts.or(defaults.max_attempts),
        retry: template.retry.clone().or_else(|| defaults.retry.clone()),
        silence_seconds: template.silence_seconds.or(defaults.silence_seconds),
        max_output_bytes: template.max_output_bytes.or(defaults.max_output_bytes),
        max_memory_mb: template.max_memory_mb.or(defaults.max_memory_mb),
        max_open_files: template.max_open_files.or(defaults.max_open_files),
        max_cpu_seconds: template.max_cpu_seconds.or(defaults.max_cpu_seconds),
        inputs: filled(inputs)?,
    })
}

fn command(template: &JobTemplate, vars: &Vars) -> Result<Vec<String>, String> {
    match (&template.command, &template.shell) {
        (Some(command), None) => command.iter().map(|part| fill(part, vars)).collect(),
        (None, Some(script)) => {
            Ok(vec!["/bin/sh".to_owned(), "-c".to_owned(), fill(script, vars)?])
        }
        (Some(_), Some(_)) => Err("has both a command and a shell; keep one".to_owned()),
        (None, None) => Err("needs a command: [PROGRAM, ARGUMENT…] or a shell: SCRIPT".to_owned()),
    }
}

fn working_dir(directory: Option<String>, base: Option<&Path>) -> Result<Option<String>, String> {
    let Some(base) = base else {
        return match directory {
            Some(relative) if !relative.starts_with('/') => Err(format!(
                "has the relative working_dir {relative:?}; a server needs an absolute one"
            )),
            directory => Ok(directory),
        };
    };
    let path = base.join(directory.unwrap_or_default());
    // The last component is empty when the base itself is meant.
    let path: PathBuf = path.components().collect();
    path.into_os_string().into_string().map(Some).map_err(|path| {
        format!("lies in a directory whose name is not UTF-8: {}", path.to_string_lossy())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(yaml: &str, set: &[(&str, &str)]) -> Result<Vec<NewJob>, String> {
        let suite = Suite::parse(yaml, "suite.yaml".as_ref(), None).map_err(|f| f.to_string())?;
        let set: Vec<_> = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        expand(&suite, &set, Some(Path::new("/base")))
            .map(|(_, jobs)| jobs)
            .map_err(|wrong| wrong.to_string())
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
defaults: {timeout_seconds: 5, priority: 7, env: {A: 'a${level}', B: b}, working_dir: sub}
jobs:
  - {name: one, shell: 'echo $HOME', env: {B: 2}, timeout_seconds: 9}
  - {name: two, command: ['true'], working_dir: /abs}
";
        let jobs = expanded(yaml, &[("level", "3")]).expect("expanded");
        assert_eq!(jobs[0].command, ["/bin/sh", "-c", "echo $HOME"]);
        assert_eq!(jobs[0].env["A"], "a3");
        assert_eq!((jobs[0].env["B"].as_str(), jobs[1].env["B"].as_str()), ("2", "b"));
        assert_eq!((jobs[0].timeout_seconds, jobs[1].timeout_seconds), (Some(9), Some(5)));
        assert_eq!(jobs[0].working_dir.as_deref(), Some("/base/sub"));
        assert_eq!(jobs[1].working_dir.as_deref(), Some("/abs"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let refused = |yaml: &str, set: &[(&str, &str)]| expanded(yaml, set).expect_err("refused");
        let one = |job: &str| format!("name: s\njobs:\n  - {job}\n");
        let cases = [
            (one("{name: a, command: ['${x}']}"), "jobs[0] (a) uses the unknown variable \"x\""),
            (one("{name: a}"), "needs a command"),
            (one("{name: a, shell: x, command: [y]}"), "both"),
            (one("{name: a, shell: x, matrix: {n: []}}"), "empty matrix.n"),
            (one("{name: a, shell: x, matrix: {n: [1, 1]}}"), "the value \"1\" twice in matrix.n"),
            ("name: s\njobs: []\n".to_owned(), "at least one"),
            (one("{name: a, shell: x, colour: red}"), "colour"),
        ];
        for (yaml, expected) in cases {
            let message = refused(&yaml, &[]);
            assert!(message.contains(expected), "{message}");
        }
        assert!(refused(&one("{name: a, shell: x}"), &[("v", "1")]).contains("no variable \"v\""));
    }
}
