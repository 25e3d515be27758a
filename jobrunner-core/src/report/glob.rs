use std::str::FromStr;

/// How many parts a pattern may have: a step of the search is a bit of a word.
const MOST_PARTS: usize = 32;

/// The longest pattern, in bytes.
const LONGEST: usize = 1024;

/// A pattern for paths below a directory: `*` stands for any text of a name, `?` for one character,
/// and `**` for any number of directories. Nothing else is special.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Any number of directories.
    Directories,
    /// A name with nothing special in it.
    Literal(String),
    /// A name with `*` or `?` in it.
    Pattern(Vec<char>),
}

/// How far a pattern has matched a path: the parts that may be next, a bit for each, and one beyond
/// the last for the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress(u64);

impl FromStr for Glob {
    type Err = String;

    /// # Errors
    /// What is wrong, without the field's name: it is empty, leads out of the directory, is too
    /// long, or has a NUL byte.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("must not be empty".to_owned());
        }
        if text.len() > LONGEST {
            return Err(format!("may have at most {LONGEST} bytes"));
        }
        if text.contains('\0') {
            return Err("must not contain a NUL byte".to_owned());
        }
        if text.starts_with('/') {
            return Err("must be below the working directory, not absolute".to_owned());
        }
        let mut parts: Vec<Part> = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => return Err("must not contain '..'".to_owned()),
                // Two of them match what one does.
                "**" if parts.last() == Some(&Part::Directories) => {}
                "**" => parts.push(Part::Directories),
                part if part.contains(['*', '?']) => {
                    parts.push(Part::Pattern(part.chars().collect()));
                }
                part => parts.push(Part::Literal(part.to_owned())),
            }
        }
        match parts.last() {
            None => return Err("must name a file".to_owned()),
            // All files below, of which none is the directory itself.
            Some(Part::Directories) => parts.push(Part::Pattern(vec!['*'])),
            Some(_) => {}
        }
        if parts.len() > MOST_PARTS {
            return Err(format!("may have at most {MOST_PARTS} parts between '/'"));
        }
        Ok(Self { parts })
    }
}

impl Glob {
    /// At the directory itself.
    pub(crate) fn begin(&self) -> Progress {
        self.with_skips(1)
    }

    /// After one more name of a path.
    pub(crate) fn step(&self, progress: Progress, name: &str) -> Progress {
        let mut next = 0;
        for (index, part) in self.parts.iter().enumerate() {
            if progress.0 & (1 << index) != 0 {
                next |= match part {
                    Part::Directories => 1 << index,
                    Part::Literal(literal) => u64::from(literal == name) << (index + 1),
                    Part::Pattern(pattern) => u64::from(matches(pattern, name)) << (index + 1),
                };
            }
        }
        self.with_skips(next)
    }

    /// Whether the path so far is one that the pattern stands for.
    pub(crate) fn is_matched(&self, progress: Progress) -> bool {
        progress.0 & (1 << self.parts.len()) != 0
    }

    /// Whether a longer path may be one that the pattern stands for.
    pub(crate) fn goes_on(&self, progress: Progress) -> bool {
        progress.0 & ((1 << self.parts.len()) - 1) != 0
    }

    /// Whether a longer path may be one by any number of directories.
    pub(crate) fn goes_anywhere(&self, progress: Progress) -> bool {
        let any = self.parts.iter().enumerate();
        let mut any = any.filter(|(index, _)| progress.0 & (1 << index) != 0);
        any.any(|(_, part)| *part == Part::Directories)
    }

