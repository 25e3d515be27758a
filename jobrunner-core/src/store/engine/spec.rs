//! A specification as it is stored: JSON without what it does not say.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};

use super::values;
use crate::{
    JobId, JobSpec, ProjectName, Result,
    retry::Retry,
    series::{Seed, Variant},
};

/// The specification as JSON. It is read back as it was; `null` is left out, which is a third of
/// what most jobs would take otherwise, and of what is written ahead for them.
///
/// # Errors
/// It cannot be written.
pub fn render(spec: &JobSpec) -> Result<String> {
    let JobSpec {
        name,
        command,
        working_dir,
        env,
        payload,
        project,
        queue,
        priority,
        timeout_seconds,
        scheduled_at,
        max_attempts,
        retry,
        skip_exit_codes,
        inputs,
        junit,
        silence_seconds,
        max_output_bytes,
        max_memory_mb,
        max_open_files,
        max_cpu_seconds,
        test,
        variant,
        seed,
        rerun_of,
    } = spec;
    values::render(&Stored {
        name,
        command,
        working_dir,
        env,
        payload,
        project: project.as_ref(),
        queue,
        priority: *priority,
        timeout_seconds: *timeout_seconds,
        scheduled_at: *scheduled_at,
        max_attempts: *max_attempts,
        retry: retry.as_ref(),
        skip_exit_codes,
        inputs,
        junit,
        silence_seconds: *silence_seconds,
        max_output_bytes: *max_output_bytes,
        max_memory_mb: *max_memory_mb,
        max_open_files: *max_open_files,
        max_cpu_seconds: *max_cpu_seconds,
        test: test.as_deref(),
        variant,
        seed: seed.as_ref(),
        rerun_of: *rerun_of,
    })
}

/// The fields of [`JobSpec`], whose words they are. Older versions must be able to read what is
/// written here.
#[derive(Serialize)]
struct Stored<'a> {
    name: &'a str,
    command: &'a [String],
    working_dir: &'a str,
    env: &'a BTreeMap<String, String>,
    payload: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a ProjectName>,
    queue: &'a str,
    priority: u8,
    timeout_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_at: Option<DateTime<Utc>>,
    max_attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<&'a Retry>,
    #[serde(skip_serializing_if = "<[i32]>::is_empty")]
    skip_exit_codes: &'a [i32],
    inputs: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    junit: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    silence_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_memory_mb: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_open_files: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_cpu_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<&'a str>,
    #[serde(skip_serializing_if = "Variant::is_empty")]
    variant: &'a Variant,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<&'a Seed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rerun_of: Option<JobId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::spec;

    #[test]
    fn what_is_stored_says_what_the_specification_says_and_no_more() {
        let whole = JobSpec {
            env: [("A".to_owned(), "b".to_owned())].into(),
            payload: Map::from_iter([("n".to_owned(), Value::Null)]),
            project: Some("web".parse().expect("a name")),
            scheduled_at: Some(DateTime::UNIX_EPOCH),
            retry: Some(Retry { on: Vec::new(), delay_seconds: 1, backoff: 2.0 }),
            skip_exit_codes: vec![77],
            inputs: vec!["/a".to_owned()],
            junit: vec!["*.xml".to_owned()],
            silence_seconds: Some(1),
            max_output_bytes: Some(2),
            max_memory_mb: Some(3),
            max_open_files: Some(16),
            max_cpu_seconds: Some(5),
            test: Some("t".to_owned()),
            variant: [("os".to_owned(), "linux".to_owned())].into(),
            seed: Some(Seed::Number(7)),
            rerun_of: Some(JobId::new()),
            ..spec("whole")
        };
        for spec in [whole, spec("small")] {
            let said = serde_json::to_value(&spec).expect("JSON");
            let said = said.as_object().expect("an object").clone();
            let said: Map<_, _> = said.into_iter().filter(|(_, value)| !value.is_null()).collect();
            let rendered = render(&spec).expect("JSON");
            assert_eq!(serde_json::from_str::<Map<_, _>>(&rendered).expect("JSON"), said);
            assert_eq!(values::parse::<JobSpec>(&rendered).expect("a specification"), spec);
        }
    }
}
