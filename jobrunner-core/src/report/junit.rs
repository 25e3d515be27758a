use std::{io::BufRead, sync::Arc};

use quick_xml::{
    Reader,
    escape::{resolve_predefined_entity, unescape_with},
    events::{BytesRef, BytesStart, Event},
};

use super::{Case, CaseStatus, LONGEST_MESSAGE, MOST_CASES, Report, encoding::Decoded, text};

/// How deep elements may be nested.
const MOST_DEPTH: usize = 64;

/// The most bytes of messages that are kept of one attempt.
const MOST_MESSAGES: usize = 16 * 1024 * 1024;

/// The most that is told of what a parser says, in bytes: it may quote the document.
const LONGEST_ERROR: usize = 200;

/// The test cases of one file after another.
#[derive(Debug)]
pub struct Cases {
    cases: Vec<Case>,
    /// What messages may still take.
    room: usize,
}

impl Default for Cases {
    fn default() -> Self {
        Self { cases: Vec::new(), room: MOST_MESSAGES }
    }
}

impl Cases {
    /// Adds the cases of a JUnit file, as far as it can be read. The file is read once and not kept
    /// in memory, but for one tag or text at a time.
    ///
    /// # Errors
    /// What is wrong with the file, in words that follow its name. The cases before are kept.
    pub fn read(&mut self, file: impl BufRead) -> Result<(), String> {
        let decoded = Decoded::new(file).map_err(|error| unreadable(&error))?;
        let mut reader = Reader::from_reader(decoded);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.allow_dangling_amp = true;
        let mut document =
            Document { of: self, open: Vec::new(), depth: 0, has_begun: false, case: None };
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            match reader.read_event_into(&mut buffer) {
                Ok(Event::Eof) => return document.end(),
                Ok(event) => document.take(&event)?,
                Err(quick_xml::Error::Io(error)) => return Err(unreadable(&error)),
                Err(error) => {
                    let (error, at) = (shown(&error.to_string()), reader.error_position());
                    return Err(format!("is not well-formed at byte {at}: {error}"));
                }
            }
        }
    }

    /// What the files said; `error` is what could not be read of them.
    #[must_use]
    pub fn into_report(self, error: Option<String>) -> Report {
        let mut cases = self.cases;
        cases.sort_by_key(|case| match case.status {
            CaseStatus::Failed => 0,
            CaseStatus::Passed if case.flaky => 1,
            CaseStatus::Skipped => 2,
            CaseStatus::Passed => 3,
        });
        Report { cases: cases.into(), error }
    }
}

fn unreadable(error: &dyn std::error::Error) -> String {
    format!("cannot be read: {}", shown(&error.to_string()))
}

fn shown(error: &str) -> String {
    let line: String = error.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line[..text::boundary(&line, LONGEST_ERROR)].to_owned()
}

/// A document that is being read.
struct Document<'a> {
    of: &'a mut Cases,
    /// The suites that are open: how deep each is, and its name.
    open: Vec<(usize, Suite)>,
    depth: usize,
    has_begun: bool,
    case: Option<Open>,
}

struct Suite {
    name: Arc<str>,
    file: Option<String>,
}

/// A test case whose end is still to come.
struct Open {
    depth: usize,
    case: Case,
    /// How the tool says that it ended, read while this is open.
    verdict: Option<Verdict>,
}

/// An element that says how a case ended.
struct Verdict {
    depth: usize,
    /// What its attributes say.
    message: Option<String>,
    kind: Option<String>,
    /// What it holds, as far as it is kept.
    text: String,
    is_cut: bool,
}

