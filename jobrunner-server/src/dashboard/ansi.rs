use std::fmt::Write;

/// Output of a command as HTML: text, and `span`s with classes for what terminals would show in colours.
/// Everything else that commands a terminal is left out, and nothing of the text is markup.
///
/// A line that was written over, as progress bars do with `\r`, is shown as it was in the end.
#[derive(Debug, Default)]
pub(super) struct Renderer {
    style: Style,
    /// The beginning of a sequence whose end has not come yet.
    rest: String,
    /// Whether the line that the last part began in, and an earlier one had begun, was written over.
    writes_over: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Style {
    foreground: Option<u8>,
    background: Option<u8>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
}

/// The longest sequence that is waited for; what is longer is no sequence of a terminal.
const LONGEST: usize = 4096;

impl Renderer {
    /// Whether the last part begins its first line anew: what came of that line before does not count.
    pub(super) const fn writes_over(&self) -> bool {
        self.writes_over
    }

    /// The next part of the output.
    pub(super) fn render(&mut self, text: &str) -> String {
        let text = std::mem::take(&mut self.rest) + text;
        let mut html = String::with_capacity(text.len() + text.len() / 8);
        let mut rest = text.as_str();
        self.writes_over = false;
        self.open(&mut html);
        while let Some(place) = rest.find(|c: char| c.is_control() || "<>&\"'".contains(c)) {
            html.push_str(&rest[..place]);
            rest = &rest[place..];
            match rest.as_bytes()[0] {
                b'\n' => {
                    self.close(&mut html);
                    html.push('\n');
                    self.open(&mut html);
                    rest = &rest[1..];
                }
                b'\t' => {
                    html.push('\t');
                    rest = &rest[1..];
                }
                b'\r' if rest.starts_with("\r\n") => rest = &rest[1..],
                b'\r' if rest.len() == 1 => {
                    self.rest = rest.to_owned();
                    rest = "";
                }
                b'\r' => {
                    // The line is written over.
                    let line = html.rfind('\n').map_or(0, |end| end + 1);
                    self.writes_over |= line == 0;
                    html.truncate(line);
                    self.open(&mut html);
                    rest = &rest[1..];
                }
                b'<' => rest = escape(&mut html, "&lt;", rest),
                b'>' => rest = escape(&mut html, "&gt;", rest),
                b'&' => rest = escape(&mut html, "&amp;", rest),
                b'"' => rest = escape(&mut html, "&quot;", rest),
                b'\'' => rest = escape(&mut html, "&#39;", rest),
                0x1b => match sequence(rest) {
                    Sequence::Style(parameters, length) => {
                        self.close(&mut html);
                        self.style = self.style.with(parameters);
                        self.open(&mut html);
                        rest = &rest[length..];
                    }
                    Sequence::Other(length) => rest = &rest[length..],
                    Sequence::Unfinished if rest.len() < LONGEST => {
                        self.rest = rest.to_owned();
                        rest = "";
                    }
                    Sequence::Unfinished => rest = &rest[1..],
                },
                _ => {
                    let length = rest.chars().next().map_or(1, char::len_utf8);
                    rest = &rest[length..];
                }
            }
        }
        html.push_str(rest);
        self.close(&mut html);
        html
    }

    fn open(&self, html: &mut String) {
        if self.style == Style::default() {
            return;
        }
        html.push_str("<span class=\"");
        let mut classes = Vec::new();
        let Style { foreground, background, bold, dim, italic, underline } = self.style;
        classes.extend(foreground.map(|colour| format!("f{colour}")));
        classes.extend(background.map(|colour| format!("b{colour}")));
        for (is_set, class) in [(bold, "bold"), (dim, "dim"), (italic, "it"), (underline, "ul")] {
            if is_set {
                classes.push(class.to_owned());
            }
        }
        // Writing to a string does not fail.
        write!(html, "{}\">", classes.join(" ")).unwrap_or_default();
    }

    fn close(&self, html: &mut String) {
        if self.style != Style::default() {
            html.push_str("</span>");
        }
    }
}

fn escape<'a>(html: &mut String, entity: &str, rest: &'a str) -> &'a str {
    html.push_str(entity);
    &rest[1..]
}

enum Sequence<'a> {
    /// Parameters of "select graphic rendition", and the length of the sequence.
    Style(&'a str, usize),
    Other(usize),
    Unfinished,
}

