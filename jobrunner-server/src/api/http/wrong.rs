//! What is wrong with a body or a parameter, in plain words: no type or option of a library is in
//! them.

use jobrunner_core::Violation;
use serde_path_to_error::Path;

/// How a time is written.
const TIME: &str = "a time as in RFC 3339, such as 2026-11-25T09:10:11Z";

/// Returns the field that could not be read, and what would be right. `body` is the field when the
/// whole is wrong.
pub(crate) fn violation(path: &Path, error: &serde_json::Error) -> Violation {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let path = path.to_string();
    let is_whole = matches!(path.as_str(), "." | "?" | "");
    let within = |name: &str| {
        let is_last = path == name || path.ends_with(&format!(".{name}"));
        match (is_whole, is_last) {
            (true, _) => name.to_owned(),
            (false, true) => path.clone(),
            (false, false) => format!("{path}.{name}"),
        }
    };
    let (field, message) = if let Some((name, _)) = named(text, "missing field `") {
        (within(name), "is missing".to_owned())
    } else if let Some((name, _)) = named(text, "duplicate field `") {
        (within(name), "is there twice".to_owned())
    } else if let Some((name, rest)) = named(text, "unknown field `") {
        let message = match known(rest) {
            Some(known) => format!("is unknown: there are {known}"),
            None => "is unknown".to_owned(),
        };
        (within(name), message)
    } else {
        let field = if is_whole { "body".to_owned() } else { path.clone() };
        (field, sentence(text))
    };
    Violation::new(short(&field), short(&message))
}

/// Returns what is wrong with a form: the field, if serde reports which, or `form`.
pub(crate) fn of_form(error: &str) -> Violation {
    let missing = named(error, "missing field `").map(|(name, _)| (name, "is missing"));
    let doubled = named(error, "duplicate field `").map(|(name, _)| (name, "is there twice"));
    match missing.or(doubled) {
        Some((name, message)) => Violation::new(name, message),
        None => Violation::new("form", sentence(error)),
    }
}

/// Returns what is wrong with a parameter, as poem-openapi reports it: around what its reader
/// reports, it writes the names of types.
pub(crate) fn of_parameter(reason: &str) -> &str {
    if let Some((_, message)) = reason.split_once("\": must ") {
        let start = reason.len() - message.len() - "must ".len();
        let end = reason.rfind(" (occurred while parsing ").unwrap_or(reason.len());
        return &reason[start..end];
    }
    let is = |kind: &str| reason.contains(kind);
    match () {
        () if is("uuid") => "must be an id, such as 0198c6f0-1234-7abc-8def-0123456789ab",
        () => "cannot be read",
    }
}

/// Returns what is wrong with a value, as serde or one of its formats reports it: a sentence that
/// fits behind the name of its field.
pub(crate) fn sentence(text: &str) -> String {
    for prefix in ["invalid type: ", "invalid value: "] {
        let parts = text.strip_prefix(prefix).and_then(|rest| rest.split_once(", expected "));
        if let Some((found, expected)) = parts {
            return format!("must be {}, not {}", wanted(expected), got(found));
        }
    }
    let parts =
        text.strip_prefix("invalid length ").and_then(|rest| rest.split_once(", expected "));
    if let Some((_, expected)) = parts {
        return format!("must be {}", wanted(expected));
    }
    if let Some((_, rest)) = named(text, "unknown variant `") {
        return known(rest)
            .map_or("must be another word".to_owned(), |known| format!("must be one of {known}"));
    }
    match text {
        "number out of range" => "must be a smaller number".to_owned(),
        "recursion limit exceeded" => "is nested too deep".to_owned(),
        "invalid digit found in string"
        | "number too large to fit in target type"
        | "number too small to fit in target type"
        | "cannot parse integer from empty string" => "must be a whole number".to_owned(),
        "invalid float literal" | "cannot parse float from empty string" => {
            "must be a number".to_owned()
        }
        "provided string was not `true` or `false`" => "must be true or false".to_owned(),
        "input contains invalid characters"
        | "premature end of input"
        | "trailing input"
        | "input is out of range"
        | "input is not enough for unique date and time"
        | "no possible date and time matching input" => format!("must be {TIME}"),
        _ if text.contains("hex escape") || text.contains("unicode code point") => {
            "has a \\u escape that stands for no character".to_owned()
        }
        // What this project reports itself reads after the name of a field.
        _ if text.starts_with("must ") || text.starts_with("has ") => text.to_owned(),
        _ => "is of another type than is expected here".to_owned(),
    }
}

