//! Parameters of operations, each of which says in its schema what it takes.

use std::borrow::Cow;

use jobrunner_core::{
    Violation,
    service::{IdPart, NoPart},
};
use poem::Request;
use poem_openapi::{
    param::Header,
    registry::MetaSchemaRef,
    types::{ParseError, ParseFromParameter, ParseResult, Type},
};
use schemars::JsonSchema;

use super::{problem::Failure, schema};

/// What a parameter is read as.
pub(crate) trait Parameter: JsonSchema + Send + Sync + Sized {
    /// Reads it.
    ///
    /// # Errors
    /// What would be right; it begins with "must".
    fn read(text: &str) -> Result<Self, String>;
}

/// A parameter that was given.
pub(crate) struct Given<T>(pub(crate) T);

impl<T: Parameter> Type for Given<T> {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_ref() -> MetaSchemaRef {
        schema::taken::<T>()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl<T: Parameter> ParseFromParameter for Given<T> {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        T::read(text).map(Self).map_err(ParseError::custom)
    }
}

/// Returns what a header was read as. One that is no text is not handed to the reader.
///
/// # Errors
/// There is one, and it is no text.
pub(crate) fn header<T: Parameter>(
    given: Header<Option<Given<T>>>,
    request: &Request,
    name: &'static str,
) -> Result<Option<T>, Failure> {
    match given.0 {
        None if request.headers().contains_key(name) => {
            Err(Violation::new(name, "must have visible characters alone").into())
        }
        given => Ok(given.map(|given| given.0)),
    }
}

/// Declares parameters, each with a type of what it is read as, its schema, and its reader.
macro_rules! parameters {
    ($($(#[doc = $doc:literal])+ $name:ident($inner:ty) { $($key:literal: $value:expr),+ $(,)? } $read:expr;)+) => {$(
        $(#[doc = $doc])+
        pub(crate) struct $name(pub(crate) $inner);

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ $($key: $value),+ })
            }
        }

        impl $crate::api::http::parameter::Parameter for $name {
            fn read(text: &str) -> std::result::Result<Self, String> {
                let read: fn(&str) -> std::result::Result<$inner, String> = $read;
                read(text).map(Self)
            }
        }
    )+};
}

pub(crate) use parameters;

parameters! {
    /// Text, as a filter.
    Text(String) { "type": "string", "pattern": "^[^\\u0000]*$" } |text| Ok(text.to_owned());

    /// Digits of an id.
    IdDigits(IdPart) { "type": "string", "pattern": crate::api::model::pattern::ID_DIGITS } |text| {
        text.parse().map_err(|wrong: NoPart| wrong.to_string())
    };

    /// How many bytes.
    Bytes(u64) { "type": "integer", "format": "uint64", "minimum": 0 } |text| {
        text.parse().map_err(|_| "must be a whole number, 0 or more".to_owned())
    };

    /// The number of an attempt.
    AttemptNumber(u32) { "type": "integer", "format": "uint32", "minimum": 1 } |text| {
        let number = text.parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| "must be a whole number from 1 to 4294967295".to_owned())
    };
}
