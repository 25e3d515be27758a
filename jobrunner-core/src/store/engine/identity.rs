//! The numbers of tests and causes: made of what they are, so that nobody has to look them up.
//!
//! Each is 64 bits of SHA-256. Among ten million tests of one series two have the same number with
//! a probability of three in a million; they would then share their past.

use sha2::{Digest, Sha256};

use super::values;
use crate::{JobSpec, Result, series::Variant, verdict::FailureCause};

/// The number of the test that a job is.
#[must_use]
pub fn test(name: &str, variant: &Variant) -> i64 {
    let pairs = variant.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
    number("test", std::iter::once(name).chain(pairs).map(Some))
}

/// The number of a case of a test: of its suite or class, and its name.
#[must_use]
pub fn case(of_test: i64, class: &str, name: &str) -> i64 {
    number("case", [Some(of_test.to_string().as_str()), Some(class), Some(name)].into_iter())
}

/// The number of a cause, which is never 0.
#[must_use]
pub fn cause(cause: &FailureCause) -> i64 {
    let reason = cause.reason.map(|reason| reason.as_str().to_owned());
    let exit_code = cause.exit_code.map(|code| code.to_string());
    let parts = [&reason, &exit_code, &cause.signal, &cause.error_line];
    match number("cause", parts.into_iter().map(|part| part.as_deref())) {
        0 => 1,
        number => number,
    }
}

/// What a test is called, if not as its job.
#[must_use]
pub fn own_name(spec: &JobSpec) -> Option<&str> {
    spec.test.as_deref().filter(|test| *test != spec.name)
}

/// The number of the test that a job of this specification is.
#[must_use]
pub fn of_spec(spec: &JobSpec) -> i64 {
    test(spec.test.as_deref().unwrap_or(&spec.name), &spec.variant)
}

/// A variant as it is stored; `None` is one without keys.
///
/// # Errors
/// It cannot be written.
pub fn stored_variant(variant: &Variant) -> Result<Option<String>> {
    (!variant.is_empty()).then(|| values::render(variant)).transpose()
}

fn number<'a>(kind: &str, parts: impl Iterator<Item = Option<&'a str>>) -> i64 {
    let mut hash = Sha256::new();
    hash.update(kind);
    for part in parts {
        // Lengths keep parts apart, and one more than any length what is not there.
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        hash.update(length.to_be_bytes());
        hash.update(part.unwrap_or_default());
    }
    let digest: [u8; 32] = hash.finalize().into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn variant(pairs: &[(&str, &str)]) -> Variant {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn what_is_different_has_different_numbers() {
        let numbers = [
            test("a", &variant(&[])),
            test("ab", &variant(&[])),
            test("a", &variant(&[("b", "c")])),
            test("a", &variant(&[("bc", "")])),
            test("a", &variant(&[("b", "c"), ("d", "e")])),
            case(test("a", &variant(&[])), "b", "c"),
            case(test("a", &variant(&[])), "bc", ""),
            cause(&FailureCause::default()),
            cause(&FailureCause { exit_code: Some(1), ..FailureCause::default() }),
            cause(&FailureCause { exit_code: Some(2), ..FailureCause::default() }),
            cause(&FailureCause { exit_code: Some(3), ..FailureCause::default() }),
            cause(&FailureCause { error_line: Some(String::new()), ..FailureCause::default() }),
            cause(&FailureCause { signal: Some(String::new()), ..FailureCause::default() }),
        ];
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), numbers.len());
    }

    #[test]
    fn a_number_stays_what_it_is_from_version_to_version() {
        let numbers = [test("a", &variant(&[("os", "linux")])), case(1, "b", "c")];
        assert_eq!(numbers, [-1_806_315_607_954_958_125, -7_619_547_050_870_345_351]);
    }
}
