/// What a plain scalar is by the core schema of YAML 1.2 (section 10.3.2), for fields that are not
/// text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// `None` when it has more than 127 bits.
    Integer(Option<i128>),
    Float(f64),
    /// Everything else: `yes`, `off`, `1_000`, dates and words.
    Text,
}

pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        _ => {}
    }
    integer(text).or_else(|| float(text)).unwrap_or(Value::Text)
}

fn integer(text: &str) -> Option<Value> {
    let radix = |prefix, radix| Some((text.strip_prefix(prefix)?, radix));
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (digits, radix) = radix("0o", 8).or_else(|| radix("0x", 16)).unwrap_or((unsigned, 10));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let size = i128::from_str_radix(digits, radix).ok();
    Some(Value::Integer(size.map(|size| if text.starts_with('-') { -size } else { size })))
}

fn float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        let infinity = if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
        return Some(Value::Float(infinity));
    }
    // Rust's own grammar is that of the schema, but for these words.
    let is_number = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    is_number.then(|| text.parse().ok().map(Value::Float)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_what_the_core_schema_says() {
        let integer = |size| Value::Integer(Some(size));
        let cases = [
            ("", Value::Null),
            ("~", Value::Null),
            ("NULL", Value::Null),
            ("nULL", Value::Text),
            ("True", Value::Bool(true)),
            ("yes", Value::Text),
            ("n", Value::Text),
            ("0644", integer(644)),
            ("-12", integer(-12)),
            ("+12", integer(12)),
            ("0x1F", integer(31)),
            ("-0x1F", Value::Text),
            ("0o17", integer(15)),
            ("0o8", Value::Text),
            ("0b11", Value::Text),
            ("1_000", Value::Text),
            ("18446744073709551616", integer(1 << 64)),
            ("999999999999999999999999999999999999999999", Value::Integer(None)),
            ("3.10", Value::Float(3.1)),
            ("1e3", Value::Float(1000.0)),
            ("1.", Value::Float(1.0)),
            (".5", Value::Float(0.5)),
            (".", Value::Text),
            ("1e", Value::Text),
            ("e3", Value::Text),
            ("-.INF", Value::Float(f64::NEG_INFINITY)),
            ("inf", Value::Text),
            ("nan", Value::Text),
            ("infinity", Value::Text),
            ("2026-11-27", Value::Text),
            ("12:30", Value::Text),
            ("-", Value::Text),
            ("+", Value::Text),
        ];
        for (text, expected) in cases {
            assert_eq!(resolve(text), expected, "{text}");
        }
    }
}