/// What begins with an escape character (ECMA-48).
fn sequence(text: &str) -> Sequence<'_> {
    let bytes = text.as_bytes();
    match bytes.get(1) {
        None => Sequence::Unfinished,
        Some(b'[') => {
            let end = bytes[2..].iter().position(|byte| (0x40..=0x7e).contains(byte));
            let within = bytes[2..].iter().take_while(|byte| (0x20..=0x3f).contains(*byte)).count();
            match end {
                Some(end) if end == within && bytes[2 + end] == b'm' => {
                    Sequence::Style(&text[2..2 + end], 3 + end)
                }
                Some(end) if end == within => Sequence::Other(3 + end),
                _ if within == bytes.len() - 2 => Sequence::Unfinished,
                _ => Sequence::Other(2),
            }
        }
        // Strings of the operating system and the like, up to BEL or the string terminator.
        Some(b']' | b'P' | b'X' | b'^' | b'_') => {
            let bell = text.find('\u{7}').map(|place| place + 1);
            let terminator = text[2..].find("\u{1b}\\").map(|place| place + 4);
            match (bell, terminator) {
                (Some(bell), Some(terminator)) => Sequence::Other(bell.min(terminator)),
                (Some(end), None) | (None, Some(end)) => Sequence::Other(end),
                (None, None) => Sequence::Unfinished,
            }
        }
        Some(byte) if byte.is_ascii() => Sequence::Other(2),
        Some(_) => Sequence::Other(1),
    }
}

impl Style {
    fn with(mut self, parameters: &str) -> Self {
        let mut numbers =
            parameters.split([';', ':']).map(|number| number.parse::<u16>().unwrap_or(0));
        while let Some(number) = numbers.next() {
            match number {
                0 => self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 => self.underline = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                30..=37 => self.foreground = Some((number - 30) as u8),
                38 => self.foreground = extended(&mut numbers).or(self.foreground),
                39 => self.foreground = None,
                40..=47 => self.background = Some((number - 40) as u8),
                48 => self.background = extended(&mut numbers).or(self.background),
                49 => self.background = None,
                90..=97 => self.foreground = Some((number - 90 + 8) as u8),
                100..=107 => self.background = Some((number - 100 + 8) as u8),
                _ => {}
            }
        }
        self
    }
}

/// One of 256 colours or a mixed one: as near as the sixteen come.
fn extended(numbers: &mut impl Iterator<Item = u16>) -> Option<u8> {
    match numbers.next()? {
        5 => match numbers.next()? {
            index @ 0..=15 => Some(index as u8),
            index @ 16..=231 => {
                let cube = index - 16;
                Some(nearest([cube / 36 * 51, cube / 6 % 6 * 51, cube % 6 * 51]))
            }
            grey => Some(nearest([(grey.min(255) - 232) * 10 + 8; 3])),
        },
        2 => Some(nearest([numbers.next()?, numbers.next()?, numbers.next()?])),
        _ => None,
    }
}

fn nearest([red, green, blue]: [u16; 3]) -> u8 {
    let bit = |part: u16, bit: u8| if part > 100 { bit } else { 0 };
    let colour = bit(red, 1) + bit(green, 2) + bit(blue, 4);
    if red.max(green).max(blue) > 200 { colour + 8 } else { colour }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        Renderer::default().render(text)
    }

    #[test]
    fn nothing_of_the_text_is_markup() {
        assert_eq!(html("<script>\"&'</pre>"), "&lt;script&gt;&quot;&amp;&#39;&lt;/pre&gt;");
    }

    #[test]
    fn colours_become_classes_and_end_with_the_line() {
        assert_eq!(html("a\x1b[31mred\x1b[0mb"), "a<span class=\"f1\">red</span>b");
        assert_eq!(
            html("\x1b[1;92mx\ny"),
            "<span class=\"f10 bold\">x</span>\n<span class=\"f10 bold\">y</span>"
        );
        assert_eq!(html("\x1b[38;5;196mx"), "<span class=\"f9\">x</span>");
        assert_eq!(html("\x1b[38;2;0;255;0mx"), "<span class=\"f10\">x</span>");
    }

    #[test]
    fn what_else_commands_a_terminal_is_left_out() {
        assert_eq!(html("a\x1b[2Jb\x1b]0;owned\x07c\x1b]8;;http://e\x1b\\d\x08\x00e"), "abcde");
        assert_eq!(html("\x1bPq#0\x1b\\x\u{9b}31my"), "x31my");
    }

    #[test]
    fn a_line_is_shown_as_it_was_in_the_end() {
        assert_eq!(html("one\n10 %\r50 %\r100 %\nend\r\n"), "one\n100 %\nend\n");
        let mut renderer = Renderer::default();
        for (part, html, writes_over) in
            [("10 %\r", "10 %", false), ("50 %", "50 %", true), ("!\na\rb", "!\nb", false)]
        {
            assert_eq!(
                (renderer.render(part).as_str(), renderer.writes_over()),
                (html, writes_over)
            );
        }
    }

    #[test]
    fn a_sequence_may_come_in_parts() {
        let mut renderer = Renderer::default();
        assert_eq!(renderer.render("a\x1b[3"), "a");
        assert_eq!(renderer.render("1mb"), "<span class=\"f1\">b</span>");
        assert_eq!(renderer.render("c\x1b"), "<span class=\"f1\">c</span>");
        assert_eq!(renderer.render("[md"), "<span class=\"f1\"></span>d");
    }
}
