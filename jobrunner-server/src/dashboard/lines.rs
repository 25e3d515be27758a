use std::collections::VecDeque;

use jobrunner_core::{
    log::Stream,
    terminal::{Piece, Terminal},
};

use super::ansi;

/// So many lines make a block. A browser lays out a full one of short lines only where it is seen:
/// how high it is is known, and how wide it may be.
const BLOCK_LINES: usize = 500;

/// A line of so many bytes is short; the styles have room for as many characters.
const SHORT: usize = 110;

/// A block of long lines has fewer of them.
const BLOCK_BYTES: usize = 64 * 1024;

/// A line of output.
struct Line {
    stream: Stream,
    /// Safe HTML.
    html: String,
}

impl Line {
    /// Whether it takes no more columns than `SHORT`.
    fn is_short(&self) -> bool {
        self.html.len() <= SHORT && !self.html.contains('\t')
    }
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

/// Output of one stream or of both, as lines in the order in which they were begun. A line is of
/// one stream: what the other wrote before its end follows behind it.
#[derive(Default)]
pub(super) struct Lines {
    /// Those that were not taken.
    lines: VecDeque<Line>,
    taken: usize,
    streams: [Unfinished; 2],
}

#[derive(Default)]
struct Unfinished {
    terminal: Terminal,
    /// The line that goes on.
    line: Option<usize>,
}

impl Lines {
    /// The next output.
    pub(super) fn push(&mut self, stream: Stream, bytes: &[u8]) {
        let pieces = self.unfinished(stream).terminal.push(bytes);
        self.add(stream, pieces);
    }

    fn unfinished(&mut self, stream: Stream) -> &mut Unfinished {
        &mut self.streams[usize::from(stream == Stream::Stderr)]
    }

    fn add(&mut self, stream: Stream, pieces: Vec<Piece>) {
        let mut line = self.unfinished(stream).line;
        for piece in pieces {
            let html = ansi::html(&piece.runs);
            let open = *line.get_or_insert_with(|| {
                self.lines.push_back(Line { stream, html: String::new() });
                self.taken + self.lines.len() - 1
            });
            let open = &mut self.lines[open - self.taken].html;
            if piece.over {
                open.clear();
            }
            open.push_str(&html);
            if piece.ends {
                line = None;
            }
        }
        self.unfinished(stream).line = line;
    }

    /// Nothing goes on on what was begun.
    fn end_lines(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let pieces = self.unfinished(stream).terminal.finish();
            self.add(stream, pieces);
            self.unfinished(stream).line = None;
        }
    }

    /// A line of the page's own, on which nothing goes on.
    pub(super) fn gap(&mut self, stream: Stream, omitted: u64) {
        self.end_lines();
        let html = format!("… {omitted} bytes are not kept …");
        self.lines.push_back(Line { stream, html });
    }

    /// The blocks that nothing can change any more, as safe HTML.
    pub(super) fn take(&mut self, named: Named) -> String {
        let begun = self.streams.iter().filter_map(|stream| stream.line).min();
        let mut fixed = begun.map_or(self.lines.len(), |line| line - self.taken);
        let mut html = String::new();
        while let Some(count) = self.block(fixed) {
            self.write(&mut html, count, named);
            fixed -= count;
        }
        html
    }

    /// All that is left. On what was begun, nothing goes on.
    pub(super) fn finish(&mut self, named: Named) -> String {
        self.end_lines();
        let mut html = self.take(named);
        if !self.lines.is_empty() {
            self.write(&mut html, self.lines.len(), named);
        }
        html
    }

    /// How many lines the next block has, if it is among so many.
    fn block(&self, among: usize) -> Option<usize> {
        let mut size = 0;
        let ends = self.lines.iter().take(among).take(BLOCK_LINES).position(|line| {
            size += line.html.len();
            size >= BLOCK_BYTES
        });
        let whole = (among >= BLOCK_LINES).then_some(BLOCK_LINES);
        ends.map(|last| last + 1).or(whole)
    }

    /// A page of a few megabytes of short lines has hundreds of thousands of them: each is one
    /// element, and they are in blocks that a browser skips as long as nobody sees them.
    fn write(&mut self, html: &mut String, count: usize, named: Named) {
        let is_full = count == BLOCK_LINES && self.lines.iter().take(count).all(Line::is_short);
        let full = if is_full { " full" } else { "" };
        let first = self.taken + 1;
        match named.prefix() {
            Some(_) => {
                html.extend(["<ol class=\"lines", full, "\" start=\"", &first.to_string(), "\">"]);
            }
            None => html.extend(["<ol class=\"lines tail", full, "\">"]),
        }
        for (number, line) in (first..).zip(self.lines.drain(..count)) {
            html.push_str("<li");
            if let Some(prefix) = named.prefix() {
                html.extend([" id=\"", prefix, "-", &number.to_string(), "\""]);
            }
            if named.marks(line.stream) {
                html.push_str(" class=\"err\" aria-description=\"stderr\"");
            }
            html.extend([">", &line.html, "</li>"]);
        }
        html.push_str("</ol>");
        self.taken += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: Lines) -> Vec<String> {
        let told = lines.lines.into_iter();
        told.map(|line| format!("{} {}", line.stream.as_str(), line.html)).collect()
    }

