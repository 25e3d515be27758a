//! Files of settings: `NAME=value`, a line for each.
//!
//! Blank lines and lines that begin with `#` are left out, `export` before a name is allowed, and a
//! comment may follow a value after a space. In single quotes everything stands for itself.
//! Elsewhere `\` takes its meaning from `\`, `"`, `'`, `$`, a space, or makes a line break of `n`;
//! `$NAME` and `${NAME}` stand for a variable of the environment or of a line above. Values in
//! quotes may have line breaks. A name that is set twice has the later value, as with Docker
//! Compose and systemd. What has no meaning is refused, never guessed.

use std::{iter::Peekable, str::Chars};

/// A variable that a file sets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The line that it begins on, from 1.
    pub(super) line: usize,
    /// Its name.
    pub(super) name: String,
    /// Its value, without quotes.
    pub(super) value: String,
}

/// A line that sets nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Which line, from 1.
    pub(super) line: usize,
    /// What is wrong with it, without anything of its value.
    pub(super) what: &'static str,
}

type Parsed<T> = Result<T, &'static str>;

/// All that a file sets, in order. `environment` finds the variables that values refer to.
///
/// # Errors
/// The first line that is wrong.
pub(super) fn parse(
    text: &[u8],
    environment: impl Fn(&str) -> Parsed<Option<String>>,
) -> Result<Vec<Entry>, Wrong> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let before = &text[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Wrong { line, what: "is not UTF-8" }
    })?;
    // A mark of the byte order, and ends of lines, as some editors write them.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let mut file = Cursor { rest: text.chars().peekable(), line: 1 };
    let mut entries: Vec<Entry> = Vec::new();
    while file.rest.peek().is_some() {
        let line = file.line;
        let resolve = |name: &str| {
            let above = || entries.iter().rfind(|entry| entry.name == name);
            let found = environment(name)?.or_else(|| above().map(|entry| entry.value.clone()));
            found.ok_or("refers to a variable that is not set; single quotes keep a '$' as it is")
        };
        // An error in a value of several lines is told where the value begins.
        if let Some((name, value)) =
            file.statement(&resolve).map_err(|what| Wrong { line, what })?
        {
            entries.push(Entry { line, name, value });
        }
    }
    Ok(entries)
}

struct Cursor<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

