//! Matrices: a job for each combination of values.

use std::{collections::BTreeSet, path::Path};

use jobrunner_core::batch::MAX_JOBS;

use super::{
    range, source,
    template::{Scope, Vars},
    yaml::{Kind, Node, Wrong},
};

/// The variables of each combination of the matrix: one without variables when there is none. The
/// axes vary in the order of their names, the last one fastest; what `include` adds comes last.
/// Files lie under `base`.
pub(super) fn cells(
    matrix: Option<&Node>,
    vars: &Vars,
    base: Option<&Path>,
) -> Result<Vec<Vars>, Wrong> {
    let entries = matrix.map_or(Ok([].as_slice()), Node::entries)?;
    if entries.is_empty() {
        return Ok(vec![Vars::new()]);
    }
    let scope = Scope { vars, cell: &Vars::new() };
    let (mut axes, mut include, mut exclude) = (Vec::new(), None, None);
    for (key, node) in entries {
        match key.text.as_str() {
            "include" => include = Some(node),
            "exclude" => exclude = Some(node),
            name => axes.push(Axis::read(name, node, scope, base).map_err(|w| w.at(node.place))?),
        }
    }
    axes.sort_by(|a, b| a.name.cmp(&b.name));
    let mut cells = product(&axes)?;
    for node in exclude.map_or(Ok([].as_slice()), |node| node.items())? {
        exclude_from(&mut cells, node, &axes, scope).map_err(|wrong| wrong.at(node.place))?;
    }
    let mut included = Vec::new();
    for node in include.map_or(Ok([].as_slice()), |node| node.items())? {
        let added = texts(node, scope).map_err(|wrong| wrong.at(node.place))?;
        include_in(&mut cells, &mut included, added, &axes).map_err(|w| w.at(node.place))?;
    }
    cells.append(&mut included);
    match cells.len() {
        0 => Err(Wrong::new("has a matrix of which nothing is left")),
        1..=MAX_JOBS => Ok(cells),
        _ => Err(too_many()),
    }
}

fn too_many() -> Wrong {
    Wrong::new(format!("makes more than {MAX_JOBS} jobs"))
}

/// A variable and all its values.
struct Axis {
    name: String,
    values: Vec<String>,
}

impl Axis {
    fn read(name: &str, node: &Node, scope: Scope<'_>, base: Option<&Path>) -> Result<Self, Wrong> {
        if scope.vars.contains_key(name) {
            return Err(Wrong::new(format!("has matrix.{name}, which is a variable, too")));
        }
        let mut values = Vec::new();
        for item in node.each() {
            let more = match &item.kind {
                Kind::Map(_) => source::values(item, scope, base),
                _ => written(item, scope),
            };
            let within = |wrong: Wrong| wrong.at(item.place).within(format!("matrix.{name}"));
            values.extend(more.map_err(within)?);
        }
        if values.is_empty() {
            return Err(Wrong::new(format!("has an empty matrix.{name}")));
        }
        let mut distinct = BTreeSet::new();
        if let Some(twice) = values.iter().find(|value| !distinct.insert(*value)) {
            return Err(Wrong::new(format!("has the value {twice:?} twice in matrix.{name}")));
        }
        Ok(Self { name: name.to_owned(), values })
    }
}

/// The values that an item stands for: those of a range, or else itself.
fn written(item: &Node, scope: Scope<'_>) -> Result<Vec<String>, Wrong> {
    let text = scope.fill(item.text()?).map_err(Wrong::new)?;
    match range::values(&text) {
        Some(values) => values.map_err(Wrong::new),
        None => Ok(vec![text.into_owned()]),
    }
}

fn product(axes: &[Axis]) -> Result<Vec<Vars>, Wrong> {
    // Without an axis there are only the combinations that are included.
    let mut cells = if axes.is_empty() { Vec::new() } else { vec![Vars::new()] };
    for axis in axes {
        if cells.len().saturating_mul(axis.values.len()) > MAX_JOBS {
            return Err(too_many());
        }
        let with = |cell: &Vars, value: &String| {
            let mut cell = cell.clone();
            cell.insert(axis.name.clone(), value.clone());
            cell
        };
        cells = cells.iter().flat_map(|cell| axis.values.iter().map(|v| with(cell, v))).collect();
    }
    Ok(cells)
}

/// Takes away the combinations that have one of the values given for each axis that is named.
fn exclude_from(
    cells: &mut Vec<Vars>,
    node: &Node,
    axes: &[Axis],
    scope: Scope<'_>,
) -> Result<(), Wrong> {
    let mut excluded = Vec::new();
    for (key, node) in node.entries()? {
        let name = key.text.as_str();
        let within = |wrong: Wrong| wrong.at(node.place).within("matrix.exclude");
        let axis = axes.iter().find(|axis| axis.name == name);
        let axis = axis.ok_or_else(|| within(Wrong::new(format!("has no axis {name:?}"))))?;
        let mut values = BTreeSet::new();
        for item in node.each() {
            values.extend(written(item, scope).map_err(within)?);
        }
        if let Some(value) = values.iter().find(|value| !axis.values.contains(value)) {
            return Err(within(Wrong::new(format!(
                "names {name}: {value}, which is no value of it"
            ))));
        }
        excluded.push((name, values));
    }
    if excluded.is_empty() {
        return Err(Wrong::new("has a matrix.exclude without a value"));
    }
    let is_excluded = |cell: &Vars| {
        excluded.iter().all(|(name, values)| cell.get(*name).is_some_and(|v| values.contains(v)))
    };
    cells.retain(|cell| !is_excluded(cell));
    Ok(())
}

/// Adds variables to the combinations that have the values given for axes, or a combination of its
/// own when there is none.
fn include_in(
    cells: &mut [Vars],
    included: &mut Vec<Vars>,
    added: Vars,
    axes: &[Axis],
) -> Result<(), Wrong> {
    if added.is_empty() {
        return Err(Wrong::new("has a matrix.include without a value"));
    }
    let is_axis = |name: &str| axes.iter().any(|axis| axis.name == name);
    let has_more = added.keys().any(|name| !is_axis(name));
    let fits = |cell: &&mut Vars| {
        added.iter().all(|(name, value)| !is_axis(name) || cell.get(name) == Some(value))
    };
    let mut is_there = false;
    for cell in cells.iter_mut().filter(fits) {
        is_there = true;
        cell.extend(added.clone());
    }
    if is_there && !has_more {
        return Err(Wrong::new("has a matrix.include that is there already"));
    }
    if !is_there {
        included.push(added);
    }
    Ok(())
}

/// The texts of a map.
fn texts(node: &Node, scope: Scope<'_>) -> Result<Vars, Wrong> {
    let mut texts = Vars::new();
    for (key, node) in node.entries()? {
        let within = |wrong: Wrong| wrong.at(node.place).within("matrix.include");
        if scope.vars.contains_key(&key.text) {
            return Err(within(Wrong::new(format!("sets {}, which is a variable, too", key.text))));
        }
        let text = node.text().map_err(within)?;
        let filled = scope.fill(text).map_err(|why| within(Wrong::new(why)))?;
        texts.insert(key.text.clone(), filled.into_owned());
    }
    Ok(texts)
}

#[cfg(test)]
mod tests;