    /// The names that may be next, if there are no others.
    pub(crate) fn names(&self, progress: Progress) -> Option<Vec<&str>> {
        let mut names = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            if progress.0 & (1 << index) != 0 {
                match part {
                    Part::Literal(name) => names.push(name.as_str()),
                    Part::Directories | Part::Pattern(_) => return None,
                }
            }
        }
        Some(names)
    }

    /// The same, and behind each `**` that may be next also what follows it, since it may stand for
    /// no directory at all.
    fn with_skips(&self, mut progress: u64) -> Progress {
        for (index, part) in self.parts.iter().enumerate() {
            if *part == Part::Directories && progress & (1 << index) != 0 {
                progress |= 1 << (index + 1);
            }
        }
        Progress(progress)
    }
}

/// Whether a name is one that a pattern stands for. Goes back to the last `*` alone, which is
/// enough, so that the time is bounded by the product of the lengths.
fn matches(pattern: &[char], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut of) = (0, 0);
    let mut last: Option<(usize, usize)> = None;
    while at < name.len() {
        match pattern.get(of) {
            Some('*') => {
                last = Some((of, at));
                of += 1;
            }
            Some(c) if *c == '?' || *c == name[at] => {
                of += 1;
                at += 1;
            }
            _ => match last {
                Some((star, from)) => {
                    last = Some((star, from + 1));
                    (of, at) = (star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[of..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(glob: &str, path: &str) -> bool {
        let glob: Glob = glob.parse().expect("a pattern");
        let progress =
            path.split('/').fold(glob.begin(), |progress, name| glob.step(progress, name));
        glob.is_matched(progress)
    }

    #[test]
    fn paths_match_by_their_parts() {
        for (glob, path) in [
            ("a.xml", "a.xml"),
            ("./a//b.xml", "a/b.xml"),
            ("*.xml", "a.xml"),
            ("a?.xml", "ab.xml"),
            ("TEST-*.*.xml", "TEST-a.b.c.xml"),
            ("**/*.xml", "a.xml"),
            ("**/*.xml", "a/b/c.xml"),
            ("a/**/b/*.xml", "a/b/b/c/b/x.xml"),
            ("a/**/b/*.xml", "a/b/x.xml"),
            ("a/**/**/b.xml", "a/b.xml"),
            ("a/**", "a/b/c"),
            ("[a].xml", "[a].xml"),
        ] {
            assert!(is_match(glob, path), "{glob} {path}");
        }
        for (glob, path) in [
            ("a.xml", "b/a.xml"),
            ("*.xml", "a/b.xml"),
            ("*.xml", "a.xml.gz"),
            ("a?.xml", "a.xml"),
            ("**/b/*.xml", "a/x.xml"),
            ("[a].xml", "a.xml"),
            ("a/**", "a"),
        ] {
            assert!(!is_match(glob, path), "{glob} {path}");
        }
    }

    #[test]
    fn what_leads_out_is_refused() {
        for wrong in ["", "/a.xml", "../a.xml", "a/../../b.xml", "a/..", ".", "/", "a\0"] {
            assert!(wrong.parse::<Glob>().is_err(), "{wrong:?}");
        }
        assert!("a/".repeat(MOST_PARTS + 1).parse::<Glob>().is_err());
        assert!("a".repeat(LONGEST + 1).parse::<Glob>().is_err());
        assert!("..a/b..xml".parse::<Glob>().is_ok());
        assert!("*/".repeat(MOST_PARTS).parse::<Glob>().is_ok());
    }

    #[test]
    fn names_are_looked_for_by_themselves_where_they_are_known() {
        let glob: Glob = "build/reports/*.xml".parse().expect("a pattern");
        let begin = glob.begin();
        assert_eq!(glob.names(begin), Some(vec!["build"]));
        let inside = glob.step(glob.step(begin, "build"), "reports");
        assert_eq!(glob.names(inside), None);
        assert!(glob.goes_on(inside) && !glob.goes_anywhere(inside) && !glob.is_matched(inside));
        assert!(!glob.goes_on(glob.step(begin, "other")));
    }

    #[test]
    fn many_asterisks_take_no_longer_than_few() {
        assert!(!is_match(&("*a".repeat(300) + "b"), &"a".repeat(255)));
    }
}
