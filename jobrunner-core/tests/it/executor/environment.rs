use std::collections::BTreeMap;

use jobrunner_core::executor::Run;

use super::{job, run, script};

async fn environment(job: &Run) -> BTreeMap<String, String> {
    let ran = run(job).await;
    let variables = ran.text().split_terminator('\0');
    let pairs = variables.map(|variable| variable.split_once('=').expect("NAME=value"));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[tokio::test]
async fn p12_a_command_gets_the_allow_list_its_own_variables_and_ours() {
    let mut job = job(["env", "-0"]);
    job.spec.env = [("GREETING".to_owned(), "a b\nc".to_owned())].into();
    let environment = environment(&job).await;

    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some(), "the worker has other variables");
    let listed = ["PATH", "HOME", "LANG", "TZ", "USER", "TMPDIR"];
    let unlisted: Vec<_> = environment
        .keys()
        .filter(|name| !listed.contains(&name.as_str()) && !name.starts_with("LC_"))
        .collect();
    let expected = [
        "GREETING",
        "JOBRUNNER_ATTEMPT",
        "JOBRUNNER_BATCH_ID",
        "JOBRUNNER_JOB_ID",
        "JOBRUNNER_QUEUE",
        "PWD",
    ];
    assert_eq!(unlisted, expected);
    assert_eq!(environment["GREETING"], "a b\nc");
    assert_eq!(environment["PATH"], std::env::var("PATH").expect("a PATH"));
    assert_eq!(environment["JOBRUNNER_JOB_ID"], job.job.to_string());
    assert_eq!(environment["JOBRUNNER_BATCH_ID"], job.batch.expect("a batch").to_string());
    assert_eq!(environment["JOBRUNNER_ATTEMPT"], "2");
    assert_eq!(environment["JOBRUNNER_QUEUE"], "nightly");
}

#[tokio::test]
async fn a_command_finds_its_directory_by_the_name_that_it_was_asked_for_by() {
    let directory = tempfile::tempdir().expect("a directory");
    let real = directory.path().join("builds/42");
    std::fs::create_dir_all(&real).expect("directories");
    let link = directory.path().join("latest");
    std::os::unix::fs::symlink("builds/42", &link).expect("a link");
    let nested = directory.path().join("again");
    std::os::unix::fs::symlink(&link, &nested).expect("a link");
    for path in [&real, &link, &nested] {
        let path = path.to_str().expect("UTF-8");
        let mut asks = script("printenv PWD; pwd -L; pwd -P");
        asks.spec.working_dir = path.to_owned();
        let real = real.canonicalize().expect("a path");
        assert_eq!(run(&asks).await.text(), format!("{path}\n{path}\n{}\n", real.display()));
        asks.spec.env = [("PWD".to_owned(), "/elsewhere".to_owned())].into();
        asks.spec.command = vec!["printenv".to_owned(), "PWD".to_owned()];
        assert_eq!(run(&asks).await.text(), "/elsewhere\n", "a job may bring its own");
    }
}

#[tokio::test]
async fn a_job_without_a_batch_has_no_batch_id() {
    let mut job = job(["env", "-0"]);
    job.batch = None;
    assert!(!environment(&job).await.contains_key("JOBRUNNER_BATCH_ID"));
}

#[tokio::test]
async fn a_job_may_bring_its_own_path_and_its_program_is_looked_up_there() {
    let directory = tempfile::tempdir().expect("a directory");
    std::os::unix::fs::symlink("/bin/echo", directory.path().join("greet")).expect("a link");
    let mut job = job(["greet", "hello"]);
    job.spec.env = [("PATH".to_owned(), directory.path().display().to_string())].into();
    assert_eq!(run(&job).await.text(), "hello\n");
}

#[tokio::test]
async fn p12_a_command_has_three_descriptors_and_an_empty_input() {
    let open_here = tempfile::tempfile().expect("a file");
    // A plain duplicate is not closed on exec: like what a careless parent hands down.
    let _handed_down = rustix::io::dup(&open_here).expect("a second descriptor");
    let _listening_here = std::net::TcpListener::bind("127.0.0.1:0").expect("a socket");
    // The fourth is the directory that `ls` itself reads.
    assert_eq!(run(&job(["ls", "/proc/self/fd"])).await.text(), "0\n1\n2\n3\n");
    assert_eq!(run(&job(["readlink", "/proc/self/fd/0"])).await.text(), "/dev/null\n");
    assert_eq!(run(&job(["cat"])).await.text(), "");
}

#[tokio::test]
async fn a_command_leads_its_own_process_group_and_no_signal_is_blocked() {
    let ran = run(&job(["cat", "/proc/self/stat"])).await;
    let fields: Vec<_> = ran.text().split(' ').collect();
    assert_eq!(fields[0], fields[4], "process and group");
    let ran = run(&job(["grep", "SigBlk", "/proc/self/status"])).await;
    assert_eq!(ran.text(), "SigBlk:\t0000000000000000\n");
}

#[tokio::test]
async fn a_variable_that_loads_something_is_refused_where_the_worker_does_not_allow_it() {
    let mut job = script("echo ran");
    job.spec.env = [("BASH_ENV".to_owned(), "/tmp/x".to_owned())].into();
    let ran = run(&job).await;
    assert_eq!(ran.outcome.reason, Some(jobrunner_core::job::Reason::SpawnFailed));
    assert!(ran.error().contains("BASH_ENV may not be set"), "{}", ran.error());
    assert_eq!(ran.text(), "");
}
