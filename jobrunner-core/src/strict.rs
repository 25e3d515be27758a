//! For fields where serde takes more than JSON means: a list in place of an object, an object in
//! place of a word, and a name that is there twice.

use std::{collections::HashSet, fmt, marker::PhantomData, str::FromStr};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// Reads an object; `None` for null. A list of its fields' values is refused.
///
/// # Errors
/// Those of the value, and what is no object.
pub fn object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_option(Object(PhantomData))
}

/// Reads an object's values by their names. A name that is there twice is refused, since one of its
/// values would be lost.
///
/// # Errors
/// Those of the values, what is no object, and a repeated name.
pub fn once<'de, D, V, M>(deserializer: D) -> Result<M, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
    M: Default + Extend<(String, V)>,
{
    deserializer.deserialize_map(Once(PhantomData))
}

/// Reads one of a few words, which `expected` lists.
///
/// # Errors
/// What is no text, and another word.
pub fn word<'de, D, T>(deserializer: D, expected: &'static str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    deserializer.deserialize_str(Word { expected, word: PhantomData })
}

struct Word<T> {
    expected: &'static str,
    word: PhantomData<T>,
}

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Word<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<T, E> {
        word.parse().map_err(E::custom)
    }
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Option<T>, D::Error> {
        value.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Some)
    }
}

struct Once<V, M>(PhantomData<(V, M)>);

impl<'de, V, M> Visitor<'de> for Once<V, M>
where
    V: Deserialize<'de>,
    M: Default + Extend<(String, V)>,
{
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<M, A::Error> {
        let (mut all, mut names) = (M::default(), HashSet::new());
        while let Some(name) = fields.next_key::<String>()? {
            let value = fields.next_value()?;
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format_args!("has {name:?} twice")));
            }
            all.extend([(name, value)]);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        a: u8,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        #[serde(default, deserialize_with = "object")]
        inner: Option<Inner>,
        #[serde(default, deserialize_with = "once")]
        map: BTreeMap<String, String>,
    }

    #[test]
    fn an_object_is_no_list_and_names_are_there_once() {
        let read = |text| serde_json::from_str::<Outer>(text).map_err(|error| error.to_string());
        let expected =
            Outer { inner: Some(Inner { a: 1 }), map: [("x".to_owned(), "y".to_owned())].into() };
        assert_eq!(read(r#"{"inner": {"a": 1}, "map": {"x": "y"}}"#), Ok(expected));
        assert_eq!(read(r#"{"inner": null}"#), Ok(Outer { inner: None, map: BTreeMap::new() }));
        for (text, message) in [
            (r#"{"inner": [1]}"#, "expected an object"),
            (r#"{"inner": 1}"#, "expected an object"),
            (r#"{"map": {"x": "y", "x": "z"}}"#, "has \"x\" twice"),
            (r#"{"map": []}"#, "expected an object"),
            (r#"{"map": null}"#, "expected an object"),
        ] {
            let refused = read(text).expect_err(text);
            assert!(refused.contains(message), "{text}: {refused}");
        }
    }
}
