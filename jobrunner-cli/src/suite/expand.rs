//! From a suite to the jobs it makes.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
};

use jobrunner_core::{
    NewBatch, NewJob, Violation,
    batch::MAX_JOBS,
    job::Rules,
    series::{self, Seed, SeriesChoice},
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Suite,
    format::{Defaults, Included, Job},
    located, matrix, nearest,
    parameters::{self, Set},
    template::{Scope, Vars, fixed},
    yaml::{Key, Kind, Node, Placed, Wrong},
};

/// The most that is said to be wrong at a time.
const MAX_WRONG: usize = 20;

/// How many times suites may be included, one within another or not.
const MAX_INCLUDED: usize = 1_000;

/// The batch and its jobs, with every variable filled in, or everything that is wrong, each on one
/// line. Without rules it is left to the service to check what jobs ask for.
pub(super) fn expand(
    suite: &Suite,
    set: &Set,
    rules: Option<&Rules>,
) -> Result<(NewBatch, Vec<NewJob>), Vec<String>> {
    let mut expansion = Expansion {
        set,
        rules,
        settable: BTreeSet::new(),
        open: suite.path.iter().cloned().collect(),
        included: 0,
        jobs: Vec::new(),
        wrong: Vec::new(),
    };
    let vars = expansion.vars(suite, &[]);
    let batch = vars.and_then(|vars| {
        let batch = expansion.told(suite, batch(suite, &vars, rules));
        expansion.members(suite, &vars);
        batch
    });
    let unknown = set.iter().find(|(name, _)| !expansion.settable.contains(name));
    if let Some((name, _)) = unknown {
        let known: Vec<&str> = expansion.settable.iter().map(String::as_str).collect();
        let hint = nearest::hint(name, known.iter().copied());
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let why = format!("has no parameter or variable {name:?} to set{hint} (it has: {known})");
        expansion.wrong.insert(0, located(&suite.file, &Wrong::new(why)));
    }
    match batch {
        Some(batch) if expansion.wrong.is_empty() => Ok((batch, expansion.jobs)),
        _ => Err(expansion.wrong),
    }
}

/// What belongs to the whole batch.
fn batch(suite: &Suite, vars: &Vars, rules: Option<&Rules>) -> Result<NewBatch, Wrong> {
    let scope = Scope { vars, cell: &Vars::new() };
    let filled = |field: &'static str, text: &Placed<String>| {
        let filled = scope.fill(&text.value);
        let filled = filled.map_err(|why| Wrong::new(why).within(field).at(text.place));
        filled.map(std::borrow::Cow::into_owned)
    };
    let header = &suite.header;
    let description = header.description.as_ref();
    let batch = NewBatch {
        name: filled("name", &header.name)?,
        description: description.map(|text| filled("description", text)).transpose()?,
        project: match &header.project {
            None => None,
            Some(text) => {
                let wrong =
                    |why: Violation| Wrong::new(why.message).within("project").at(text.place);
                Some(filled("project", text)?.parse().map_err(wrong)?)
            }
        },
        payload: read(suite, scope, "payload")?.unwrap_or_default(),
        series: match &header.series {
            Some(name) => SeriesChoice::Named(filled("series", name)?),
            None => SeriesChoice::default(),
        },
        revision: read(suite, scope, "revision")?,
        gate: read(suite, scope, "gate")?.unwrap_or_default(),
        baseline: read(suite, scope, "baseline")?.unwrap_or_default(),
    };
    let broken = rules.and_then(|_| batch.violations().into_iter().next());
    broken.map_or(Ok(batch), |violation| Err(of_violation(violation, &suite.root)))
}

/// A field of the suite with everything filled in.
fn read<T: DeserializeOwned>(
    suite: &Suite,
    scope: Scope<'_>,
    field: &'static str,
) -> Result<Option<T>, Wrong> {
    let Some(node) = suite.root.field(field) else { return Ok(None) };
    let within = |wrong: Wrong| wrong.at(node.place).within(field);
    let filled = scope.fill_node(node).map_err(within)?;
    T::deserialize(&**filled.as_ref().unwrap_or(node)).map(Some).map_err(within)
}