/// What is between a prefix and the next backtick, and the rest.
fn named<'a>(text: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(prefix)?.split_once('`')
}

/// Which names serde knows in the place of one that it does not.
fn known(rest: &str) -> Option<String> {
    let (_, names) = rest.split_once("expected ")?;
    Some(names.trim_start_matches("one of ").replace('`', "").replace(" or ", ", "))
}

/// What was expected.
fn wanted(expected: &str) -> String {
    const BITS: [(&str, u128); 5] = [
        ("u8", u8::MAX as u128),
        ("u16", u16::MAX as u128),
        ("u32", u32::MAX as u128),
        ("u64", u64::MAX as u128),
        ("usize", usize::MAX as u128),
    ];
    if let Some((_, most)) = BITS.iter().find(|(name, _)| *name == expected) {
        return format!("a whole number from 0 to {most}");
    }
    match expected {
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a borrowed string" => "a string".to_owned(),
        "a map" => "an object".to_owned(),
        "a sequence" => "a list".to_owned(),
        "any valid JSON value" => "a value".to_owned(),
        _ if expected.starts_with("struct ") => "an object".to_owned(),
        _ if expected.starts_with("tuple ") => "a list".to_owned(),
        _ if expected.contains("date and time") => TIME.to_owned(),
        _ if ["enum ", "variant", "unit ", "option", "::"]
            .iter()
            .any(|it| expected.contains(it)) =>
        {
            "of another type".to_owned()
        }
        _ => expected.replace('`', ""),
    }
}

/// What there was instead.
fn got(found: &str) -> String {
    match found {
        "map" => "an object".to_owned(),
        "sequence" => "a list".to_owned(),
        "unit value" => "null".to_owned(),
        _ => {
            let value = ["boolean ", "integer ", "floating point ", "character "]
                .iter()
                .find_map(|kind| found.strip_prefix(kind));
            match (value, found.strip_prefix("string ")) {
                (Some(value), _) => value.replace('`', ""),
                (None, Some(text)) => text.to_owned(),
                (None, None) => found.replace('`', ""),
            }
        }
    }
}

/// Text that may hold what the caller sent, cut to a length that is good to read.
fn short(text: &str) -> String {
    const LONGEST: usize = 300;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_is_said_in_plain_words() {
        for (text, expected) in [
            ("invalid type: null, expected a string", "must be a string, not null"),
            ("invalid type: integer `5`, expected one of a, b", "must be one of a, b, not 5"),
            ("invalid type: sequence, expected struct NewJob", "must be an object, not a list"),
            ("invalid type: map, expected a sequence", "must be a list, not an object"),
            (
                "invalid type: string \"x\", expected u8",
                "must be a whole number from 0 to 255, not \"x\"",
            ),
            (
                "invalid value: integer `-1`, expected u32",
                "must be a whole number from 0 to 4294967295, not -1",
            ),
            (
                "invalid type: floating point `1.5`, expected u64",
                "must be a whole number from 0 to 18446744073709551615, not 1.5",
            ),
            ("invalid type: boolean `true`, expected f64", "must be a number, not true"),
            ("unknown variant `x`, expected `a` or `b`", "must be one of a, b"),
            ("number out of range", "must be a smaller number"),
            (
                "lone leading surrogate in hex escape",
                "has a \\u escape that stands for no character",
            ),
            (
                "data did not match any variant of untagged enum Scalar",
                "is of another type than is expected here",
            ),
            ("must be failed or all", "must be failed or all"),
            (
                "premature end of input",
                "must be a time as in RFC 3339, such as 2026-11-25T09:10:11Z",
            ),
        ] {
            assert_eq!(sentence(text), expected, "{text}");
        }
    }
}
