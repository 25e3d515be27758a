//! What a command said last, without what differs from run to run.

use crate::terminal;

/// The longest line that is kept, in characters.
const LONGEST: usize = 200;

/// How much of the end of an output is looked at: enough for the states of a progress bar that are
/// written over one another, and for a link in a line.
pub const END: usize = 8 * 1024;

/// The last line of an output that is not blank, as a terminal shows it in the end, with numbers
/// and addresses replaced, so that failures that are alike have the same line. `None` if there is
/// no such line.
///
/// Of a longer output than [`END`], the line that its last so many bytes begin in counts only if no
/// other one does.
#[must_use]
pub fn of(output: &[u8]) -> Option<String> {
    let from = output.len().saturating_sub(END);
    let end = &output[from..];
    let whole = end.iter().position(|byte| *byte == b'\n').filter(|_| output.len() >= END);
    let whole = &end[whole.map_or(0, |newline| newline + 1)..];
    last_of(whole).or_else(|| last_of(end))
}

fn last_of(output: &[u8]) -> Option<String> {
    let text = terminal::text(output);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    let words = line.split_whitespace().map(normal);
    let line = words.collect::<Vec<_>>().join(" ");
    Some(line.chars().take(LONGEST).collect())
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

    #[test]
    fn what_a_terminal_shows_in_the_end_counts() {
        let progress: String = (0..=100).map(|n| format!("\rDownloading {n:3} %")).collect();
        for (text, expected) in [
            (progress.as_str(), "Downloading # %"),
            (&progress.repeat(20), "Downloading # %"),
            (&format!("{progress}\r\x1b[Kno space left\r\n"), "no space left"),
            ("see \x1b]8;;https://example.org/12\x1b\\the log\x1b]8;;\x1b\\\n", "see the log"),
            ("\x1b[1;31mwant\tgot\x1b(B\x1b[m\r\r\n\x1b[0m\n", "want got"),
            ("the reason\n100 %\r\x1b[2K\n", "the reason"),
        ] {
            assert_eq!(line(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn of_long_output_the_first_line_that_is_whole_counts() {
        let long = "y".repeat(END);
        let cut = &[long.as_bytes(), b"8;;https://x\nthe reason\n"].concat();
        assert_eq!(of(&cut[5..]).as_deref(), Some("the reason"));
        assert!(
            of(&[long.as_bytes(), b"yy\n"].concat()).is_some_and(|line| line.starts_with("yy"))
        );
    }
}
