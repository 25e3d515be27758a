use jobrunner_core::log::Stream;
use serde::Serialize;

use super::ansi::Renderer;

/// A line of output.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    stream: &'static str,
    /// Safe HTML.
    html: String,
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
                    self.lines.push(Line { stream: stream.as_str(), html: part.to_owned() });
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
        self.lines.push(Line { stream: stream.as_str(), html });
    }

    pub(super) fn finish(self) -> Vec<Line> {
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(lines: Lines) -> Vec<String> {
        lines.finish().into_iter().map(|line| format!("{} {}", line.stream, line.html)).collect()
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
