//! What whoever runs a suite may set, and the suite's own variables.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;

use super::{
    format::{Header, Parameter, ParameterType},
    template::{Vars, fill, unknown},
    yaml::{Kind, Node, Placed, Wrong, resolves_to},
};

/// Values that were set for names.
pub(super) type Set = [(String, String)];

/// The names that can be set.
pub(super) fn names(root: &Node, header: &Header) -> Result<Vec<String>, Wrong> {
    let parameters = root.field("parameters").map_or(Ok([].as_slice()), |node| node.entries())?;
    let mut names: Vec<String> = parameters.iter().map(|(key, _)| key.text.clone()).collect();
    names.extend(header.vars.keys().cloned());
    Ok(names)
}

/// The value of every parameter and variable.
pub(super) fn values(root: &Node, header: &Header, set: &Set) -> Result<Vars, Wrong> {
    let mut known = Vars::new();
    let parameters = root.field("parameters").map_or(Ok([].as_slice()), |node| node.entries())?;
    for (key, node) in parameters {
        let within = |wrong: Wrong| wrong.at(node.place).within(&*key.text).within("parameters");
        if header.vars.contains_key(&key.text) {
            return Err(within(Wrong::new("is a variable, too")));
        }
        let value = parameter(node).and_then(|parameter| parameter.value(&key.text, set));
        known.insert(key.text.clone(), value.map_err(within)?);
    }
    let mut vars = Variables { written: &header.vars, known, open: Vec::new() };
    for (name, value) in set.iter().filter(|(name, _)| header.vars.contains_key(name)) {
        vars.known.insert(name.clone(), value.clone());
    }
    for (name, Placed { place, .. }) in &header.vars {
        let wrong = |why| Wrong::new(why).at(*place).within(name).within("vars");
        vars.value(name).map_err(wrong)?;
    }
    Ok(vars.known)
}

/// The parameter that a node describes: by its default alone, or by a map.
fn parameter(node: &Node) -> Result<Parameter, Wrong> {
    match &node.kind {
        Kind::Map(_) => Parameter::deserialize(node),
        _ => {
            let default = Some(Placed::deserialize(node)?);
            Ok(Parameter { default, ..Parameter::default() })
        }
    }
}

impl Parameter {
    fn value(&self, name: &str, set: &Set) -> Result<String, Wrong> {
        if let Some(default) = &self.default {
            self.check(&default.value)
                .map_err(|why| Wrong::new(format!("has a default that {why}")).at(default.place))?;
        }
        // The last one wins, as on every command line.
        let set = set.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value);
        if let Some(value) = set {
            let wrong = |why| Wrong::new(format!("is set to {value:?}, which {why}"));
            return self.check(value).map_err(wrong).map(|()| value.clone());
        }
        let default = self.default.as_ref().map(|default| default.value.clone());
        default.ok_or_else(|| {
            let choices = if self.choices.is_empty() {
                String::new()
            } else {
                format!(", which is one of {}", self.choices.join(", "))
            };
            Wrong::new(format!("has no default; give it a value{choices}: --set {name}=…"))
        })
    }

    /// Why a value is none of this parameter, in words that follow it.
    fn check(&self, value: &str) -> Result<(), String> {
        if !self.choices.is_empty() && !self.choices.iter().any(|choice| choice == value) {
            return Err(format!("is none of its choices: {}", self.choices.join(", ")));
        }
        let (fits, expected) = match self.kind {
            ParameterType::String => return Ok(()),
            ParameterType::Integer => (resolves_to::integer(value), "whole number"),
            ParameterType::Number => (resolves_to::number(value), "number"),
            ParameterType::Boolean => (resolves_to::boolean(value), "boolean (true or false)"),
        };
        if fits { Ok(()) } else { Err(format!("is no {expected}")) }
    }
}

/// Variables that use one another.
struct Variables<'a> {
    written: &'a BTreeMap<String, Placed<String>>,
    known: Vars,
    /// Those that are being filled in.
    open: Vec<&'a str>,
}

impl<'a> Variables<'a> {
    fn value(&mut self, name: &str) -> Result<String, String> {
        if let Some(value) = self.known.get(name) {
            return Ok(value.clone());
        }
        let Some((name, written)) = self.written.get_key_value(name) else {
            return Err(unknown(name, self.known.keys().chain(self.written.keys())));
        };
        if self.open.contains(&name.as_str()) {
            return Err(format!("uses itself: {} uses {name}", self.open.join(" uses ")));
        }
        self.open.push(name);
        let value = fill(&written.value, |name| self.value(name).map(Cow::Owned))?.into_owned();
        self.open.pop();
        self.known.insert(name.clone(), value.clone());
        Ok(value)
    }
}
