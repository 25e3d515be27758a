use std::ops::Range;

/// What a `Range` header asks for, of a text of a known length (RFC 9110, section 14).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Everything: there is no header, or none that is understood.
    All,
    /// One part, which is there.
    Part(Range<u64>),
    /// A part that is not there.
    Unsatisfiable,
}

/// Reads a `Range` header. Several ranges are answered with everything, which the standard allows.
pub(crate) fn wanted(header: Option<&str>, length: u64) -> Wanted {
    let Some(spec) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return Wanted::All;
    };
    let Some((first, last)) = spec.split_once('-') else { return Wanted::All };
    let range = match (number(first), number(last)) {
        (Number::Is(first), Number::Is(last)) if first <= last => {
            first..last.saturating_add(1).min(length)
        }
        (Number::Is(first), Number::Missing) => first..length,
        (Number::Missing, Number::Is(suffix)) => length.saturating_sub(suffix)..length,
        _ => return Wanted::All,
    };
    if range.start >= range.end { Wanted::Unsatisfiable } else { Wanted::Part(range) }
}

enum Number {
    Missing,
    Is(u64),
    Wrong,
}

fn number(text: &str) -> Number {
    match text.trim() {
        "" => Number::Missing,
        digits if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            digits.parse().map_or(Number::Wrong, Number::Is)
        }
        _ => Number::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood_in_its_three_forms() {
        let part = |header| wanted(Some(header), 100);
        assert_eq!(part("bytes=0-9"), Wanted::Part(0..10));
        assert_eq!(part("bytes=90-"), Wanted::Part(90..100));
        assert_eq!(part("bytes=-5"), Wanted::Part(95..100));
        assert_eq!(part("bytes=90-1000"), Wanted::Part(90..100));
        assert_eq!(part("bytes=-1000"), Wanted::Part(0..100));
    }

    #[test]
    fn what_is_beyond_the_end_cannot_be_had() {
        for header in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(wanted(Some(header), 100), Wanted::Unsatisfiable, "{header}");
        }
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn anything_else_is_answered_with_everything() {
        for header in ["bytes=0-1,5-6", "lines=1-2", "bytes=9-0", "bytes=a-", "bytes=", "bytes=-"] {
            assert_eq!(wanted(Some(header), 100), Wanted::All, "{header}");
        }
        assert_eq!(wanted(None, 100), Wanted::All);
    }
}
