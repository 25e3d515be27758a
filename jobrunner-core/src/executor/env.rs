use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
};

use super::Run;

/// Variables of the worker that commands may see, besides those that start with `LC_`.
const INHERITED: [&str; 6] = ["PATH", "HOME", "LANG", "TZ", "USER", "TMPDIR"];

/// The part of the worker's own environment that commands inherit. Everything else stays behind:
/// the worker's variables may hold the secrets of the service.
#[derive(Clone, Debug)]
pub(super) struct Inherited(BTreeMap<OsString, OsString>);

impl Inherited {
    /// What of these variables may be passed on.
    pub(super) fn among(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(variables.into_iter().filter(|(name, _)| is_inherited(name)).collect())
    }

    /// The whole environment of a job's command: what is inherited, the working directory by the
    /// name that it was asked for by, then the job's own variables, then JobRunner's, each able to
    /// replace those before.
    pub(super) fn for_run(&self, run: &Run) -> BTreeMap<OsString, OsString> {
        let mut environment = self.0.clone();
        environment.insert("PWD".into(), run.spec.working_dir.clone().into());
        environment.extend(run.spec.env.iter().map(|(name, value)| (name.into(), value.into())));
        let mut set = |name: &str, value: String| {
            environment.insert(name.into(), value.into());
        };
        set("JOBRUNNER_JOB_ID", run.job.to_string());
        if let Some(batch) = run.batch {
            set("JOBRUNNER_BATCH_ID", batch.to_string());
        }
        set("JOBRUNNER_ATTEMPT", run.attempt.to_string());
        set("JOBRUNNER_QUEUE", run.spec.queue.clone());
        environment
    }
}

fn is_inherited(name: &OsStr) -> bool {
    INHERITED.iter().any(|inherited| name == *inherited)
        || name.as_encoded_bytes().starts_with(b"LC_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listed_variables_are_inherited() {
        let variables =
            ["PATH", "LC_ALL", "LC_", "HOME", "DATABASE_URL", "XPATH", "PATH2", "lc_all"];
        let inherited = Inherited::among(variables.map(|name| (name.into(), "x".into())));
        let names: Vec<_> = inherited.0.into_keys().collect();
        assert_eq!(names, ["HOME", "LC_", "LC_ALL", "PATH"]);
    }
}
