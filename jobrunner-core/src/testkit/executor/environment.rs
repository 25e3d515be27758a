use std::collections::BTreeMap;

use super::ExecutorFixture;
use crate::{attempt::Reason, executor::Run};

async fn environment(fixture: &ExecutorFixture, run: &Run) -> BTreeMap<String, String> {
    let ran = fixture.run(run).await;
    let variables = ran.text().split_terminator('\0');
    let pairs = variables.map(|variable| variable.split_once('=').expect("NAME=value"));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// It has its own variables, and knows what it is run for.
pub async fn a_command_has_its_variables_and_knows_its_job(fixture: &ExecutorFixture) {
    let mut job = fixture.job(["env", "-0"]);
    job.spec.env = [("GREETING".to_owned(), "a b\nc".to_owned())].into();
    let seen = environment(fixture, &job).await;
    assert_eq!(seen["GREETING"], "a b\nc");
    assert_eq!(seen["JOBRUNNER_JOB_ID"], job.job.to_string());
    assert_eq!(seen["JOBRUNNER_BATCH_ID"], job.batch.expect("a batch").to_string());
    assert_eq!(seen["JOBRUNNER_ATTEMPT"], "2");
    assert_eq!(seen["JOBRUNNER_QUEUE"], "nightly");
    job.batch = None;
    assert!(!environment(fixture, &job).await.contains_key("JOBRUNNER_BATCH_ID"));
}

/// The variables of the process that runs it may be secrets. Cargo sets some for every test.
pub async fn p12_a_command_sees_no_variables_of_its_worker(fixture: &ExecutorFixture) {
    let ours = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("CARGO"));
    let ours: Vec<String> = ours.collect();
    assert!(!ours.is_empty(), "a test that cargo runs has variables of its own");
    let seen = environment(fixture, &fixture.job(["env", "-0"])).await;
    let leaked: Vec<&String> = ours.iter().filter(|name| seen.contains_key(*name)).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
}

/// Whoever reads finds the end.
pub async fn p12_the_input_of_a_command_is_empty(fixture: &ExecutorFixture) {
    let ran = fixture.run(&fixture.job(["cat"])).await;
    assert_eq!((ran.outcome.reason, ran.text()), (None, ""));
}

/// That is where it is started, and where it looks for its program.
pub async fn a_command_runs_in_its_working_directory(fixture: &ExecutorFixture) {
    let mut job = fixture.script("mkdir below && ln -s /bin/echo below/tool && cd below && pwd -P");
    let below = fixture.run(&job).await;
    job.spec.working_dir = fixture.path("below");
    job.spec.command = ["pwd", "-P"].map(str::to_owned).into();
    assert_eq!(fixture.run(&job).await.text(), below.text());
    job.spec.command = ["./tool", "x"].map(str::to_owned).into();
    assert_eq!(fixture.run(&job).await.text(), "x\n");
}

/// Nothing is started, and the sentence names it.
pub async fn a_working_directory_that_cannot_be_used_is_told_of(fixture: &ExecutorFixture) {
    assert_eq!(fixture.run(&fixture.job(["touch", "file"])).await.outcome.reason, None);
    for name in ["missing", "file", "file/below"] {
        let mut job = fixture.job(["echo", "started"]);
        job.spec.working_dir = fixture.path(name);
        let ran = fixture.run(&job).await;
        assert_eq!((ran.outcome.reason, ran.text()), (Some(Reason::WorkingDir), ""));
        assert!(ran.error().contains(&fixture.path(name)), "{}", ran.error());
    }
}

/// Nothing is started, and the sentence names it.
pub async fn an_input_that_is_missing_is_told_of(fixture: &ExecutorFixture) {
    assert_eq!(fixture.run(&fixture.job(["touch", "there"])).await.outcome.reason, None);
    let mut job = fixture.job(["echo", "started"]);
    job.spec.inputs = vec![fixture.path("there"), fixture.path("missing")];
    let ran = fixture.run(&job).await;
    assert_eq!((ran.outcome.reason, ran.text()), (Some(Reason::InputMissing), ""));
    assert!(ran.error().contains(&fixture.path("missing")), "{}", ran.error());
    job.spec.inputs.pop();
    assert_eq!(fixture.run(&job).await.text(), "started\n");
}
