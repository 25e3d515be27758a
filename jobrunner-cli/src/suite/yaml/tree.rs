use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::{Place, Wrong};

/// The most values of a document, those that aliases repeat included.
const MAX_VALUES: u64 = 10_000_000;

/// How deep a document may be nested.
const MAX_DEPTH: usize = 100;

/// A value of a document.
#[derive(Debug)]
pub(in crate::suite) struct Node {
    pub(in crate::suite) place: Place,
    pub(in crate::suite) kind: Kind,
    values: u64,
    depth: usize,
}

#[derive(Debug)]
pub(in crate::suite) enum Kind {
    Scalar(Scalar),
    List(Vec<Rc<Node>>),
    /// In the order in which they are written; no key is there twice.
    Map(Vec<(Key, Rc<Node>)>),
}

/// A scalar as it is written; quotes, escapes and folded lines are resolved.
#[derive(Debug)]
pub(in crate::suite) struct Scalar {
    pub(in crate::suite) text: String,
    /// Whether it is text whatever it looks like: quoted, a block, or tagged so.
    pub(in crate::suite) is_text: bool,
}

impl Node {
    /// The same place with another content, no larger than before.
    pub(in crate::suite) fn with_kind(&self, kind: Kind) -> Self {
        Self { place: self.place, kind, values: self.values, depth: self.depth }
    }
}

/// A key of a map.
#[derive(Clone, Debug)]
pub(in crate::suite) struct Key {
    pub(in crate::suite) text: String,
    pub(in crate::suite) place: Place,
    is_merge: bool,
}

/// Parses a text that holds one document.
pub(in crate::suite) fn parse(text: &str) -> Result<Rc<Node>, Wrong> {
    let mut tree = Tree::default();
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| Wrong::new(error.info()).at(place(error.marker())))?;
        let place = place(&span.start);
        let written = span.start.byte_offset().and_then(|start| text.get(start..));
        let event = match event {
            // The parser's own word for a value that is left out.
            Event::Scalar(value, ScalarStyle::Plain, 0, None)
                if value == "~" && written.is_none_or(|text| !text.starts_with('~')) =>
            {
                Event::Scalar("".into(), ScalarStyle::Plain, 0, None)
            }
            event => event,
        };
        tree.take(event, place).map_err(|wrong| wrong.at(place))?;
    }
    tree.root.ok_or_else(|| Wrong::new("is empty").at(Place::START))
}

fn place(marker: &Marker) -> Place {
    Place { line: marker.line().max(1) as u64, column: marker.col() as u64 + 1 }
}

/// The part of a document that has been read.
#[derive(Default)]
struct Tree {
    root: Option<Rc<Node>>,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
}

/// A list or a map whose end has not been seen.
struct Open {
    place: Place,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Rc<Node>>),
    Map { entries: Vec<(Key, Rc<Node>)>, key: Option<Key> },
}

