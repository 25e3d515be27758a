//! The modules of core use each other in one direction: down the layers of docs/ARCHITECTURE.md,
//! and never in a ring.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// For each module, those that it uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of the table of layers, the lowest first, each with its modules.
fn layers() -> Vec<BTreeSet<String>> {
    let text = fs::read_to_string(root().join("../docs/ARCHITECTURE.md")).expect("a document");
    let section = text.split("\n## ").find(|section| section.starts_with("Layers of core"));
    let rows = section.expect("the section").lines().filter(|line| line.starts_with("| "));
    let modules = |row: &str| {
        let column = row.rsplit('|').nth(1).expect("the last column");
        column.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    rows.skip(1).map(modules).collect()
}

/// What the library's root exports of its modules: `Error` is of `error`.
fn exports(lib: &str) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for line in lib.split(';').filter_map(|item| item.trim().strip_prefix("pub use ")) {
        let (module, names) = line.split_once("::").expect("a path");
        let names = names.split(|c: char| !c.is_alphanumeric()).filter(|name| !name.is_empty());
        exports.extend(names.map(|name| (name.to_owned(), module.to_owned())));
    }
    exports
}

/// Every file below a directory, or a module's own.
fn read(path: &Path) -> String {
    let Ok(entries) = fs::read_dir(path) else {
        return fs::read_to_string(path).expect("a source file");
    };
    entries.map(|entry| read(&entry.expect("an entry").path())).collect()
}

/// The code without comments and tests.
fn code(text: &str) -> String {
    let tests = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = tests.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The first names of the paths that begin with `crate::`.
fn names(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in code.split("crate::").skip(1) {
        let listed = path.strip_prefix('{').unwrap_or(path);
        let is_list = listed.len() < path.len();
        let (mut depth, mut name, mut is_first) = (0, String::new(), true);
        for character in listed.chars() {
            match character {
                _ if depth == 0
                    && is_first
                    && (character.is_alphanumeric() || character == '_') =>
                {
                    name.push(character);
                }
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' if depth == 0 && is_list => {
                    names.insert(std::mem::take(&mut name));
                    is_first = true;
                    continue;
                }
                ' ' | '\n' if name.is_empty() => continue,
                '}' => break,
                _ if !is_list => break,
                _ => {}
            }
            is_first &= character.is_alphanumeric() || character == '_';
        }
        names.insert(name);
    }
    names
}

/// What each module uses of the others, out of their code.
fn uses(sources: &BTreeMap<String, String>, exports: &BTreeMap<String, String>) -> Uses {
    let of = |(module, text): (&String, &String)| {
        let names = names(text).into_iter();
        let modules = names.map(|name| exports.get(&name).cloned().unwrap_or(name));
        let others = modules.filter(|other| other != module && sources.contains_key(other));
        (module.clone(), others.collect())
    };
    sources.iter().map(of).collect()
}

/// A ring of modules that use each other, if there is one.
fn ring(uses: &Uses) -> Option<Vec<&str>> {
    let mut left: BTreeMap<&str, &BTreeSet<String>> =
        uses.iter().map(|(module, used)| (module.as_str(), used)).collect();
    // What uses nothing that is left is in no ring.
    while let Some(module) =
        left.iter().find(|(_, used)| !used.iter().any(|other| left.contains_key(&**other)))
    {
        let module = *module.0;
        left.remove(module);
    }
    (!left.is_empty()).then(|| left.into_keys().collect())
}

/// The uses that lead up the layers, or into none.
fn upward<'u>(uses: &'u Uses, layers: &[BTreeSet<String>]) -> Vec<(&'u str, &'u str)> {
    let place = |module: &str| layers.iter().position(|layer| layer.contains(module));
    let pairs = uses.iter().flat_map(|(module, used)| used.iter().map(move |it| (module, it)));
    let is_upward = |(module, used): &(&String, &String)| match (place(module), place(used)) {
        (Some(module), Some(used)) => used > module,
        _ => true,
    };
    pairs.filter(is_upward).map(|(module, used)| (module.as_str(), used.as_str())).collect()
}

fn sources() -> BTreeMap<String, String> {
    let mut sources: BTreeMap<String, String> = BTreeMap::new();
    for entry in fs::read_dir(root().join("src")).expect("a directory") {
        let path = entry.expect("an entry").path();
        let module = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        if module != "lib" && module != "testkit" {
            sources.entry(module).or_default().push_str(&code(&read(&path)));
        }
    }
    sources
}

#[test]
fn modules_use_each_other_down_the_layers() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).expect("the root");
    let uses = uses(&sources(), &exports(&lib));
    let layers = layers();

    assert!(uses.len() > 20 && layers.len() > 3, "{} modules, {layers:?}", uses.len());
    assert!(uses["service"].contains("store"), "paths are found: {:?}", uses["service"]);
    assert!(uses["queue"].contains("id"), "exports are known: {:?}", uses["queue"]);
    assert_eq!(ring(&uses), None);
    assert_eq!(upward(&uses, &layers), []);
    let listed: BTreeSet<&String> = layers.iter().flatten().collect();
    assert_eq!(listed, uses.keys().collect::<BTreeSet<_>>(), "each module is in one layer");
}

#[test]
fn a_ring_and_a_use_up_the_layers_would_be_found() {
    let code = |text: &str| text.to_owned();
    let sources = BTreeMap::from([
        ("low", code("use crate::{Result,\n    middle::{self, Wide}, words::words};")),
        ("middle", code("fn f() -> crate::Top { crate::low::g() }")),
        ("high", code("use crate::{low, middle};")),
    ]);
    let sources = sources.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    let exports = exports("pub use high::{Other, Top};");

    let uses = uses(&sources, &exports);

    assert_eq!(ring(&uses), Some(vec!["high", "low", "middle"]));
    let layers: [BTreeSet<String>; 3] =
        [["low"], ["middle"], ["high"]].map(|layer| layer.map(str::to_owned).into());
    assert_eq!(upward(&uses, &layers), [("low", "middle"), ("middle", "high")]);
}
