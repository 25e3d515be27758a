//! What a command said last, without what differs from run to run.

/// The longest line that is kept, in characters.
const LONGEST: usize = 200;

/// The last line of an output that is not blank, with numbers, addresses and colours replaced or left out, so
/// that failures that are alike have the same line. `None` if there is no such line.
#[must_use]
pub fn of(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().rev().map(plain).find(|line| !line.trim().is_empty())?;
    let words = line.split_whitespace().map(normal);
    let line = words.collect::<Vec<_>>().join(" ");
    Some(line.chars().take(LONGEST).collect())
}

/// Without what commands a terminal.
fn plain(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => {
                // A control sequence ends with a letter.
                if characters.next() == Some('[') {
                    characters.by_ref().find(char::is_ascii_alphabetic);
                }
            }
            '\t' => plain.push(' '),
            control if control.is_control() => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Numbers, and long hexadecimal ones, as `#`.
fn normal(word: &str) -> String {
    let mut normal = String::with_capacity(word.len());
    let mut rest = word;
    while !rest.is_empty() {
        let is_part = |c: char| c.is_ascii_alphanumeric();
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        if length == 0 {
            let other = rest.find(is_part).unwrap_or(rest.len());
            normal.push_str(&rest[..other]);
            rest = &rest[other..];
            continue;
        }
        let part = &rest[..length];
        let has_digit = part.bytes().any(|byte| byte.is_ascii_digit());
        let hexadecimal = part.strip_prefix("0x").unwrap_or(part);
        let is_hexadecimal = hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit());
        if has_digit && is_hexadecimal && (part.len() >= 6 || part.starts_with("0x")) {
            normal.push('#');
        } else {
            let mut in_number = false;
            for character in part.chars() {
                let is_digit = character.is_ascii_digit();
                match (is_digit, in_number) {
                    (true, false) => normal.push('#'),
                    (true, true) => {}
                    (false, _) => normal.push(character),
                }
                in_number = is_digit;
            }
        }
        rest = &rest[length..];
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Option<String> {
        of(text.as_bytes())
    }

    #[test]
    fn what_differs_from_run_to_run_is_left_out() {
        for (text, expected) in [
            ("first\nassertion failed: 3 == 17\n\n  \n", "assertion failed: # == #"),
            ("segfault at 0x7ffd1a2b (pid 4711)", "segfault at # (pid #)"),
            ("\u{1b}[31mFAIL\u{1b}[0m test_42/case_007", "FAIL test_#/case_#"),
            ("2026-11-25T09:10:11Z error in 8f3c2a1d", "#-#-#T#:#:#Z error in #"),
            ("cannot open /tmp/x1/a.c: No such file", "cannot open /tmp/x#/a.c: No such file"),
        ] {
            assert_eq!(line(text).as_deref(), Some(expected));
        }
        assert_eq!(line("\n \n"), None);
        assert_eq!(line(""), None);
        assert_eq!(line(&"x".repeat(1000)).map(|line| line.len()), Some(200));
        assert!(of(b"bad \xff byte").is_some());
    }
}
