use std::{fmt, rc::Rc};

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor,
        value::{BorrowedStrDeserializer, U64Deserializer},
    },
    forward_to_deserialize_any,
};

use super::{
    Place, Wrong,
    number::is_kept,
    scalar::{Value, resolve},
    tree::{Key, Kind, Node, Scalar},
};

/// Newtypes that a node gives more to than its value.
pub(super) const PLACED: &str = "value with its place";
pub(super) const OPTIONAL_TEXT: &str = "text that may be left out";

/// Reads a node as the type that is asked for. A text is what is written, whatever it looks like;
/// only what may be of any type is decided by the core schema.
impl<'de> Deserializer<'de> for &'de Node {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.kind {
            Kind::Scalar(scalar) => any(scalar, visitor).map_err(|wrong| wrong.at(self.place)),
            Kind::List(_) => self.deserialize_seq(visitor),
            Kind::Map(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let text = &self.scalar("text")?.text;
        visitor.visit_borrowed_str(text).map_err(|wrong: Wrong| wrong.at(self.place))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let expected = "true or false";
        match resolve(&self.scalar(expected)?.text) {
            Value::Bool(value) => visitor.visit_bool(value),
            _ => Err(self.refuse(expected)),
        }
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_u64(self.whole_number(u8::MAX.into())?)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_u64(self.whole_number(u16::MAX.into())?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_u64(self.whole_number(u32::MAX.into())?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_u64(self.whole_number(u64::MAX)?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let expected = "a number";
        let text = &self.scalar(expected)?.text;
        let number = match resolve(text) {
            Value::Integer(Some(_)) => text.parse().ok(),
            Value::Float(number) => Some(number).filter(|number| number.is_finite()),
            _ => None,
        };
        visitor.visit_f64(number.ok_or_else(|| self.refuse(expected))?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        match name {
            PLACED => visitor.visit_seq(Parts { node: self, given: 0 }),
            OPTIONAL_TEXT if self.is_nothing() => visitor.visit_none(),
            OPTIONAL_TEXT => visitor.visit_some(self),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let items = self.items()?;
        visitor.visit_seq(Items { items, next: 0 }).map_err(|wrong| wrong.at(self.place))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let entries = self.entries()?;
        visitor.visit_map(Entries { entries, next: 0 }).map_err(|wrong| wrong.at(self.place))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.deserialize_map(visitor)
    }

    /// What is ignored here is read elsewhere.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct enum
    }
}

/// A scalar whose field may be of any type, as JSON has it.
fn any<'de, V: Visitor<'de>>(scalar: &'de Scalar, visitor: V) -> Result<V::Value, Wrong> {
    let text = &scalar.text;
    if scalar.is_text {
        return visitor.visit_borrowed_str(text);
    }
    match resolve(text) {
        Value::Null => visitor.visit_unit(),
        Value::Bool(value) => visitor.visit_bool(value),
        Value::Text => visitor.visit_borrowed_str(text),
        Value::Float(number) if is_kept(text, number) => visitor.visit_f64(number),
        Value::Float(number) if number.is_nan() || text.contains(['f', 'F']) => {
            Err(Wrong::new(format!("is {text}, which JSON does not have; write it in quotes")))
        }
        Value::Integer(Some(number)) if u64::try_from(number).is_ok() => {
            visitor.visit_u64(number as u64)
        }
        Value::Integer(Some(number)) if i64::try_from(number).is_ok() => {
            visitor.visit_i64(number as i64)
        }
        Value::Float(_) | Value::Integer(_) => Err(Wrong::new(format!(
            "is the number {text}, which would be rounded; write it in quotes"
        ))),
    }
}

impl Node {
    pub(super) fn scalar(&self, expected: &str) -> Result<&Scalar, Wrong> {
        match &self.kind {
            Kind::Scalar(scalar) => Ok(scalar),
            Kind::List(_) | Kind::Map(_) => Err(self.refuse(expected)),
        }
    }

    pub(super) fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar(scalar) => !scalar.is_text && resolve(&scalar.text) == Value::Null,
            Kind::List(_) | Kind::Map(_) => false,
        }
    }

    fn whole_number(&self, largest: u64) -> Result<u64, Wrong> {
        let expected = format!("a whole number from 0 to {largest}");
        match resolve(&self.scalar(&expected)?.text) {
            Value::Integer(Some(number)) => u64::try_from(number).ok(),
            _ => None,
        }
        .filter(|number| *number <= largest)
        .ok_or_else(|| self.refuse(&expected))
    }

    pub(super) fn refuse(&self, expected: &str) -> Wrong {
        let found: &dyn fmt::Display = match &self.kind {
            Kind::List(_) => &"a list",
            Kind::Map(_) => &"a map",
            Kind::Scalar(Scalar { text, .. }) if text.is_empty() => &"empty",
            Kind::Scalar(Scalar { text, .. }) => &format!("{:?}", shortened(text)),
        };
        Wrong::new(format!("must be {expected}, not {found}")).at(self.place)
    }
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The items of a list.
struct Items<'de> {
    items: &'de [Rc<Node>],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Wrong;

    fn next_element_seed<T>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong>
    where
        T: DeserializeSeed<'de>,
    {
        let Some(item) = self.items.get(self.next) else { return Ok(None) };
        let place = format!("[{}]", self.next);
        self.next += 1;
        seed.deserialize(&**item).map(Some).map_err(|wrong| wrong.at(item.place).within(place))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

/// The entries of a map.
struct Entries<'de> {
    entries: &'de [(Key, Rc<Node>)],
    next: usize,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Wrong;

    fn next_key_seed<K>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong>
    where
        K: DeserializeSeed<'de>,
    {
        let Some((key, _)) = self.entries.get(self.next) else { return Ok(None) };
        let text = BorrowedStrDeserializer::<Wrong>::new(&key.text);
        seed.deserialize(text).map(Some).map_err(|wrong| wrong.at(key.place))
    }

    fn next_value_seed<V>(&mut self, seed: V) -> Result<V::Value, Wrong>
    where
        V: DeserializeSeed<'de>,
    {
        let Some((key, value)) = self.entries.get(self.next) else {
            return Err(Wrong::custom("has a key without a value"));
        };
        self.next += 1;
        seed.deserialize(&**value).map_err(|wrong| wrong.at(value.place).within(key.text.clone()))
    }
}

/// A node as a [`Placed`](super::Placed): line, column, value.
struct Parts<'de> {
    node: &'de Node,
    given: usize,
}

impl<'de> SeqAccess<'de> for Parts<'de> {
    type Error = Wrong;

    fn next_element_seed<T>(&mut self, seed: T) -> Result<Option<T::Value>, Wrong>
    where
        T: DeserializeSeed<'de>,
    {
        let Place { line, column } = self.node.place;
        self.given += 1;
        match self.given {
            1 => seed.deserialize(U64Deserializer::new(line)).map(Some),
            2 => seed.deserialize(U64Deserializer::new(column)).map(Some),
            3 => seed.deserialize(self.node).map(Some),
            _ => Ok(None),
        }
    }
}
