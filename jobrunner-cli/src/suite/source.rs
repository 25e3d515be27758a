//! Values that come from files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use glob::{MatchOptions, Pattern};

use super::{
    nearest,
    template::Scope,
    yaml::{Node, Wrong},
};

/// As shells match file names.
const AS_SHELLS_DO: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The values of `{lines: FILE}` or `{glob: PATTERN}`, relative to `base`.
pub(super) fn values(
    node: &Node,
    scope: Scope<'_>,
    base: Option<&Path>,
) -> Result<Vec<String>, Wrong> {
    let [(key, value)] = node.entries()? else {
        return Err(Wrong::new("must have one field, lines or glob"));
    };
    let found = |wrong: Wrong| wrong.at(value.place);
    let text = value.text().map_err(found)?;
    let text = scope.fill(text).map_err(|why| found(Wrong::new(why)))?;
    let base = base.ok_or_else(|| found(Wrong::new("names files, which a sent suite cannot")))?;
    let values = match key.text.as_str() {
        "lines" => lines(&base.join(&*text)),
        "glob" => matches(&text, base),
        other => {
            let hint = nearest::hint(other, ["lines", "glob"]);
            Err(format!("has the unknown field {other:?}{hint} (known: lines, glob)"))
        }
    };
    values.map_err(|why| found(Wrong::new(why)))
}

/// The lines of a file that are not empty.
fn lines(file: &Path) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(file);
    let text = text.map_err(|error| format!("cannot be read: {}: {error}", file.display()))?;
    let lines: Vec<String> =
        text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    if lines.is_empty() {
        Err(format!("names a file without lines: {}", file.display()))
    } else {
        Ok(lines)
    }
}

/// The files that a pattern matches, in the order of their names, written as the pattern is:
/// relative ones relative to `base`.
fn matches(pattern: &str, base: &Path) -> Result<Vec<String>, String> {
    let base_text = base.to_str().ok_or("lies in a directory whose name is not UTF-8")?;
    let whole = if pattern.starts_with('/') {
        PathBuf::from(pattern)
    } else {
        Path::new(&Pattern::escape(base_text)).join(pattern)
    };
    let found = glob::glob_with(&whole.to_string_lossy(), AS_SHELLS_DO);
    let found =
        found.map_err(|error| format!("is no pattern of files: {pattern}: {}", error.msg))?;
    let mut paths = Vec::new();
    for path in found {
        let path = path.map_err(|error| format!("cannot be looked up: {error}"))?;
        let shown =
            if pattern.starts_with('/') { &path } else { path.strip_prefix(base).unwrap_or(&path) };
        let text = shown.to_str();
        let text = text.ok_or_else(|| format!("matches a name that is not UTF-8: {shown:?}"))?;
        paths.push(text.to_owned());
    }
    paths.sort_unstable();
    if paths.is_empty() { Err(format!("matches nothing: {}", whole.display())) } else { Ok(paths) }
}
