use super::{
    Piece, Terminal,
    sequence::{Action, Parser},
};

/// Returns output as the text that a terminal shows in the end, line by line. Styles are left out,
/// tabs are kept.
#[must_use]
pub fn text(output: &[u8]) -> String {
    let mut terminal = Terminal::default();
    let mut text = String::new();
    for piece in [terminal.push(output), terminal.finish()].into_iter().flatten() {
        add(&mut text, piece);
    }
    text
}

/// Returns text from elsewhere - a name, a message - as one line that commands nothing. What would
/// end the line or write over it is a space; tabs are kept.
#[must_use]
pub fn line(foreign: &str) -> String {
    let (mut parser, mut line) = (Parser::default(), String::with_capacity(foreign.len()));
    let mut add = |action: Action<'_>| match action {
        Action::Print(character) | Action::Control(character @ '\t') => line.push(character),
        Action::Control('\n' | '\r' | '\u{b}' | '\u{c}') => line.push(' '),
        Action::Control(_) | Action::Command { .. } => {}
    };
    foreign.chars().for_each(|character| parser.advance(character, &mut add));
    parser.finish(&mut add);
    line
}

fn add(text: &mut String, piece: Piece) {
    if piece.over {
        text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
    }
    text.extend(piece.runs.into_iter().map(|run| run.text));
    if piece.ends {
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_text_is_one_line_and_cannot_command_the_terminal() {
        for (foreign, expected) in [
            ("a\x1b]0;owned\x07b\u{9b}31mc\td", "abc\td"),
            ("one\r\ntwo\rthree\x08", "one  two three"),
            ("no end \x1b]0;x", "no end ]0;x"),
            ("日本 é", "日本 é"),
        ] {
            assert_eq!(line(foreign), expected, "{foreign:?}");
        }
    }

    #[test]
    fn text_is_what_is_shown_in_the_end() {
        assert_eq!(text(b"10 %\r20 %\n\x1b[31mwant\tgot\x1b[0m\r\r\n"), "20 %\nwant\tgot\n");
    }
}
