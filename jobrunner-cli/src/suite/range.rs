use jobrunner_core::batch::MAX_JOBS;

/// The values of `A..B` or `A..B..STEP`, both ends included; `None` for any other text. Where an
/// end has leading zeros, all values are as wide.
pub(super) fn values(text: &str) -> Option<Result<Vec<String>, String>> {
    let mut parts = text.split("..");
    let (first, last) = (parts.next()?, parts.next()?);
    let step = parts.next();
    if parts.next().is_some() {
        return None;
    }
    let (from, to) = (integer(first)?, integer(last)?);
    let step = step.map_or(Some(1), integer)?;
    Some(counted(from, to, step).map(|values| {
        let is_padded = |end: &str| end.trim_start_matches('-').len() > 1 && has_zero(end);
        let width =
            if is_padded(first) || is_padded(last) { first.len().max(last.len()) } else { 0 };
        values.map(|value| format!("{value:0width$}")).collect()
    }))
    .map(|values| values.map_err(|why| format!("has the range {text}, {why}")))
}

fn has_zero(end: &str) -> bool {
    end.trim_start_matches('-').starts_with('0')
}

/// The number that a text is, in digits alone.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn counted(from: i64, to: i64, step: i64) -> Result<impl Iterator<Item = i64>, String> {
    if step == 0 {
        return Err("whose step is 0".to_owned());
    }
    let (from, to, step) = (i128::from(from), i128::from(to), i128::from(step));
    let steps = (to - from) / step;
    if steps < 0 || (to - from).signum() * step.signum() < 0 {
        return Err(format!("which has no values; count down with {from}..{to}..{}", -step));
    }
    if steps >= MAX_JOBS as i128 {
        return Err(format!("which has more than {MAX_JOBS} values"));
    }
    Ok((0..=steps).filter_map(move |n| i64::try_from(from + n * step).ok()))
}

#[cfg(test)]
mod tests {
    use super::values;

    fn written(text: &str) -> String {
        values(text).expect("a range").expect("values").join(" ")
    }

    #[test]
    fn both_ends_of_a_range_are_part_of_it() {
        for (text, expected) in [
            ("1..5", "1 2 3 4 5"),
            ("7..7", "7"),
            ("-2..2", "-2 -1 0 1 2"),
            ("0..10..5", "0 5 10"),
            ("1..10..4", "1 5 9"),
            ("5..1..-2", "5 3 1"),
            ("08..11", "08 09 10 11"),
            ("1..010..3", "001 004 007 010"),
            ("0..3", "0 1 2 3"),
            ("-01..1", "-01 000 001"),
        ] {
            assert_eq!(written(text), expected, "{text}");
        }
        assert_eq!(values("1..1000").expect("a range").expect("values").len(), 1000);
    }

    #[test]
    fn other_texts_are_no_ranges() {
        for text in [
            "..",
            "1..",
            "..2",
            "a..z",
            "../x",
            "1...3",
            "1..2..",
            "1..2..3..4",
            "1.5..2",
            "+1..2",
            "1",
        ] {
            assert!(values(text).is_none(), "{text}");
        }
    }

    #[test]
    fn ranges_without_values_or_with_too_many_are_refused() {
        for (text, why) in [
            ("5..1", "count down with 5..1..-1"),
            ("1..5..-1", "no values"),
            ("1..5..0", "step is 0"),
            ("1..100001", "more than 100000"),
            ("-9223372036854775808..9223372036854775807", "more than"),
        ] {
            let refused = values(text).expect("a range").expect_err("refused");
            assert!(refused.contains(why), "{refused}");
        }
    }
}