/// A broken rule, with the place of the field that breaks it.
fn of_violation(Violation { field, message, .. }: Violation, node: &Node) -> Wrong {
    let (field, place) = match node.place_of(&field) {
        Some(place) => (field, place),
        // A script is an argument of the shell.
        None if field.starts_with("command") => {
            ("shell".to_owned(), node.place_of("shell").unwrap_or(node.place))
        }
        None => (field, node.place),
    };
    Wrong::new(message).within(field).at(place)
}

struct Expansion<'a> {
    set: &'a Set,
    rules: Option<&'a Rules>,
    /// The names that can be set, of all suites.
    settable: BTreeSet<String>,
    /// The files of the suites that are being expanded, each included by the one before.
    open: Vec<PathBuf>,
    /// How many suites were included so far.
    included: usize,
    jobs: Vec<NewJob>,
    wrong: Vec<String>,
}

impl Expansion<'_> {
    /// Notes what is wrong with a suite.
    fn told<T>(&mut self, suite: &Suite, result: Result<T, Wrong>) -> Option<T> {
        result.map_err(|wrong| self.wrong.push(located(&suite.file, &wrong))).ok()
    }

    fn is_enough(&self) -> bool {
        self.wrong.len() >= MAX_WRONG
    }

    /// The variables of a suite that was given values by the one that includes it.
    fn vars(&mut self, suite: &Suite, given: &Set) -> Option<Vars> {
        let names = parameters::names(&suite.root, &suite.header);
        let names = self.told(suite, names)?;
        let is_free = |name: &String| !given.iter().any(|(given, _)| given == name);
        self.settable.extend(names.iter().filter(|name| is_free(name)).cloned());
        let outside = self.set.iter().filter(|(name, _)| names.contains(name) && is_free(name));
        let set: Vec<_> = outside.chain(given).cloned().collect();
        self.told(suite, parameters::values(&suite.root, &suite.header, &set))
    }

    /// Adds the jobs of a suite.
    fn members(&mut self, suite: &Suite, vars: &Vars) {
        let before = self.jobs.len() + self.wrong.len();
        let included = self.included(suite, vars);
        self.told(suite, included);
        let jobs = self.jobs_of(suite, vars);
        self.told(suite, jobs);
        if self.jobs.len() + self.wrong.len() == before {
            let wrong = Wrong::new("must have at least one member").within("jobs");
            self.told::<()>(suite, Err(wrong));
        }
    }

    fn included(&mut self, suite: &Suite, vars: &Vars) -> Result<(), Wrong> {
        let Some(list) = suite.root.field("include") else { return Ok(()) };
        let scope = Scope { vars, cell: &Vars::new() };
        for node in list.each() {
            let within = |wrong: Wrong| wrong.at(node.place).within("include");
            self.included += 1;
            if self.included > MAX_INCLUDED {
                return Err(within(Wrong::new(format!("is more than {MAX_INCLUDED} suites"))));
            }
            if self.is_enough() {
                return Ok(());
            }
            let (inner, set) = open_included(node, suite, scope).map_err(within)?;
            if let Some(path) = &inner.path {
                if self.open.contains(path) {
                    let why = format!("includes itself, by {}", inner.file.display());
                    return Err(within(Wrong::new(why)));
                }
                self.open.push(path.clone());
            }
            let names = parameters::names(&inner.root, &inner.header).unwrap_or_default();
            if let Some((name, _)) = set.iter().find(|(name, _)| !names.contains(name)) {
                let why = format!(
                    "sets {name:?}, which {} does not have{} (it has: {})",
                    inner.file.display(),
                    nearest::hint(name, names.iter().map(String::as_str)),
                    names.join(", ")
                );
                return Err(within(Wrong::new(why)));
            }
            if let Some(vars) = self.vars(&inner, &set) {
                self.members(&inner, &vars);
            }
            self.open.pop();
        }
        Ok(())
    }

    fn jobs_of(&mut self, suite: &Suite, vars: &Vars) -> Result<(), Wrong> {
        let root = &suite.root;
        let defaults = root.field("defaults");
        if let Some(fixed) = defaults.and_then(fixed) {
            Defaults::deserialize(&*fixed).map_err(|wrong| wrong.within("defaults"))?;
        }
        let Some(list) = root.field("jobs") else {
            if root.field("include").is_some() {
                return Ok(());
            }
            return Err(Wrong::new("needs the field jobs").at(root.place));
        };
        for (index, node) in list.items().map_err(|wrong| wrong.within("jobs"))?.iter().enumerate()
        {
            if self.is_enough() {
                break;
            }
            if let Some(fixed) = fixed(node) {
                let within = |wrong: Wrong| wrong.at(node.place).within(format!("jobs[{index}]"));
                let checked = Job::deserialize(&*fixed).map_err(within);
                if self.told(suite, checked).is_none() {
                    continue;
                }
            }
            let made = self.jobs_of_template(node, defaults, suite, vars);
            let name = node.field("name").and_then(|name| name.text().ok()).unwrap_or_default();
            let within =
                |wrong: Wrong| wrong.at(node.place).within(format!("jobs[{index}] ({name})"));
            for wrong in made.err().into_iter().flatten() {
                self.told::<()>(suite, Err(within(wrong)));
            }
        }
        Ok(())
    }

    /// Adds the jobs of one template, up to the first of which something is wrong. Returns all that
    /// is wrong with that one.
    fn jobs_of_template(
        &mut self,
        node: &Rc<Node>,
        defaults: Option<&Rc<Node>>,
        suite: &Suite,
        vars: &Vars,
    ) -> Result<(), Vec<Wrong>> {
        let one = |wrong: Wrong| vec![wrong];
        let base = suite.base.as_deref();
        let matrix = node.field("matrix").map(Rc::as_ref);
        let cells = matrix::cells(matrix, vars, base).map_err(one)?;
        if self.jobs.len() + cells.len() > MAX_JOBS {
            return Err(one(Wrong::new(format!("makes more than {MAX_JOBS} jobs"))));
        }
        let merged = merged(node, defaults);
        for cell in &cells {
            let filled = Scope { vars, cell }.fill_node(&merged).map_err(one)?;
            let filled = filled.as_ref().unwrap_or(&merged);
            let mut job =
                Job::deserialize(&**filled).and_then(|job| new_job(job, base)).map_err(one)?;
            // One that has too many or too long values stays a part of the name.
            if job.variant.is_empty() && series::is_variant(cell) {
                job.variant.clone_from(cell);
            }
            if let Some(rules) = self.rules
                && let Err(violations) = rules.check(job.clone())
            {
                return Err(violations.into_iter().map(|it| of_violation(it, filled)).collect());
            }
            self.jobs.push(job);
        }
        Ok(())
    }
}

