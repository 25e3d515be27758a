//! Paths that were found to be allowed a moment ago.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::JobSpec;

/// For how long a path that was looked up is not looked up again.
const LASTS: Duration = Duration::from_secs(1);

/// How many paths are remembered at most.
const MOST: usize = 10_000;

/// Remembers the paths of jobs that passed, so that many jobs of one directory do not each wait for
/// the file system. What was refused is not remembered.
#[derive(Debug, Default)]
pub(super) struct Paths(Mutex<HashMap<Path, Instant>>);

#[derive(Debug, PartialEq, Eq, Hash)]
enum Path {
    WorkingDir(String),
    Input(String),
}

impl Paths {
    /// Whether all paths of the job have passed within the last second.
    pub(super) fn are_known(&self, spec: &JobSpec) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        paths(spec).all(|path| known.get(&path).is_some_and(|asked| asked.elapsed() < LASTS))
    }

    /// All paths of the job were looked up, not before `asked`, and passed.
    pub(super) fn remember(&self, spec: &JobSpec, asked: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for path in paths(spec) {
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(path, asked);
        }
    }
}

fn paths(spec: &JobSpec) -> impl Iterator<Item = Path> {
    let inputs = spec.inputs.iter().cloned().map(Path::Input);
    std::iter::once(Path::WorkingDir(spec.working_dir.clone())).chain(inputs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::spec;

    #[test]
    fn a_path_is_known_for_a_second_and_only_as_what_it_was_looked_up_for() {
        let paths = Paths::default();
        let at = |dir: &str, inputs: &[&str]| JobSpec {
            working_dir: dir.to_owned(),
            inputs: inputs.iter().map(|path| (*path).to_owned()).collect(),
            ..spec("j")
        };
        assert!(!paths.are_known(&at("/a", &[])));
        paths.remember(&at("/a", &["/b"]), Instant::now());
        assert!(paths.are_known(&at("/a", &[])) && paths.are_known(&at("/a", &["/b"])));
        assert!(!paths.are_known(&at("/b", &[])), "a file may be an input and no directory");
        assert!(!paths.are_known(&at("/a", &["/a"])));
        let before = Instant::now().checked_sub(LASTS).expect("the machine runs for a second");
        paths.remember(&at("/old", &[]), before);
        assert!(!paths.are_known(&at("/old", &[])));
    }

    #[test]
    fn as_many_as_are_asked_for_are_not_kept() {
        let paths = Paths::default();
        for n in 0..2 * MOST {
            let job = JobSpec { working_dir: format!("/{n}"), ..spec("j") };
            paths.remember(&job, Instant::now());
        }
        assert!(paths.0.lock().expect("a lock").len() <= MOST);
    }
}
