//! YAML as it is written: every scalar keeps its spelling, and every node its place. What a scalar
//! means is decided by the field that it is for, never by how it looks.

mod access;
mod deserializer;
mod number;
mod scalar;
mod tree;
mod wrong;

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

pub(super) use access::resolves_to;
pub(super) use tree::{Key, Kind, Node, Scalar, parse};
pub(super) use wrong::Wrong;

use deserializer::{OPTIONAL_TEXT, PLACED};

/// Where something begins, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    line: u64,
    column: u64,
}

impl Place {
    /// The beginning of a document.
    pub(super) const START: Self = Self { line: 1, column: 1 };
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Placed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Parts<T> {
            type Value = Placed<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value with its place")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Placed<T>, A::Error> {
                let missing = || serde::de::Error::custom("has no place");
                let line = parts.next_element()?.ok_or_else(missing)?;
                let column = parts.next_element()?.ok_or_else(missing)?;
                let value = parts.next_element()?.ok_or_else(missing)?;
                Ok(Placed { value, place: Place { line, column } })
            }
        }

        deserializer.deserialize_newtype_struct(PLACED, Parts(PhantomData))
    }
}

/// Reads a text that may be left out. `null` and `~` are texts like any other; nothing at all after
/// the colon is no text.
pub(super) fn optional_text<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct OptionalText<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for OptionalText<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("text")
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, text: D) -> Result<Self::Value, D::Error> {
            T::deserialize(text).map(Some)
        }
    }

    deserializer.deserialize_newtype_struct(OPTIONAL_TEXT, OptionalText(PhantomData))
}
