//! Variables in texts: `${name}`.

use std::{borrow::Cow, collections::BTreeMap, rc::Rc};

use super::{
    nearest,
    yaml::{Key, Kind, Node, Scalar, Wrong},
};

/// Names and their values.
pub(super) type Vars = BTreeMap<String, String>;

/// The variables that a text may use.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// Those of the whole suite.
    pub(super) vars: &'a Vars,
    /// Those of one combination of a matrix.
    pub(super) cell: &'a Vars,
}

impl<'a> Scope<'a> {
    fn get(&self, name: &str) -> Result<&'a str, String> {
        let value = self.cell.get(name).or_else(|| self.vars.get(name));
        value
            .map(String::as_str)
            .ok_or_else(|| unknown(name, self.vars.keys().chain(self.cell.keys())))
    }

    /// Fills a text in.
    pub(super) fn fill<'t>(&self, text: &'t str) -> Result<Cow<'t, str>, String> {
        fill(text, |name| self.get(name).map(Cow::Borrowed))
    }

    /// Fills in every text of a value; keys stay as they are. `None` when nothing changes.
    pub(super) fn fill_node(&self, node: &Rc<Node>) -> Result<Option<Rc<Node>>, Wrong> {
        let kind = match &node.kind {
            Kind::Scalar(Scalar { text, is_text }) => {
                let filled = self.fill(text).map_err(|why| Wrong::new(why).at(node.place))?;
                let Cow::Owned(text) = filled else { return Ok(None) };
                Kind::Scalar(Scalar { text, is_text: *is_text })
            }
            Kind::List(items) => {
                let Some(items) = self.fill_all(items, |item| item, |_, item| item)? else {
                    return Ok(None);
                };
                Kind::List(items)
            }
            Kind::Map(entries) => {
                let changed = |(key, _): &(_, _), value| (Clone::clone(key), value);
                let Some(entries) = self.fill_all(entries, |(_, value)| value, changed)? else {
                    return Ok(None);
                };
                Kind::Map(entries)
            }
        };
        Ok(Some(Rc::new(node.with_kind(kind))))
    }

    /// Fills in the values of a list or a map, which is copied from the first that changes on.
    fn fill_all<T: Clone>(
        &self,
        items: &[T],
        value: impl Fn(&T) -> &Rc<Node>,
        changed: impl Fn(&T, Rc<Node>) -> T,
    ) -> Result<Option<Vec<T>>, Wrong> {
        let mut copy: Option<Vec<T>> = None;
        for (index, item) in items.iter().enumerate() {
            if let Some(filled) = self.fill_node(value(item))? {
                let copy = copy.get_or_insert_with(|| items.to_vec());
                copy[index] = changed(item, filled);
            }
        }
        Ok(copy)
    }
}

/// A value without the texts that have something to be filled in; `None` if it is one itself.
pub(super) fn fixed(node: &Rc<Node>) -> Option<Rc<Node>> {
    let kind = match &node.kind {
        Kind::Scalar(Scalar { text, .. }) => {
            return (!is_template(text)).then(|| Rc::clone(node));
        }
        Kind::List(items) => Kind::List(items.iter().filter_map(fixed).collect()),
        Kind::Map(entries) => {
            let fixed = |(key, value): &(Key, _)| Some((key.clone(), fixed(value)?));
            Kind::Map(entries.iter().filter_map(fixed).collect())
        }
    };
    Some(Rc::new(node.with_kind(kind)))
}

/// Whether a text has something to be filled in.
fn is_template(text: &str) -> bool {
    text.contains("${")
}

/// Fills in `${name}`; `$${` stands for a `${` that is meant as it is. Other dollar signs are left
/// alone, so that shell commands can be written as usual.
pub(super) fn fill<'t, 'v>(
    text: &'t str,
    mut value: impl FnMut(&str) -> Result<Cow<'v, str>, String>,
) -> Result<Cow<'t, str>, String> {
    if !is_template(text) {
        return Ok(Cow::Borrowed(text));
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            filled.push_str(&rest[..at - 1]);
            filled.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        filled.push_str(&rest[..at]);
        let Some(end) = rest[at..].find('}') else {
            return Err(format!("has a ${{ without its }}: {text:?}"));
        };
        filled.push_str(&value(&rest[at + 2..at + end])?);
        rest = &rest[at + end + 1..];
    }
    filled.push_str(rest);
    Ok(Cow::Owned(filled))
}

/// The text that [`fill`] makes this one of.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if is_template(text) { Cow::Owned(text.replace("${", "$${")) } else { Cow::Borrowed(text) }
}

/// Says that there is no variable of a name.
pub(super) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let hint = nearest::hint(name, known.iter().copied());
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!(
        "uses the unknown variable {name:?}{hint} (known: {known}; write $${{ for a shell variable)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let vars = [("a", "1"), ("b.c", "x y")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let scope = Scope { vars: &vars, cell: &Vars::new() };
        scope.fill(text).map(Cow::into_owned)
    }

    #[test]
    fn variables_are_filled_in_wherever_they_stand() {
        assert_eq!(filled("${a}-${b.c}${a}").expect("filled"), "1-x y1");
        assert_eq!(filled("plain").expect("filled"), "plain");
    }

    #[test]
    fn shell_syntax_is_left_alone() {
        assert_eq!(filled("$HOME $(id) $${x:-1} $$").expect("filled"), "$HOME $(id) ${x:-1} $$");
    }

    #[test]
    fn unknown_and_unfinished_variables_are_named() {
        assert!(filled("${z}").expect_err("refused").contains("\"z\""));
        assert!(filled("${a").is_err());
    }

    #[test]
    fn what_is_escaped_is_filled_in_as_it_was() {
        for text in ["${a}", "$${a}", "$$${a} ${", "plain $x", "$$"] {
            assert_eq!(filled(&escaped(text)).expect("filled"), text, "{text}");
        }
    }
}
