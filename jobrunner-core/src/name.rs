//! Names for people: of jobs, of batches, of accounts.

/// The longest name, in bytes.
const LONGEST: usize = 255;

/// Returns what is wrong with a name; `None` if it may be given. A name that may is kept exactly as
/// it was given, with any spaces around it.
pub(crate) fn refusal(name: &str) -> Option<String> {
    if name.is_empty() || name.len() > LONGEST {
        Some(format!("must have 1 to {LONGEST} bytes"))
    } else if name.chars().any(char::is_control) {
        Some("must be one line without control characters".to_owned())
    } else if name.chars().all(is_invisible) {
        Some("must have a character that can be seen".to_owned())
    } else {
        None
    }
}

/// Whether a character leaves nothing to be seen: spaces of all kinds, what is of zero width,
/// controls and marks of direction, and fillers (Unicode 16: `White_Space`,
/// `Default_Ignorable_Code_Point`, and those blanks that are neither).
pub(crate) fn is_invisible(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{13441}'..='\u{13442}'
                | '\u{16fe4}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d159}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_nothing_that_can_be_seen_is_refused() {
        let invisible = [
            " ",
            "\u{a0}",
            "\u{1680}",
            "\u{2003}",
            "\u{202f}",
            "\u{205f}",
            "\u{3000}",
            "\u{2028}",
            "\u{ad}",
            "\u{34f}",
            "\u{61c}",
            "\u{115f}",
            "\u{1160}",
            "\u{17b4}",
            "\u{180e}",
            "\u{200b}",
            "\u{200d}",
            "\u{200e}",
            "\u{202e}",
            "\u{2060}",
            "\u{2066}",
            "\u{206f}",
            "\u{2800}",
            "\u{3164}",
            "\u{fe0f}",
            "\u{feff}",
            "\u{ffa0}",
            "\u{fff9}",
            "\u{1d159}",
            "\u{e0001}",
            "\u{e0041}",
            "\u{e01ef}",
        ];
        for name in invisible {
            assert!(refusal(name).is_some_and(|why| why.contains("seen")), "{name:?}");
            assert!(refusal(&name.repeat(3)).is_some(), "{name:?} three times");
            assert_eq!(refusal(&format!("{name}x")), None, "{name:?} before a letter");
        }
        assert!(refusal(&invisible.concat()).is_some());
    }

    #[test]
    fn what_can_be_seen_is_a_name() {
        for name in
            ["a", " a ", "日本", "é", "e\u{301}", "👩\u{200d}👧", "❤\u{fe0f}", "\u{fffe}", "."]
        {
            assert_eq!(refusal(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_name_is_one_line_of_1_to_255_bytes() {
        assert_eq!(refusal(&"n".repeat(255)), None);
        for name in [String::new(), "n".repeat(256), "é".repeat(128)] {
            assert_eq!(refusal(&name).as_deref(), Some("must have 1 to 255 bytes"));
        }
        for name in ["a\nb", "a\0", "\u{85}", "a\u{1b}[31m"] {
            assert!(refusal(name).is_some_and(|why| why.contains("control")), "{name:?}");
        }
    }
}
