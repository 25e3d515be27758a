//! Which jobs of a suite are run.

use std::collections::BTreeSet;

use jobrunner_core::NewJob;

use crate::{args::Selection, exit::Failure, output::note};

/// Returns the jobs to run, in order. `failed` has the names of those that failed the last time.
pub(super) fn selected(
    mut jobs: Vec<NewJob>,
    selection: &Selection,
    failed: &BTreeSet<String>,
) -> Result<Vec<NewJob>, Failure> {
    if !selection.filter.is_empty() {
        let filter = Filter::new(&selection.filter);
        jobs.retain(|job| filter.lets_through(&job.name));
        if jobs.is_empty() {
            let texts = selection.filter.join(", ");
            return Err(Failure::usage(format!("no job of the suite has a name with {texts}")));
        }
    }
    if selection.last_failed {
        if jobs.iter().any(|job| failed.contains(&job.name)) {
            jobs.retain(|job| failed.contains(&job.name));
        } else {
            note("none of these jobs failed the last time; all are run");
        }
    }
    if let Some(shard) = selection.shard {
        let mut index = 0..;
        jobs.retain(|_| index.next().is_some_and(|n: usize| n % shard.of == shard.number - 1));
    }
    let round = jobs.len();
    for _ in 1..selection.repeat.unwrap_or(1) {
        jobs.extend_from_within(..round);
    }
    Ok(jobs)
}

/// What names may be like.
struct Filter<'a> {
    wanted: Vec<&'a str>,
    unwanted: Vec<&'a str>,
}

impl<'a> Filter<'a> {
    fn new(texts: &'a [String]) -> Self {
        let (unwanted, wanted) =
            texts.iter().map(String::as_str).partition::<Vec<_>, _>(|text| text.starts_with('!'));
        let unwanted = unwanted.into_iter().map(|text| &text[1..]).collect();
        Self { wanted, unwanted }
    }

    fn lets_through(&self, name: &str) -> bool {
        (self.wanted.is_empty() || self.wanted.iter().any(|text| fits(text, name)))
            && !self.unwanted.iter().any(|text| fits(text, name))
    }
}

/// Whether a name contains a text, or is like it if there is a `*` in it, which stands for any
/// text.
fn fits(text: &str, name: &str) -> bool {
    let Some((first, rest)) = text.split_once('*') else { return name.contains(text) };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str], failed: &[&str], change: impl FnOnce(&mut Selection)) -> String {
        let jobs = ["a 1", "a 2", "b 1", "b [x]", "c"];
        let jobs = jobs.map(|name| NewJob { name: name.to_owned(), ..NewJob::default() });
        let filter = texts.iter().map(|&text| text.to_owned()).collect();
        let mut selection = Selection { filter, last_failed: false, shard: None, repeat: None };
        change(&mut selection);
        let failed = failed.iter().map(|&name| name.to_owned()).collect();
        let jobs = selected(jobs.to_vec(), &selection, &failed).expect("some");
        jobs.iter().map(|job| job.name.as_str()).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn filters_look_for_texts_and_match_whole_names_with_stars() {
        for (texts, expected) in [
            (&["a"][..], "a 1|a 2"),
            (&["1", "c"], "a 1|b 1|c"),
            (&["*1"], "a 1|b 1"),
            (&["b*"], "b 1|b [x]"),
            (&["* *"], "a 1|a 2|b 1|b [x]"),
            (&["*"], "a 1|a 2|b 1|b [x]|c"),
            (&["[x]"], "b [x]"),
            (&["!a"], "b 1|b [x]|c"),
            (&["b", "!*]"], "b 1"),
            (&["b*[*]"], "b [x]"),
        ] {
            assert_eq!(names(texts, &[], |_| {}), expected, "{texts:?}");
        }
    }

    #[test]
    fn shards_are_disjoint_and_complete_and_come_before_repetitions() {
        let shard = |number| {
            names(&[], &[], |selection| selection.shard = format!("{number}/2").parse().ok())
        };
        assert_eq!((shard(1).as_str(), shard(2).as_str()), ("a 1|b 1|c", "a 2|b [x]"));
        let twice = names(&["1"], &[], |selection| {
            selection.repeat = Some(2);
            selection.shard = "2/2".parse().ok();
        });
        assert_eq!(twice, "b 1|b 1");
        assert_eq!(names(&["c"], &[], |selection| selection.shard = "2/2".parse().ok()), "");
    }

    #[test]
    fn those_that_failed_are_run_or_all_if_none_did() {
        let last = |failed: &[&str]| names(&["a"], failed, |s| s.last_failed = true);
        assert_eq!(last(&["a 2", "c"]), "a 2");
        assert_eq!(last(&["c"]), "a 1|a 2");
    }
}
