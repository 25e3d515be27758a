use super::{Case, Reader, Verdict};

/// The Test Anything Protocol, version 12 to 14, of one program or of several by way of `prove
/// --verbose`.
pub(super) struct Tap {
    class: String,
    is_prove: bool,
    /// What is known of the program whose output is being read.
    seen: u64,
    planned: Option<u64>,
    failed: bool,
}

impl Tap {
    pub(super) const fn new(class: String) -> Self {
        Self { class, is_prove: false, seen: 0, planned: None, failed: false }
    }

    /// Each program's header is its class.
    pub(super) fn of_prove(suite: String) -> Self {
        Self { is_prove: true, ..Self::new(suite) }
    }

    fn case(&self, name: String, verdict: Verdict, text: &str) -> Case {
        Case { class: self.class.clone(), name, verdict, text: text.to_owned() }
    }

    /// `ok 3 - what it is # SKIP why`
    fn point(&mut self, line: &str) -> Option<Case> {
        let (is_ok, rest) = match line.strip_prefix("not ok") {
            Some(rest) => (false, rest),
            None => (true, line.strip_prefix("ok")?),
        };
        if !rest.is_empty() && !rest.starts_with(' ') {
            return None;
        }
        self.seen += 1;
        let (told, directive) = rest.split_once(" # ").map_or((rest, ""), |(a, b)| (a, b));
        let name = match told.trim() {
            "" => self.seen.to_string(),
            told => told.to_owned(),
        };
        let word: String = directive.chars().take(4).collect::<String>().to_ascii_uppercase();
        let verdict = match (word.as_str(), is_ok) {
            ("SKIP", _) => Verdict::Skipped,
            ("TODO", _) => Verdict::Expected,
            (_, true) => Verdict::Passed,
            (_, false) => Verdict::Failed,
        };
        self.failed |= verdict == Verdict::Failed;
        let text = if verdict == Verdict::Failed { "not ok" } else { directive };
        Some(self.case(name, verdict, text))
    }

    /// `1..3`, or `1..0 # SKIP why` when the whole program is skipped.
    fn plan(&mut self, line: &str) -> Option<Option<Case>> {
        let rest = line.strip_prefix("1..")?;
        let (number, directive) = rest.split_once('#').unwrap_or((rest, ""));
        let number: u64 = number.trim().parse().ok()?;
        self.planned = Some(number);
        let skipped = (number == 0)
            .then(|| self.case("(the program)".to_owned(), Verdict::Skipped, directive.trim()));
        Some(skipped)
    }

    /// What a program that ended badly without a test that failed is told by.
    fn unexplained(&mut self, why: &str) -> Option<Case> {
        let is_news = !std::mem::replace(&mut self.failed, true);
        is_news.then(|| self.case("(the program)".to_owned(), Verdict::Error, why))
    }
}

impl Reader for Tap {
    fn line(&mut self, line: &str) -> Vec<Case> {
        if self.is_prove {
            if let Some(file) =
                line.trim_end().strip_suffix("..").filter(|file| file.ends_with([' ', '.']))
            {
                let class = file.trim_end_matches(['.', ' ']).to_owned();
                *self = Self { is_prove: true, ..Self::new(class) };
                return Vec::new();
            }
            if let Some((file, why)) = line.split_once(".. skipped: ") {
                let class = file.trim_end_matches(['.', ' ']).to_owned();
                let name = "(the program)".to_owned();
                let text = why.to_owned();
                return vec![Case { class, name, verdict: Verdict::Skipped, text }];
            }
            // Its own verdict of a program.
            if line == "ok" {
                return Vec::new();
            }
            let bad = ["Dubious, ", "Failed ", "No subtests run"];
            if bad.iter().any(|start| line.starts_with(start)) {
                return self.unexplained(line).into_iter().collect();
            }
        }
        if let Some(skipped) = self.plan(line) {
            return skipped.into_iter().collect();
        }
        if line.starts_with("Bail out!") {
            return self.unexplained(line).into_iter().collect();
        }
        self.point(line).into_iter().collect()
    }

    fn end(&mut self, told: &mut Vec<Case>) {
        let is_short = self.planned.is_none_or(|planned| planned != self.seen);
        if !self.is_prove && is_short {
            let planned = self.planned.map_or("no plan".to_owned(), |n| format!("{n} planned"));
            let why = format!("{} tests, {planned}", self.seen);
            told.extend(self.unexplained(&why));
        }
    }
}
