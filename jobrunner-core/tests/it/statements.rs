//! The statements of a store as its database gets them: joined out of the files of `queries` as
//! `sql!` and `steps!` join them where they are used.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// One statement: its name, which is that of its parts, and its text.
pub(crate) type Statements = BTreeMap<String, String>;

/// Every statement that the store of a dialect uses.
pub(crate) fn of(dialect: &str) -> Statements {
    let store = root().join("src/store");
    let code = files(&store.join(dialect)).into_iter().chain(files(&store.join("both")));
    let mut statements = Statements::new();
    for file in code {
        let code = fs::read_to_string(&file).expect("a source file");
        for parts in uses(&code, "sql!(") {
            statements.insert(name(&parts), text(dialect, &parts));
        }
        for part in uses(&code, "steps!(").into_iter().flatten() {
            statements.insert(name(std::slice::from_ref(&part)), text(dialect, &[part]));
        }
    }
    statements
}

/// The files of a dialect that no statement has as a part, but for these.
pub(crate) fn unused(dialect: &str, but: &[&str]) -> Vec<String> {
    let names = of(dialect).into_keys();
    let used: BTreeSet<String> =
        names.flat_map(|name| name.split(" + ").map(str::to_owned).collect::<Vec<_>>()).collect();
    let queries = root().join("queries");
    let files = files(&queries.join(dialect)).into_iter().chain(files(&queries.join("both")));
    let name = |file: PathBuf| {
        let within = file.strip_prefix(&queries).expect("a file below it").with_extension("");
        let (_, name) = within.to_str().expect("a name").split_once('/').expect("a directory");
        name.to_owned()
    };
    files.map(name).filter(|name| !used.contains(name) && !but.contains(&&**name)).collect()
}

/// A file of `queries`, and whether both dialects have it.
struct Part {
    both: bool,
    name: String,
}

/// What stands between the parentheses of each use of a macro.
fn uses(code: &str, of: &str) -> Vec<Vec<Part>> {
    let uses = code.split(of).skip(1);
    let arguments = uses.map(|rest| rest.split(')').next().expect("an end"));
    let parts = arguments.map(|arguments| {
        let words: Vec<&str> = arguments.split('"').collect();
        let part = |pair: &[&str]| Part {
            both: pair[0].trim_start_matches(',').trim() == "both",
            name: pair[1].to_owned(),
        };
        words.chunks_exact(2).map(part).collect()
    });
    parts.collect()
}

fn name(parts: &[Part]) -> String {
    parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(" + ")
}

fn text(dialect: &str, parts: &[Part]) -> String {
    let read = |part: &Part| {
        let directory = if part.both { "both" } else { dialect };
        let file = root().join("queries").join(directory).join(&part.name).with_extension("sql");
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    let text = parts.iter().map(read).collect::<Vec<_>>().join("\n");
    if dialect == "sqlite" { text.replace("jobrunner.", "") } else { text }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory");
    let entries = entries.map(|entry| entry.expect("an entry").path());
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries.flat_map(below).collect()
}
