use std::fmt::Write;

use jobrunner_core::log::Stream;

use super::ansi::Renderer;

/// So many lines make a block, which a browser lays out only where it is seen.
const BLOCK_LINES: usize = 500;

/// A block of long lines has fewer of them.
const BLOCK_BYTES: usize = 64 * 1024;

/// A line of output.
struct Line {
    stream: Stream,
    /// Safe HTML.
    html: String,
}

/// What the lines of a part of a page are called.
#[derive(Clone, Copy)]
pub(super) enum Named {
    /// By a word and their number, in a pane of one stream.
    One(Stream),
    /// By a word and their number, in a pane of both streams; those of stderr are marked.
    Both,
    /// By nothing, since it is not known how many come before. Whether those of stderr are marked.
    Not { marked: bool },
}

impl Named {
    const fn prefix(self) -> Option<&'static str> {
        match self {
            Self::One(stream) => Some(stream.as_str()),
            Self::Both => Some("both"),
            Self::Not { .. } => None,
        }
    }

    const fn marks(self, stream: Stream) -> bool {
        matches!(self, Self::Both | Self::Not { marked: true }) && matches!(stream, Stream::Stderr)
    }
}

/// Output of one stream or of both, as lines in the order in which they were begun. A line is of one stream: what
/// the other wrote before its end follows behind it.
#[derive(Default)]
pub(super) struct Lines {
    lines: Vec<Line>,
    streams: [Unfinished; 2],
}

#[derive(Default)]
struct Unfinished {
    renderer: Renderer,
    /// The line that goes on.
    line: Option<usize>,
}

impl Lines {
    /// The next output.
    pub(super) fn push(&mut self, stream: Stream, text: &str) {
        let Unfinished { renderer, line } =
            &mut self.streams[usize::from(stream == Stream::Stderr)];
        let html = renderer.render(text);
        if let Some(open) = line.filter(|_| renderer.writes_over()) {
            self.lines[open].html.clear();
        }
        let mut parts = html.split('\n').peekable();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            match *line {
                Some(open) => self.lines[open].html.push_str(part),
                // A newline begins no line until something follows it.
                None if is_last && part.is_empty() => {}
                None => {
                    *line = Some(self.lines.len());
                    self.lines.push(Line { stream, html: part.to_owned() });
                }
            }
            if !is_last {
                *line = None;
            }
        }
    }

    /// A line of the page's own, on which nothing goes on.
    pub(super) fn gap(&mut self, stream: Stream, omitted: u64) {
        self.streams.iter_mut().for_each(|stream| stream.line = None);
        let html = format!("… {omitted} bytes are not kept …");
        self.lines.push(Line { stream, html });
    }

    /// The lines as safe HTML. A page of a few megabytes of short lines has hundreds of thousands of them: each is
    /// one element, and they are in blocks that a browser skips as long as nobody sees them.
    pub(super) fn html(&self, named: Named) -> String {
        let size: usize = self.lines.iter().map(|line| line.html.len() + 32).sum();
        let mut html = String::with_capacity(size);
        let mut from = 0;
        while from < self.lines.len() {
            let to = self.block(from);
            let full = if to - from == BLOCK_LINES { " full" } else { "" };
            // Nothing goes wrong when a string is written to.
            let _ = match named.prefix() {
                Some(_) => write!(html, "<ol class=\"lines{full}\" start=\"{}\">", from + 1),
                None => write!(html, "<ol class=\"lines tail{full}\">"),
            };
            for (number, line) in (from + 1..).zip(&self.lines[from..to]) {
                let marked = if named.marks(line.stream) {
                    " class=\"err\" aria-description=\"stderr\""
                } else {
                    ""
                };
                let _ = match named.prefix() {
                    Some(prefix) => write!(html, "<li id=\"{prefix}-{number}\"{marked}>"),
                    None => write!(html, "<li{marked}>"),
                };
                html.push_str(&line.html);
                html.push_str("</li>");
            }
            html.push_str("</ol>");
            from = to;
        }
        html
    }

    /// Where the block that begins with a line ends.
    fn block(&self, from: usize) -> usize {
        let mut size = 0;
        let most = self.lines[from..].iter().take(BLOCK_LINES);
        let fits = most.take_while(|line| {
            let before = size;
            size += line.html.len();
            before < BLOCK_BYTES
        });
        from + fits.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: Lines) -> Vec<String> {
        let told = lines.lines.into_iter();
        told.map(|line| format!("{} {}", line.stream.as_str(), line.html)).collect()
    }

    #[test]
    fn lines_are_numbered_through_their_blocks() {
        let mut lines = Lines::default();
        lines.push(Stream::Stdout, &"<\n".repeat(BLOCK_LINES));
        lines.push(Stream::Stderr, "b\nc");
        let both = lines.html(Named::Both);
        assert!(both.starts_with(r#"<ol class="lines full" start="1"><li id="both-1">&lt;</li>"#));
        let rest = concat!(
            r#"<li id="both-500">&lt;</li></ol><ol class="lines" start="501">"#,
            r#"<li id="both-501" class="err" aria-description="stderr">b</li>"#,
            r#"<li id="both-502" class="err" aria-description="stderr">c</li></ol>"#,
        );
        assert!(both.ends_with(rest), "{}", &both[both.len() - 300..]);
        let one = lines.html(Named::One(Stream::Stderr));
        assert!(one.ends_with(r#"<li id="stderr-502">c</li></ol>"#));
        let tail = lines.html(Named::Not { marked: false });
        assert!(tail.ends_with(r#"<ol class="lines tail"><li>b</li><li>c</li></ol>"#));
        assert_eq!(Lines::default().html(Named::Both), "");
    }

    #[test]
    fn a_block_of_long_lines_has_fewer() {
        let mut lines = Lines::default();
        lines.push(Stream::Stdout, &format!("{}\n", "x".repeat(BLOCK_BYTES / 2)).repeat(5));
        let html = lines.html(Named::Both);
        let starts: Vec<_> =
            html.match_indices("start=\"").map(|(at, _)| &html[at + 7..at + 8]).collect();
        assert_eq!(starts, ["1", "3", "5"]);
    }

    #[test]
    fn a_line_goes_on_whatever_the_other_stream_writes_between() {
        let mut lines = Lines::default();
        lines.push(Stream::Stdout, "one\ntw");
        lines.push(Stream::Stderr, "\x1b[31mfailed\n\nand");
        lines.push(Stream::Stdout, "o\nthree\n");
        lines.push(Stream::Stderr, " more");
        assert_eq!(
            told(lines),
            [
                "stdout one",
                "stdout two",
                "stderr <span class=\"f1\">failed</span>",
                "stderr <span class=\"f1\"></span>",
                "stderr <span class=\"f1\">and</span><span class=\"f1\"> more</span>",
                "stdout three",
            ]
        );
    }

    #[test]
    fn a_line_is_written_over_where_it_stands_and_none_goes_on_behind_a_gap() {
        let mut lines = Lines::default();
        lines.push(Stream::Stdout, "10 %");
        lines.push(Stream::Stderr, "a\n");
        lines.push(Stream::Stdout, "\r20 %");
        lines.gap(Stream::Stdout, 7);
        lines.push(Stream::Stdout, "end");
        assert_eq!(
            told(lines),
            ["stdout 20 %", "stderr a", "stdout … 7 bytes are not kept …", "stdout end"]
        );
    }
}