impl Cursor<'_> {
    /// One line, or several that belong together.
    fn statement(
        &mut self,
        resolve: &impl Fn(&str) -> Parsed<String>,
    ) -> Parsed<Option<(String, String)>> {
        self.spaces();
        if matches!(self.rest.peek(), None | Some('\n' | '#')) {
            self.end()?;
            return Ok(None);
        }
        let mut name = self.name()?;
        if self.spaces() > 0 && name == "export" && self.rest.peek() != Some(&'=') {
            name = self.name()?;
            self.spaces();
        }
        if self.rest.next_if_eq(&'=').is_none() {
            return Err("there is no '=' after the name; a line is NAME=value");
        }
        let is_commented = self.spaces() > 0 && self.rest.peek() == Some(&'#');
        let value = if is_commented { String::new() } else { self.value(resolve)? };
        self.spaces();
        self.end()?;
        Ok(Some((name, value)))
    }

    fn name(&mut self) -> Parsed<String> {
        let name = self.while_is(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return Err("does not begin with the name of a variable; a line is NAME=value");
        }
        Ok(name)
    }

    fn value(&mut self, resolve: &impl Fn(&str) -> Parsed<String>) -> Parsed<String> {
        let mut value = String::new();
        while let Some(next) = self.rest.peek().copied() {
            match next {
                ' ' | '\t' | '\n' => break,
                '\'' => {
                    self.next();
                    loop {
                        match self.next().ok_or("a single quote is not closed")? {
                            '\'' => break,
                            inside => value.push(inside),
                        }
                    }
                }
                '"' => {
                    self.next();
                    loop {
                        match self.rest.peek().copied().ok_or("a double quote is not closed")? {
                            '"' => break,
                            _ => self.character(&mut value, resolve)?,
                        }
                    }
                    self.next();
                }
                _ => self.character(&mut value, resolve)?,
            }
        }
        if value.contains('\0') {
            return Err("a value cannot hold a NUL byte");
        }
        Ok(value)
    }

    /// What stands outside of single quotes.
    fn character(
        &mut self,
        value: &mut String,
        resolve: &impl Fn(&str) -> Parsed<String>,
    ) -> Parsed<()> {
        match self.next() {
            Some('\\') => match self.next() {
                Some('n') => value.push('\n'),
                Some(itself @ ('\\' | '"' | '\'' | '$' | ' ')) => value.push(itself),
                _ => {
                    return Err(
                        "a '\\' stands before nothing that it changes; single quotes keep it",
                    );
                }
            },
            Some('$') => {
                let wrong = "a '$' is not followed by a name; single quotes keep it as it is";
                let is_braced = self.rest.next_if_eq(&'{').is_some();
                let name = self.while_is(|c| c.is_ascii_alphanumeric() || c == '_');
                let is_closed = !is_braced || self.rest.next_if_eq(&'}').is_some();
                if name.is_empty() || !is_closed {
                    return Err(wrong);
                }
                value.push_str(&resolve(&name)?);
            }
            Some(itself) => value.push(itself),
            None => {}
        }
        Ok(())
    }

    /// The end of a line, a comment before it included.
    fn end(&mut self) -> Parsed<()> {
        if self.rest.peek() == Some(&'#') {
            self.while_is(|c| c != '\n');
        }
        match self.next() {
            None | Some('\n') => Ok(()),
            Some(_) => Err("something follows the value; put a value with spaces in quotes"),
        }
    }

    fn spaces(&mut self) -> usize {
        self.while_is(|c| c == ' ' || c == '\t').len()
    }

    fn while_is(&mut self, fits: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(next) = self.rest.next_if(|next| fits(*next)) {
            taken.push(next);
        }
        taken
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.line += usize::from(next == Some('\n'));
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<Entry>, Wrong> {
        parse(text, |name| Ok((name == "HOME").then(|| "/home/me".to_owned())))
    }

    fn values(text: &str) -> Vec<(String, String)> {
        let entries = read(text.as_bytes()).expect("a file of settings");
        entries.into_iter().map(|entry| (entry.name, entry.value)).collect()
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        let cases = [
            ("A=b", "b"),
            ("A=", ""),
            ("A=\n", ""),
            ("  A = b  ", "b"),
            ("export A=b", "b"),
            ("export\tA=b", "b"),
            ("A=b # a comment", "b"),
            ("A=b#c", "b#c"),
            ("A=#b", "#b"),
            ("A= # a comment", ""),
            ("A='b c' # it's a comment", "b c"),
            ("A='b\\n$HOME \"'", "b\\n$HOME \""),
            ("A=\"b \\\"c\\\" \\$ \\\\ ' # \\n.\"", "b \"c\" $ \\ ' # \n."),
            ("A=\"two\nlines\"", "two\nlines"),
            ("A='two\nlines'", "two\nlines"),
            ("A=a'b'\"c\"d", "abcd"),
            ("A=$HOME/x", "/home/me/x"),
            ("A=\"${HOME}x\"", "/home/mex"),
            ("A=b=c==", "b=c=="),
            (
                "A=postgres://u:p%20w@h:5/n?sslmode=require",
                "postgres://u:p%20w@h:5/n?sslmode=require",
            ),
            ("\u{feff}A=b", "b"),
            ("A=b\r\n", "b"),
            ("A='b'\r\n#\r\n\r\n", "b"),
            ("A=Grüße", "Grüße"),
            ("A=first\nA=b", "b"),
            ("B=x\nA=$B", "x"),
        ];
        for (text, expected) in cases {
            let values = values(text);
            let (_, value) = values.iter().rfind(|(name, _)| name == "A").expect(text);
            assert_eq!(value, expected, "{text:?}");
        }
        assert_eq!(values("export=b"), [("export".to_owned(), "b".to_owned())]);
        assert_eq!(values("\n  # nothing\n\n"), []);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_without_its_value() {
        let cases: [(&[u8], usize); 18] = [
            (b"secret", 1),
            (b"A=b\nsecret word", 2),
            (b"A=b\n\n=secret", 3),
            (b"A=b\r\n\r\nA-B=secret", 3),
            (b"1A=secret", 1),
            (b"A=secret word", 1),
            (b"A='secret' word", 1),
            (b"A='secret", 1),
            (b"A=b\nB=\"secret\n\n", 2),
            (b"A='two\nlines'\nsecret", 3),
            (b"A=se$cret", 1),
            (b"A=secret$", 1),
            (b"A=\"${secret\"", 1),
            (b"A=se\\cret", 1),
            (b"A=secret\\", 1),
            (b"# \xc3\xbc\nA=secret\xe9", 2),
            (b"A=sec\0ret", 1),
            (b"\xff\xfeA\0=\0", 1),
        ];
        for (text, line) in cases {
            let wrong = read(text).expect_err("refused");
            let shown = String::from_utf8_lossy(text);
            assert_eq!(wrong.line, line, "{shown:?}: {}", wrong.what);
            assert!(!wrong.what.contains("cret") && !wrong.what.is_empty(), "{}", wrong.what);
        }
    }
}