/// Opens a suite that another one includes, and returns what it is given.
fn open_included(
    node: &Node,
    suite: &Suite,
    scope: Scope<'_>,
) -> Result<(Suite, Vec<(String, String)>), Wrong> {
    let included = match &node.kind {
        Kind::Map(_) => Included::deserialize(node)?,
        _ => Included { suite: node.text()?.to_owned(), set: Default::default() },
    };
    let fill = |text: &str| scope.fill(text).map(std::borrow::Cow::into_owned).map_err(Wrong::new);
    let base = suite.base.as_ref();
    let base = base.ok_or_else(|| Wrong::new("names a file, which a suite that is sent cannot"))?;
    let file = base.join(fill(&included.suite)?);
    let cannot = |error| Wrong::new(format!("cannot be read: {}: {error}", file.display()));
    let text = fs::read_to_string(&file).map_err(cannot)?;
    let path = file.canonicalize().map_err(cannot)?;
    let base = path.parent().unwrap_or(Path::new("/")).to_owned();
    let inner = Suite::parsed(&text, &file, Some(base));
    let mut inner =
        inner.map_err(|wrong| Wrong::new(format!("is wrong: {}", located(&file, &wrong))))?;
    inner.path = Some(path);
    let set = included.set.iter().map(|(name, value)| Ok((name.clone(), fill(value)?)));
    Ok((inner, set.collect::<Result<_, _>>()?))
}