impl Tree {
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), Wrong> {
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(Wrong::new("holds a second document; a suite is one"))
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                self.add(node.ok_or_else(|| Wrong::new("is an alias for what it is a part of"))?)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = match tag.as_deref() {
                    None => style != ScalarStyle::Plain,
                    Some(tag) => means_text(tag)?,
                };
                let scalar = Scalar { text: text.into_owned(), is_text };
                self.close(place, anchor, Kind::Scalar(scalar))
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(place, anchor, tag.as_deref(), Content::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                let content = Content::Map { entries: Vec::new(), key: None };
                self.open(place, anchor, tag.as_deref(), content)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                None => Ok(()),
                Some(Open { place, anchor, content: Content::List(items) }) => {
                    self.close(place, anchor, Kind::List(items))
                }
                Some(Open { place, anchor, content: Content::Map { entries, .. } }) => {
                    self.close(place, anchor, Kind::Map(merged(entries)?))
                }
            },
            _ => Ok(()),
        }
    }

    fn open(
        &mut self,
        place: Place,
        anchor: usize,
        tag: Option<&Tag>,
        content: Content,
    ) -> Result<(), Wrong> {
        if let Some(tag) = tag.filter(|tag| !matches!(tag.core_suffix(), Some("seq" | "map"))) {
            return Err(unknown(tag));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep());
        }
        self.open.push(Open { place, anchor, content });
        Ok(())
    }

    /// Adds a value that is complete.
    fn close(&mut self, place: Place, anchor: usize, kind: Kind) -> Result<(), Wrong> {
        let children: Box<dyn Iterator<Item = &Rc<Node>>> = match &kind {
            Kind::Scalar(_) => Box::new(std::iter::empty()),
            Kind::List(items) => Box::new(items.iter()),
            Kind::Map(entries) => Box::new(entries.iter().map(|(_, value)| value)),
        };
        let (values, depth) = children.fold((1_u64, 0), |(values, depth), child| {
            (values.saturating_add(child.values), depth.max(child.depth))
        });
        if values > MAX_VALUES {
            return Err(Wrong::new(format!("holds more than {MAX_VALUES} values")).at(place));
        }
        if depth >= MAX_DEPTH {
            return Err(too_deep().at(place));
        }
        let node = Rc::new(Node { place, kind, values, depth: depth + 1 });
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.add(node)
    }

    fn add(&mut self, node: Rc<Node>) -> Result<(), Wrong> {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key }) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => *key = Some(as_key(&node)?),
            },
        }
        Ok(())
    }
}

fn as_key(node: &Node) -> Result<Key, Wrong> {
    match &node.kind {
        Kind::Scalar(Scalar { text, is_text }) => {
            Ok(Key { text: text.clone(), place: node.place, is_merge: !is_text && text == "<<" })
        }
        _ => Err(Wrong::new("is a key that is not text").at(node.place)),
    }
}

/// The entries with what `<<` takes over from other maps: a key of the map itself wins, else the
/// first.
fn merged(written: Vec<(Key, Rc<Node>)>) -> Result<Vec<(Key, Rc<Node>)>, Wrong> {
    let mut known = HashMap::new();
    let (merges, mut entries): (Vec<_>, Vec<_>) =
        written.into_iter().partition(|(key, _)| key.is_merge);
    for (key, _) in &entries {
        if let Some(first) = known.insert(key.text.clone(), key.place) {
            let message = format!("has {:?} twice, first in line {}", key.text, first.line);
            return Err(Wrong::new(message).at(key.place));
        }
    }
    let mut known: HashSet<String> = known.into_keys().collect();
    for (key, value) in merges {
        let cannot = || Wrong::new("<< takes a map or a list of maps").at(key.place);
        let sources: Vec<&Rc<Node>> = match &value.kind {
            Kind::Map(_) => vec![&value],
            Kind::List(items) => items.iter().collect(),
            Kind::Scalar(_) => return Err(cannot()),
        };
        for source in sources {
            let Kind::Map(others) = &source.kind else { return Err(cannot()) };
            let fresh = others.iter().filter(|(key, _)| known.insert(key.text.clone()));
            entries.extend(fresh.cloned());
        }
    }
    Ok(entries)
}

/// Whether a scalar's tag makes it text whatever it looks like; the other tags of YAML itself leave
/// it to the field, as if there were none.
fn means_text(tag: &Tag) -> Result<bool, Wrong> {
    match tag.core_suffix() {
        Some("str") => Ok(true),
        Some("null" | "bool" | "int" | "float") => Ok(false),
        _ if tag.original() == "!" => Ok(true),
        _ => Err(unknown(tag)),
    }
}

fn unknown(tag: &Tag) -> Wrong {
    Wrong::new(format!("has the tag {}, which means nothing here", tag.original()))
}

fn too_deep() -> Wrong {
    Wrong::new(format!("is nested deeper than {MAX_DEPTH} levels"))
}
