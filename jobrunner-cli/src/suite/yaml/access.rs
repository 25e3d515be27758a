//! Parts of a document that are looked at before it is known what they mean.

use std::rc::Rc;

use super::{
    Kind, Node, Place, Wrong,
    scalar::{Value, resolve},
    tree::{Key, Scalar},
};

type Entries = [(Key, Rc<Node>)];

impl Node {
    /// The entries of a map; none for nothing.
    pub(in crate::suite) fn entries(&self) -> Result<&Entries, Wrong> {
        match &self.kind {
            Kind::Map(entries) => Ok(entries),
            _ if self.is_null() => Ok(&[]),
            _ => Err(self.refuse("a map")),
        }
    }

    /// The items of a list; none for nothing.
    pub(in crate::suite) fn items(&self) -> Result<&[Rc<Self>], Wrong> {
        match &self.kind {
            Kind::List(items) => Ok(items),
            _ if self.is_null() => Ok(&[]),
            _ => Err(self.refuse("a list")),
        }
    }

    /// The items of a list, or the value itself if it is none.
    pub(in crate::suite) fn each(&self) -> impl Iterator<Item = &Self> {
        let (items, single) = match &self.kind {
            Kind::List(items) => (items.as_slice(), None),
            _ => (&[][..], Some(self)),
        };
        items.iter().map(Rc::as_ref).chain(single)
    }

    pub(in crate::suite) fn text(&self) -> Result<&str, Wrong> {
        Ok(&self.scalar("text")?.text)
    }

    /// A field of a map, unless there is nothing after its colon.
    pub(in crate::suite) fn field(&self, name: &str) -> Option<&Rc<Self>> {
        let Kind::Map(entries) = &self.kind else { return None };
        let (_, value) = entries.iter().find(|(key, _)| key.text == name)?;
        (!value.is_nothing()).then_some(value)
    }

    /// Where a field is that a message names, as in `env.A` or `inputs[2]`, or what it is a part
    /// of.
    pub(in crate::suite) fn place_of(&self, field: &str) -> Option<Place> {
        let (name, rest) = field.split_at(field.find(['.', '[']).unwrap_or(field.len()));
        let node = self.field(name)?;
        let inner = match &node.kind {
            Kind::Map(_) => rest.strip_prefix('.').and_then(|name| node.field(name)),
            Kind::List(items) => {
                let index = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
                index.and_then(|index| items.get(index.parse::<usize>().ok()?))
            }
            Kind::Scalar(_) => None,
        };
        Some(inner.unwrap_or(node).place)
    }

    /// Whether nothing is written.
    pub(in crate::suite) fn is_nothing(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(Scalar { text, is_text: false }) if text.is_empty())
    }
}

/// What a text would be where another type than text is wanted.
pub(in crate::suite) mod resolves_to {
    use super::{Value, resolve};

    pub(in crate::suite) fn integer(text: &str) -> bool {
        matches!(resolve(text), Value::Integer(_))
    }

    pub(in crate::suite) fn number(text: &str) -> bool {
        matches!(resolve(text), Value::Integer(_) | Value::Float(_))
    }

    pub(in crate::suite) fn boolean(text: &str) -> bool {
        matches!(resolve(text), Value::Bool(_))
    }
}
