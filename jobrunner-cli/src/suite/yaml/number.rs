/// Whether a number, as it is written, is kept by an `f64`: the digits that JSON shows are those
/// that were written, but for zeros at either end.
pub(super) fn is_kept(written: &str, number: f64) -> bool {
    number.is_finite()
        && digits(written).is_some_and(|it| Some(it) == digits(&format!("{number:e}")))
}

/// The digits from the first to the last that is not zero, and the power of ten of the last one.
fn digits(number: &str) -> Option<(String, i64)> {
    let number = number.trim_start_matches(['+', '-']);
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()?),
        None => (number, 0_i64),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_end_matches('0');
    let zeros = i64::try_from(all.len() - significant.len()).ok()?;
    let power = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(zeros)?;
    let significant = significant.trim_start_matches('0');
    Some((significant.to_owned(), if significant.is_empty() { 0 } else { power }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_would_be_rounded_are_known() {
        for kept in ["3.10", "1e3", "-0.0", "0.1", "100.00", "1.5E-7", ".5", "1.", "0e9", "1e22"] {
            assert!(is_kept(kept, kept.parse().expect("a number")), "{kept}");
        }
        for rounded in [
            "3.14159265358979323846",
            "9007199254740993.0",
            "1e400",
            "1e-400",
            "0.1000000000000000055511151231257827",
            "1e99999999999999999999",
        ] {
            assert!(!is_kept(rounded, rounded.parse().expect("a number")), "{rounded}");
        }
    }
}