impl Document<'_> {
    fn take(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(tag) => self.begin(tag)?,
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => self.reference(reference),
            // What is left is no part of what is said: a document type is not read, so that the
            // entities in it stand for nothing.
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        self.depth += 1;
        self.has_begun = true;
        if self.depth > MOST_DEPTH {
            return Err(format!("has elements that are nested more than {MOST_DEPTH} deep"));
        }
        let name = tag.local_name();
        let name = name.as_ref();
        if self.depth == 1 && !["testsuites", "testsuite"].contains(&name) {
            let name = shown(name);
            return Err(format!("is no JUnit: it begins with <{name}> and not with <testsuites>"));
        }
        match &mut self.case {
            None if name == "testsuite" => {
                let attributes = Attributes::of(tag);
                let name = attributes.name.map(|name| text::name(&name)).unwrap_or_default();
                let file = attributes.file.map(|file| text::name(&file));
                self.open.push((self.depth, Suite { name: name.into(), file }));
            }
            None if name == "testcase" => self.begin_case(tag)?,
            Some(open) if self.depth == open.depth + 1 => open.begin(name, tag),
            _ => {}
        }
        Ok(())
    }

    fn begin_case(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        if self.of.cases.len() >= MOST_CASES {
            return Err(format!("has more cases than the {MOST_CASES} that are kept of a job"));
        }
        let attributes = Attributes::of(tag);
        let class = attributes.class.map(|class| text::name(&class)).unwrap_or_default();
        let suite = self.open.last().map(|(_, suite)| suite);
        let class = match (class.as_str(), suite) {
            ("", Some(suite)) => Arc::clone(&suite.name),
            (class, _) => self.of.class(class),
        };
        let name = attributes.name.map(|name| text::name(&name)).unwrap_or_default();
        let file = attributes.file.map(|file| text::name(&file));
        let case = Case {
            class,
            name: if name.is_empty() { "(unnamed)".to_owned() } else { name },
            file: file.or_else(|| suite.and_then(|suite| suite.file.clone())),
            status: match attributes.status.as_deref() {
                // As CTest and GoogleTest say it, beside the elements or instead of them.
                Some("notrun" | "disabled" | "skipped" | "suppressed") => CaseStatus::Skipped,
                _ => CaseStatus::Passed,
            },
            flaky: false,
            duration_ms: attributes.time.and_then(|time| milliseconds(&time)),
            message: None,
        };
        self.case = Some(Open { depth: self.depth, case, verdict: None });
        Ok(())
    }

    fn close(&mut self) {
        if let Some(open) = &mut self.case {
            open.verdict = match open.verdict.take() {
                Some(verdict) if verdict.depth == self.depth => {
                    open.say(verdict, &mut self.of.room);
                    None
                }
                verdict => verdict,
            };
        }
        if let Some(open) = self.case.take_if(|open| open.depth == self.depth) {
            self.of.cases.push(open.case);
        }
        if self.open.last().is_some_and(|(depth, _)| *depth == self.depth) {
            self.open.pop();
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn text(&mut self, text: &str) {
        if let Some(verdict) = self.case.as_mut().and_then(|open| open.verdict.as_mut()) {
            verdict.push(text);
        }
    }

    /// A character that stands for itself, one of the five that XML gives a name, or else as it is
    /// written.
    fn reference(&mut self, reference: &BytesRef<'_>) {
        let character = reference.resolve_char_ref().ok().flatten();
        match (character, resolve_predefined_entity(reference)) {
            (Some(character), _) => self.text(character.encode_utf8(&mut [0; 4])),
            (None, Some(text)) => self.text(text),
            (None, None) => {
                for part in ["&", reference, ";"] {
                    self.text(part);
                }
            }
        }
    }

    fn end(self) -> Result<(), String> {
        match (self.depth, self.has_begun) {
            (0, true) => Ok(()),
            (0, false) => Err("has no test suite in it".to_owned()),
            _ => Err("ends in the middle: it was cut, or is still being written".to_owned()),
        }
    }
}

impl Cases {
    /// A class as it is kept: many cases in a row have the same.
    fn class(&self, class: &str) -> Arc<str> {
        match self.cases.last() {
            Some(last) if *last.class == *class => Arc::clone(&last.class),
            _ => class.into(),
        }
    }
}

impl Open {
    /// An element right below the case.
    fn begin(&mut self, name: &str, tag: &BytesStart<'_>) {
        match name {
            "failure" | "error" => self.case.status = CaseStatus::Failed,
            "skipped" if self.case.status == CaseStatus::Failed => return,
            "skipped" => self.case.status = CaseStatus::Skipped,
            "flakyFailure" | "flakyError" => self.case.flaky = true,
            _ => return,
        }
        let Attributes { message, kind, .. } = Attributes::of(tag);
        let (depth, text, is_cut) = (self.depth + 1, String::new(), false);
        self.verdict = Some(Verdict { depth, message, kind, text, is_cut });
    }

    /// An element that says how the case ended has ended; the first one that says why counts.
    fn say(&mut self, verdict: Verdict, room: &mut usize) {
        if self.case.message.is_some() {
            return;
        }
        let message = verdict.message.as_deref().unwrap_or_default().trim();
        let said = verdict.text.trim();
        let whole = match (message, said) {
            ("", "") => verdict.kind.unwrap_or_default(),
            ("", text) => text.to_owned(),
            (message, "") => message.to_owned(),
            (message, text) if text.starts_with(message) => text.to_owned(),
            (message, text) => format!("{message}\n{text}"),
        };
        if whole.is_empty() {
            return;
        }
        let kept = text::message(&whole, verdict.is_cut);
        let kept = if kept.len() <= *room { kept } else { text::message("", true) };
        *room = room.saturating_sub(kept.len());
        self.case.message = Some(kept);
    }
}

impl Verdict {
    fn push(&mut self, text: &str) {
        // A little more than is kept, since white space around it is not.
        let room = (2 * LONGEST_MESSAGE).saturating_sub(self.text.len());
        let end = text::boundary(text, room);
        self.text.push_str(&text[..end]);
        self.is_cut |= end < text.len();
    }
}

/// The attributes that mean something here.
#[derive(Default)]
struct Attributes {
    name: Option<String>,
    class: Option<String>,
    file: Option<String>,
    time: Option<String>,
    status: Option<String>,
    message: Option<String>,
    kind: Option<String>,
}

impl Attributes {
    fn of(tag: &BytesStart<'_>) -> Self {
        let mut read = Self::default();
        // Looking for repetitions takes the square of their number.
        for attribute in tag.attributes().with_checks(false).flatten() {
            let place = match attribute.key.local_name().as_ref() {
                "name" => &mut read.name,
                "classname" => &mut read.class,
                "file" | "filepath" => &mut read.file,
                "time" => &mut read.time,
                "status" | "result" => &mut read.status,
                "message" => &mut read.message,
                "type" => &mut read.kind,
                _ => continue,
            };
            // Long ones have to be decoded no further than they are kept.
            let value = &attribute.value;
            let value = &value[..text::boundary(value, 8 * LONGEST_MESSAGE)];
            let decoded = unescape_with(value, resolve_predefined_entity);
            *place = Some(decoded.map_or_else(|_| value.to_owned(), |value| value.into_owned()));
        }
        read
    }
}

/// A time in seconds as tools write it, with a comma between thousands.
fn milliseconds(time: &str) -> Option<u64> {
    let seconds: f64 = time.trim().replace(',', "").parse().ok()?;
    let milliseconds = (seconds * 1000.0).round();
    // A hundred years.
    (0.0..3.2e12).contains(&milliseconds).then_some(milliseconds as u64)
}

#[cfg(test)]
mod tests;