    /// Some lines, one more than a block.
    fn many() -> Lines {
        let mut lines = Lines::default();
        lines.push(Stream::Stdout, "<\n".repeat(BLOCK_LINES).as_bytes());
        lines.push(Stream::Stderr, b"b\nc");
        lines
    }

    #[test]
    fn lines_are_numbered_through_their_blocks() {
        let mut lines = many();
        let first = lines.take(Named::Both);
        assert!(first.starts_with(r#"<ol class="lines full" start="1"><li id="both-1">&lt;</li>"#));
        assert!(first.ends_with(r#"<li id="both-500">&lt;</li></ol>"#));
        assert_eq!(lines.take(Named::Both), "");
        lines.push(Stream::Stderr, b"d\n");
        let rest = concat!(
            r#"<ol class="lines" start="501">"#,
            r#"<li id="both-501" class="err" aria-description="stderr">b</li>"#,
            r#"<li id="both-502" class="err" aria-description="stderr">cd</li></ol>"#,
        );
        assert_eq!(lines.finish(Named::Both), rest);
        assert_eq!(lines.finish(Named::Both), "");

        let one = many().finish(Named::One(Stream::Stderr));
        assert!(one.ends_with(r#"<li id="stderr-502">c</li></ol>"#));
        let tail = many().finish(Named::Not { marked: false });
        assert!(tail.ends_with(r#"<ol class="lines tail"><li>b</li><li>c</li></ol>"#));
    }

    #[test]
    fn what_may_still_change_is_not_taken() {
        let mut lines = Lines::default();
        lines.push(Stream::Stderr, b"10 %");
        lines.push(Stream::Stdout, "a\n".repeat(BLOCK_LINES).as_bytes());
        assert_eq!(lines.take(Named::Both), "");
        lines.push(Stream::Stderr, b"\r20 %\n");
        let taken = lines.take(Named::Both);
        assert!(taken.contains(r#"aria-description="stderr">20 %</li>"#));
        assert_eq!(lines.lines.len(), 1);
    }

    #[test]
    fn a_block_of_long_lines_has_fewer() {
        let mut lines = Lines::default();
        lines.push(
            Stream::Stdout,
            format!("{}\n", "x".repeat(BLOCK_BYTES / 2)).repeat(5).as_bytes(),
        );
        let html = lines.finish(Named::Both);
        let starts = html.match_indices("start=\"").map(|(at, _)| &html[at + 7..at + 8]);
        assert_eq!(starts.collect::<Vec<_>>(), ["1", "3", "5"]);
    }

    #[test]
    fn a_block_with_a_line_of_unknown_width_is_laid_out_at_once() {
        for (line, full) in
            [("x".repeat(SHORT), true), ("x".repeat(SHORT + 1), false), ("\t".into(), false)]
        {
            let mut lines = Lines::default();
            lines.push(
                Stream::Stdout,
                format!("{line}\n{}", "a\n".repeat(BLOCK_LINES - 1)).as_bytes(),
            );
            let html = lines.finish(Named::Both);
            assert_eq!(html.starts_with("<ol class=\"lines full\""), full, "{line}");
        }
    }

    #[test]
    fn a_line_goes_on_whatever_the_other_stream_writes_between() {
        let mut lines = Lines::default();
        lines.push(Stream::Stdout, b"one\ntw");
        lines.push(Stream::Stderr, b"\x1b[31mfailed\n\nand");
        lines.push(Stream::Stdout, b"o\nthree\n");
        lines.push(Stream::Stderr, b" more");
        assert_eq!(
            told(lines),
            [
                "stdout one",
                "stdout two",
                "stderr <span class=\"f1\">failed</span>",
                "stderr ",
                "stderr <span class=\"f1\">and</span><span class=\"f1\"> more</span>",
                "stdout three",
            ]
        );
    }

    #[test]
    fn a_line_is_written_over_where_it_stands_and_none_goes_on_behind_a_gap() {
        let mut lines = Lines::default();
        lines.push(Stream::Stdout, b"10 %");
        lines.push(Stream::Stderr, b"a\n");
        lines.push(Stream::Stdout, b"\r20 %");
        lines.gap(Stream::Stdout, 7);
        lines.push(Stream::Stdout, b"end");
        assert_eq!(
            told(lines),
            ["stdout 20 %", "stderr a", "stdout … 7 bytes are not kept …", "stdout end"]
        );
    }
}
