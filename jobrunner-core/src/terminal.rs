//! What a terminal shows of the bytes that a command writes: the one place that works it out, for
//! the dashboard, the results of a batch, the causes of failures and the command line.
//!
//! Only lines are kept, and not the screen: what moves the cursor up shows every state it writes.
//! Nothing that was written is hidden without an end: a sequence that no terminator ends, by the
//! end of its line or within a few kilobytes, is shown as text.

mod decode;
mod relay;
mod row;
mod sequence;
mod style;
mod text;

pub use relay::Relay;
pub use style::Style;
pub use text::{line, text};

pub use decode::Decoder;
use row::Row;
use sequence::{Action, Parser};

/// The lines of one stream of output, as they come. What it holds is bounded, whatever comes.
#[derive(Debug, Default)]
pub struct Terminal {
    decoder: Decoder,
    parser: Parser,
    row: Row,
    style: Style,
}

/// What output adds to the last line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// Whether it replaces all that earlier pieces have added to the line.
    pub over: bool,
    /// Text in one style after the other.
    pub runs: Vec<Run>,
    /// Whether it ends the line. What follows begins another one.
    pub ends: bool,
}

/// Text in one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// How it is shown.
    pub style: Style,
    /// Without any control character but tabs.
    pub text: String,
}

impl Terminal {
    /// Shows the next output. A character or a sequence may come in parts.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let Self { decoder, parser, row, style } = self;
        let mut pieces = Vec::new();
        decoder.decode(bytes, |character| {
            parser.advance(character, &mut |action| act(action, row, style, &mut pieces));
        });
        pieces.extend(row.piece());
        pieces
    }

    /// Ends the output: what was waited for will not come. What is pushed from now on begins anew,
    /// in the style of before.
    pub fn finish(&mut self) -> Vec<Piece> {
        let Self { decoder, parser, row, style } = self;
        let mut pieces = Vec::new();
        decoder.finish(|character| {
            parser.advance(character, &mut |action| act(action, row, style, &mut pieces));
        });
        parser.finish(&mut |action| act(action, row, style, &mut pieces));
        pieces.extend(row.piece());
        *row = Row::default();
        pieces
    }
}

fn act(action: Action<'_>, row: &mut Row, style: &mut Style, pieces: &mut Vec<Piece>) {
    match action {
        Action::Print(character) => row.write(character, *style, pieces),
        Action::Control('\t') => row.tab(*style, pieces),
        Action::Control('\r') => row.go_to(0),
        Action::Control('\u{8}') => row.back(1),
        Action::Control('\n' | '\u{b}' | '\u{c}') => pieces.push(row.end()),
        Action::Control(_) => {}
        Action::Command { end, parameters } => command(end, parameters, row, style),
    }
}

