use sha2::{Digest, Sha256};

use super::{LONGEST_MESSAGE, LONGEST_NAME};

/// How a text that is shared is written and read: as any text.
pub(super) mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(text)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(from).map(Into::into)
    }
}

/// What stands for the end of a text that was cut.
const CUT: &str = "…";

/// How many bytes of a digest tell long names apart.
const DIGEST_BYTES: usize = 8;

/// A name on one line, without what cannot be seen, and short enough.
pub(super) fn name(text: &str) -> String {
    let line = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let line: String = line.collect();
    if line.len() <= LONGEST_NAME {
        return line;
    }
    let digest = Sha256::digest(&line);
    let digest: String = digest.iter().take(DIGEST_BYTES).map(|b| format!("{b:02x}")).collect();
    let end = boundary(&line, LONGEST_NAME - CUT.len() - digest.len());
    format!("{}{CUT}{digest}", &line[..end])
}

/// A message of at most [`LONGEST_MESSAGE`] bytes; `is_cut` says whether `text` lacks its end
/// already.
pub(super) fn message(text: &str, is_cut: bool) -> String {
    let visible = |c: char| match c {
        '\n' | '\t' => c,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    let mut message: String = text.trim_end().replace("\r\n", "\n").chars().map(visible).collect();
    if is_cut || message.len() > LONGEST_MESSAGE {
        message.truncate(boundary(&message, LONGEST_MESSAGE - CUT.len()));
        message.push_str(CUT);
    }
    message
}

/// The last place at or before `end` where a character begins.
pub(super) fn boundary(text: &str, end: usize) -> usize {
    text.floor_char_boundary(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_and_still_told_apart() {
        let long = |last: char| format!("{}{last}", "ä".repeat(LONGEST_NAME));
        let (a, b) = (name(&long('a')), name(&long('b')));
        assert!(a.len() <= LONGEST_NAME && a.contains(CUT), "{a}");
        assert_ne!(a, b);
        assert_eq!(name(" a\nb\u{1b}[31m "), "a b [31m");
    }

    #[test]
    fn a_message_says_that_its_end_was_cut() {
        assert_eq!(message("a\r\nb\u{8}\n", false), "a\nb\u{fffd}");
        assert_eq!(message("a", true), "a…");
        let cut = message(&"€".repeat(LONGEST_MESSAGE), false);
        assert!(cut.len() <= LONGEST_MESSAGE && cut.ends_with("€…"), "{}", cut.len());
    }
}
