use std::fmt;

use super::{super::nearest, Place};

/// What is wrong with a document, where, and in which field.
#[derive(Debug)]
pub(crate) struct Wrong {
    message: String,
    place: Option<Place>,
    /// From the innermost field outwards.
    path: Vec<String>,
}

impl Wrong {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None, path: Vec::new() }
    }

    /// Sets the place, unless a more exact one is known.
    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }

    /// Names what the value is a part of.
    pub(crate) fn within(mut self, step: impl Into<String>) -> Self {
        self.path.push(step.into());
        self
    }
}

/// `LINE:COLUMN: FIELD MESSAGE`, on one line.
impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { line, column }) = self.place {
            write!(f, "{line}:{column}:")?;
        }
        let mut path = String::new();
        for step in self.path.iter().rev() {
            if !path.is_empty() && !step.starts_with('[') {
                path.push('.');
            }
            path.push_str(step);
        }
        if !path.is_empty() {
            write!(f, " {path}")?;
        }
        write!(f, " {}", self.message)
    }
}

impl std::error::Error for Wrong {}

impl serde::de::Error for Wrong {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(_: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::new(format!("must be {expected}"))
    }

    fn invalid_value(_: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::new(format!("must be {expected}"))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        let hint = nearest::hint(field, known.iter().copied());
        let known = if hint.is_empty() { format!(" (known: {})", known.join(", ")) } else { hint };
        Self::new(format!("has the unknown field {field:?}{known}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("needs the field {field}"))
    }
}