/// Carries out a control sequence (ECMA-48), if it is about the line.
fn command(end: char, parameters: &str, row: &mut Row, style: &mut Style) {
    let number = || parameters.split(';').next().and_then(|first| first.parse::<usize>().ok());
    let count = || number().unwrap_or(1).max(1);
    match (end, number().unwrap_or(0)) {
        ('m', _) => *style = style.with(parameters),
        ('K' | 'J', 0) => row.erase_from_cursor(),
        ('K', 1) => row.erase_to_cursor(),
        ('K', 2) => row.erase(),
        ('X', _) => row.blank(count()),
        ('C' | 'a', _) => row.forward(count()),
        ('D', _) => row.back(count()),
        ('G' | '`', _) => row.go_to(count() - 1),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the pieces come to: each line's text.
    fn lines(pieces: impl IntoIterator<Item = Piece>) -> Vec<String> {
        let mut lines = vec![String::new()];
        for piece in pieces {
            let last = lines.last_mut().expect("a line");
            if piece.over {
                last.clear();
            }
            last.extend(piece.runs.into_iter().map(|run| run.text));
            if piece.ends {
                lines.push(String::new());
            }
        }
        lines
    }

    /// Pushed in parts of this size.
    fn in_parts(bytes: &[u8], size: usize) -> Vec<String> {
        let mut terminal = Terminal::default();
        let mut pieces: Vec<_> = bytes.chunks(size).flat_map(|part| terminal.push(part)).collect();
        pieces.extend(terminal.finish());
        lines(pieces)
    }

    /// Whatever the parts it comes in.
    fn shown(text: &str) -> String {
        let whole = in_parts(text.as_bytes(), text.len().max(1));
        for size in 1..6 {
            assert_eq!(in_parts(text.as_bytes(), size), whole, "{text:?} in parts of {size}");
        }
        whole.join("\n")
    }

    #[test]
    fn a_line_is_written_over_as_far_as_what_follows_reaches() {
        for (text, expected) in [
            ("10 %\r50 %\r100 %\nend\r\n", "100 %\nend\n"),
            ("Downloading 100%\rDone", "Doneloading 100%"),
            ("lost?\r\r\n", "lost?\n"),
            ("100%\r\x1b[0m\n", "100%\n"),
            ("a\r", "a"),
            ("ab\x08c\x08\x08\x08\x08d", "dc"),
            ("one\x0btwo\x0cthree", "one\ntwo\nthree"),
            ("a\u{85}b\x1bEc\x1bDd", "a\nb\nc\nd"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn parts_of_a_line_are_erased_as_a_terminal_does() {
        for (text, expected) in [
            ("Downloading 100%\r\x1b[KDone\n", "Done\n"),
            ("Downloading\x1b[2K\rDone\n", "Done\n"),
            ("abc\x1b[2Kd", "   d"),
            ("abcdef\x1b[3D\x1b[K", "abc"),
            ("abcdef\x1b[3D\x1b[1K", "    ef"),
            ("abcdef\x1b[2G\x1b[0K!", "a!"),
            ("abcdef\r\x1b[C\x1b[2Xx", "ax def"),
            ("abc\r\x1b[J", ""),
            ("abc\x1b[2J\x1b[Hd", "abcd"),
            ("a\x1b[5Cb", "a     b"),
            ("abc\x1b[?2K\x1b[>0K", "abc"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn tabs_are_kept_until_something_is_written_over_them() {
        for (text, expected) in [
            ("want\tgot", "want\tgot"),
            ("a\tb\rX", "X\tb"),
            ("a\tb\r\x1b[3CX", "a  X    b"),
            ("a\r\tb", "a\tb"),
            ("\t\x08x", "       x"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn sequences_without_an_end_hide_nothing() {
        for (text, expected) in [
            ("a\x1b]0;title\nb", "a]0;title\nb"),
            ("a\x1b]0;title\r\nb", "a]0;title\nb"),
            ("a\x1bPq#0;1\nb", "aPq#0;1\nb"),
            ("a\x1bXb", "aXb"),
            ("a\x1b^b\n\x1b_c\n", "a^b\n_c\n"),
            ("a\x1b]0;t\x1b[31mred", "a]0;tred"),
            ("a\x1b]0;t\x18b", "a]0;tb"),
            ("a\x1b[31\nb", "a[31\nb"),
            ("a\x1b[31", "a[31"),
            ("a\x1b[3é", "a[3é"),
            ("a\x1b", "a"),
            ("a\x1b\x1b[31mb", "ab"),
            ("\u{9d}0;t\nb", "0;t\nb"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
        let long = format!("a\x1b]{}", "x".repeat(100_000));
        assert_eq!(in_parts(long.as_bytes(), 1000).concat(), format!("a]{}", "x".repeat(100_000)));
    }

    #[test]
    fn what_else_commands_a_terminal_is_left_out() {
        for (text, expected) in [
            ("\x1b]0;owned\x07c", "c"),
            ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\ end", "link end"),
            ("\x1b]8;id=1;https://example.org\x07link\x1b]8;;\x07", "link"),
            ("\x1bPq#0\x1b\\x", "x"),
            ("\u{9b}31mred\u{9b}0m", "red"),
            ("\u{9d}0;t\u{9c}x\u{90}q\x1b\\y", "xy"),
            ("\x1b(Ba\x1b[mb\x1b#8c\x1b=d\x1bce", "abcde"),
            ("a\0b\x07c\x0ed\x0fe\x7ff\u{80}g", "abcdefg"),
            ("\x1b[38;2;1;2;3mx\x1b[?25ly\x1b[!pz", "xyz"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn wide_and_combining_characters_are_written_over_whole() {
        for (text, expected) in [
            ("日本\rab", "ab本"),
            ("日本\ra", "a 本"),
            ("日本\x08x", "日 x"),
            ("e\u{301}f\rx", "xf"),
            ("ab\x08\u{301}", "a\u{301}b"),
            ("\u{feff}a", "\u{feff}a"),
            ("👩\u{200d}👩\u{200d}👧 ok", "👩\u{200d}👩\u{200d}👧 ok"),
            ("ab\r日", "日"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_utf8_is_shown_as_replaced() {
        assert_eq!(in_parts(b"a\xffb\xc3", 1), ["a\u{fffd}b\u{fffd}"]);
        assert_eq!(in_parts(b"\xe6\x97\xa5\x9b31m", 2), ["日\u{fffd}31m"]);
    }

    #[test]
    fn styles_go_on_in_the_next_line() {
        let mut terminal = Terminal::default();
        let red = Style { foreground: Some(1), ..Style::default() };
        let run = |style, text: &str| Run { style, text: text.to_owned() };
        assert_eq!(
            terminal.push(b"a\x1b[31mb\nc"),
            [
                Piece {
                    over: false,
                    runs: vec![run(Style::default(), "a"), run(red, "b")],
                    ends: true
                },
                Piece { over: false, runs: vec![run(red, "c")], ends: false },
            ]
        );
        assert_eq!(
            terminal.push(b"\x1b[0md"),
            [Piece { over: false, runs: vec![run(Style::default(), "d")], ends: false }]
        );
        assert_eq!(terminal.push(b"\r"), []);
        assert_eq!(
            terminal.push(b"x"),
            [Piece { over: true, runs: vec![run(Style::default(), "xd")], ends: false }]
        );
    }

    #[test]
    fn a_line_without_an_end_is_shown_whole_and_costs_no_more_memory() {
        let mut terminal = Terminal::default();
        let mut pieces = Vec::new();
        for _ in 0..100 {
            pieces.extend(terminal.push(&[b'x'; 10_000]));
            assert!(terminal.row.len() <= row::LONGEST);
        }
        pieces.extend(terminal.push("\ry\n".as_bytes()));
        let lines = lines(pieces);
        assert_eq!((lines[0].len(), lines[1].as_str(), lines.len()), (1_000_000, "y", 3));
        let mut marks = Terminal::default();
        for _ in 0..100 {
            marks.push("a\u{301}\u{302}\u{303}\x08".repeat(10_000).as_bytes());
            assert!(marks.row.len() <= row::LONGEST);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_does_not_depend_on_the_parts(
            parts in proptest::collection::vec(prop_oneof![
                proptest::sample::select(vec![
                    "\r", "\n", "\r\n", "\x08", "\t", "\x1b", "\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[3D",
                    "\x1b[2C", "\x1b[5G", "\x1b[31m", "\x1b]0;", "\x07", "\x1b\\", "日", "\u{301}", "\u{9b}",
                    "\u{9d}", "\u{9c}", "[", "abc", "\x18", "\x1b[4X",
                ]).prop_map(str::to_owned),
                any::<String>(),
            ], 0..20),
            size in 1_usize..9,
        ) {
            let text = parts.concat();
            let whole = in_parts(text.as_bytes(), text.len().max(1));
            prop_assert_eq!(&in_parts(text.as_bytes(), size), &whole);
            prop_assert!(whole.iter().all(|line| !line.contains(|c: char| c.is_control() && c != '\t')));
            prop_assert_eq!(super::text(text.as_bytes()), whole.join("\n"));
        }
    }
}
