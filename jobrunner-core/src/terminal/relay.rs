use super::{
    decode::Decoder,
    sequence::{Action, Parser},
};

/// Output on its way to somebody's terminal: text, and of what commands the terminal only what
/// moves or erases within the line. Titles, colours, answers that a terminal would type, and other
/// screens are left out.
#[derive(Debug, Default)]
pub struct Relay {
    decoder: Decoder,
    parser: Parser,
}

impl Relay {
    /// Returns what the terminal gets of the next output. A character or a sequence may come in
    /// parts.
    #[must_use]
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let mut passed = String::with_capacity(bytes.len());
        let Self { decoder, parser } = self;
        decoder.decode(bytes, |character| {
            parser.advance(character, &mut |action| pass(&mut passed, action));
        });
        passed
    }

    /// Returns what was waited for at the end of the output.
    #[must_use]
    pub fn finish(&mut self) -> String {
        let mut passed = String::new();
        let Self { decoder, parser } = self;
        decoder.finish(|character| {
            parser.advance(character, &mut |action| pass(&mut passed, action));
        });
        parser.finish(&mut |action| pass(&mut passed, action));
        passed
    }
}

fn pass(passed: &mut String, action: Action<'_>) {
    match action {
        Action::Print(character) | Action::Control(character @ ('\n' | '\r' | '\t' | '\u{8}')) => {
            passed.push(character);
        }
        Action::Control('\u{b}' | '\u{c}') => passed.push('\n'),
        Action::Command { end: end @ ('K' | 'X' | 'C' | 'D' | 'G'), parameters } => {
            passed.extend(["\u{1b}[", parameters]);
            passed.push(end);
        }
        Action::Control(_) | Action::Command { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_text_and_what_moves_within_the_line() {
        for (output, expected) in [
            ("a\x1b]0;owned\x07b\x1b[31mred\x1b[0m\n", "abred\n"),
            ("10 %\r\x1b[K20 %\x08\t\n", "10 %\r\x1b[K20 %\x08\t\n"),
            ("\x1b[6n\x1b[?1049h\x1bc\x1b[2J\x05x", "x"),
            ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\u{9b}31mred\u{9d}52;c;eA==\u{9c}", "red"),
            ("\x1b]0;no end\nb", "]0;no end\nb"),
            ("no end\x1b[3", "no end[3"),
        ] {
            for size in [1, 2, 100] {
                let mut relay = Relay::default();
                let parts = output.as_bytes().chunks(size);
                let mut passed: String = parts.map(|part| relay.push(part)).collect();
                passed.push_str(&relay.finish());
                assert_eq!(passed, expected, "{output:?}");
            }
        }
    }
}