/// A job with what it takes from the defaults, and without its matrix.
fn merged(job: &Rc<Node>, defaults: Option<&Rc<Node>>) -> Rc<Node> {
    let Kind::Map(own) = &job.kind else { return Rc::clone(job) };
    let is_said = |(key, value): &&(Key, Rc<Node>)| key.text != "matrix" && !value.is_nothing();
    let mut entries: Vec<_> = own.iter().filter(is_said).cloned().collect();
    let Some(Kind::Map(defaults)) = defaults.map(|defaults| &defaults.kind) else {
        return Rc::new(job.with_kind(Kind::Map(entries)));
    };
    for (key, value) in defaults {
        let Some((_, own)) = entries.iter_mut().find(|(own, _)| own.text == key.text) else {
            entries.push((key.clone(), Rc::clone(value)));
            continue;
        };
        match (key.text.as_str(), &own.kind, &value.kind) {
            ("env", Kind::Map(variables), Kind::Map(others)) => {
                let is_new =
                    |(key, _): &&(Key, _)| !variables.iter().any(|(k, _)| k.text == key.text);
                let all = variables.iter().chain(others.iter().filter(is_new)).cloned().collect();
                *own = Rc::new(own.with_kind(Kind::Map(all)));
            }
            ("inputs" | "junit", Kind::List(paths), _) if paths.is_empty() => {
                *own = Rc::clone(value)
            }
            _ => {}
        }
    }
    Rc::new(job.with_kind(Kind::Map(entries)))
}

fn new_job(job: Job, base: Option<&Path>) -> Result<NewJob, Wrong> {
    Ok(NewJob {
        project: None,
        name: job.name.ok_or_else(|| Wrong::new("needs the field name"))?,
        command: command(job.command, job.shell)?,
        working_dir: working_dir(job.working_dir, base).map_err(Wrong::new)?,
        env: job.env,
        payload: job.payload,
        queue: job.queue,
        priority: job.priority,
        timeout_seconds: job.timeout_seconds,
        scheduled_at: None,
        max_attempts: job.max_attempts,
        retry: job.retry.map(Into::into),
        skip_exit_codes: job.skip_exit_codes.into_iter().map(Into::into).collect(),
        silence_seconds: job.silence_seconds,
        max_output_bytes: job.max_output_bytes,
        max_memory_mb: job.max_memory_mb,
        max_open_files: job.max_open_files,
        max_cpu_seconds: job.max_cpu_seconds,
        inputs: job.inputs,
        test: job.test,
        variant: job.variant.unwrap_or_default(),
        seed: job.seed.map(|seed| match seed.parse() {
            Ok(number) => Seed::Number(number),
            Err(_) => Seed::Text(seed),
        }),
        junit: job.junit,
    })
}

fn command(command: Option<Vec<String>>, shell: Option<String>) -> Result<Vec<String>, Wrong> {
    match (command, shell) {
        (Some(command), None) => Ok(command),
        (None, Some(script)) => {
            Ok(SHELL.iter().map(|&part| part.to_owned()).chain([script]).collect())
        }
        (Some(_), Some(_)) => Err(Wrong::new("has both a command and a shell; keep one")),
        (None, None) => Err(Wrong::new("needs a command: [PROGRAM, ARGUMENT…] or a shell: SCRIPT")),
    }
}

/// What runs a script.
pub(super) const SHELL: [&str; 2] = ["/bin/sh", "-c"];

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
mod tests;
