//! What failed when a suite was last run here: a file for each suite, in the user's directory for
//! state.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy;
use jobrunner_core::{Job, NewJob, Status};
use serde::{Deserialize, Serialize};

/// The memory of one suite.
pub(super) struct LastRun {
    suite: PathBuf,
    file: PathBuf,
    failed: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    /// Whose memory it is: file names may be alike by chance.
    suite: PathBuf,
    failed: BTreeSet<String>,
}

impl LastRun {
    /// Remembers the suite of a file; nothing if nothing is known, or there is no place for it.
    pub(super) fn of(suite: &Path) -> Option<Self> {
        let base = etcetera::choose_base_strategy().ok()?;
        // Hashes may change with the compiler, which costs a memory.
        let mut hasher = DefaultHasher::new();
        suite.hash(&mut hasher);
        let directory = base.state_dir().unwrap_or_else(|| base.cache_dir()).join("jobrunner/runs");
        let file = directory.join(format!("{:016x}.json", hasher.finish()));
        let kept = fs::read(&file).ok().and_then(|kept| serde_json::from_slice(&kept).ok());
        let kept = kept.filter(|kept: &Kept| kept.suite == suite);
        let failed = kept.map(|kept| kept.failed).unwrap_or_default();
        Some(Self { suite: suite.to_owned(), file, failed })
    }

    /// The names of the jobs that failed when they were last run.
    pub(super) const fn failed(&self) -> &BTreeSet<String> {
        &self.failed
    }

    /// Takes down how jobs ended; those that did not come to an end stay what they were.
    pub(super) fn update(&mut self, run: &[NewJob], others: &[Job]) -> io::Result<()> {
        let mut ended: HashMap<&str, bool> =
            run.iter().map(|job| (job.name.as_str(), false)).collect();
        for job in others {
            match job.status {
                Status::Failed => {
                    ended.insert(&job.spec.name, true);
                }
                _ => {
                    let failed = self.failed.contains(&job.spec.name);
                    ended.entry(&job.spec.name).and_modify(|known| *known |= failed);
                }
            }
        }
        for (name, failed) in ended {
            if failed {
                self.failed.insert(name.to_owned());
            } else {
                self.failed.remove(name);
            }
        }
        if self.failed.is_empty() {
            return match fs::remove_file(&self.file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                removed => removed,
            };
        }
        let directory = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory)?;
        let kept = Kept { suite: self.suite.clone(), failed: self.failed.clone() };
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&serde_json::to_vec(&kept)?)?;
        file.persist(&self.file)?;
        Ok(())
    }
}
