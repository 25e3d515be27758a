use std::sync::Arc;

use jobrunner_core::{
    JobSpec, Status,
    executor::{ProcessExecutor, ProcessSettings},
    job::Reason,
    retry::{Retry, RetryKind, RetryOn},
    testkit::wait_until,
    workdir::AllowedRoots,
};

use crate::site::{GRACE, Site, config_with, executor};

fn reasons(attempts: &[jobrunner_core::job::Attempt]) -> Vec<Option<Reason>> {
    attempts.iter().map(|attempt| attempt.result.as_ref().and_then(|r| r.reason)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn p4_a_flaky_job_passes_in_the_end_and_every_attempt_is_kept() {
    let site = Site::new().await;
    let worker = site.start(1);
    let script = "echo attempt $JOBRUNNER_ATTEMPT; case $JOBRUNNER_ATTEMPT in
        1) exit 75;; 2) sleep 60;; *) echo done;; esac";
    let on = vec![RetryOn::ExitCode(75), RetryOn::Kind(RetryKind::Silent)];
    let spec = JobSpec {
        max_attempts: 3,
        silence_seconds: Some(1),
        retry: Some(Retry { on, ..Retry::default() }),
        ..site.script(script)
    };
    let batch = site.submit_batch(vec![spec, site.script("true")]).await;
    let batch = site.wait_for_batch(&batch).await;
    assert_eq!((batch.status, batch.flaky, batch.counts.passed), (Status::Passed, 1, 2));
    let job = site.members(&batch).await.remove(0);
    assert_eq!((job.status, job.attempt, job.flaky), (Status::Passed, 3, true));
    let attempts = site.attempts(job.id).await;
    assert_eq!(reasons(&attempts), [Some(Reason::ExitCode), Some(Reason::Silent), None]);
    assert_eq!(site.logs(job.id).await.stdout.as_ref(), b"attempt 3\ndone\n");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_code_that_skips_ends_a_job_well_and_no_other_does() {
    let site = Site::new().await;
    let worker = site.start(2);
    // That it may be run again is about failures.
    let skipping = |script| JobSpec {
        skip_exit_codes: vec![77, 2],
        max_attempts: 3,
        retry: Some(Retry { on: vec![RetryOn::ExitCode(77)], ..Retry::default() }),
        ..site.script(script)
    };
    let scripts = ["echo nothing to do >&2; exit 77", "exit 2", "exit 3", "exit 0", "kill -9 $$"];
    let batch = site.submit_batch(scripts.map(skipping).into()).await;
    let batch = site.wait_for_batch(&batch).await;
    assert_eq!((batch.status, batch.skipped, batch.flaky), (Status::Failed, 2, 0));
    let members = site.members(&batch).await;
    let ends: Vec<_> = members.iter().map(|job| (job.status, job.skipped, job.attempt)).collect();
    let (passed, failed) = ((Status::Passed, false, 1), (Status::Failed, false, 1));
    let skipped = (Status::Passed, true, 1);
    assert_eq!(ends, [skipped, skipped, failed, passed, failed]);
    let attempts = site.attempts(members[0].id).await;
    let [attempt] = attempts.as_slice() else { panic!("one attempt: {attempts:?}") };
    let result = attempt.result.as_ref().expect("a result");
    assert_eq!((attempt.status, result.exit_code, result.reason), (Status::Passed, Some(77), None));
    assert_eq!(attempt.error, None);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_between_attempts_is_kept_and_a_cancel_ends_it() {
    let site = Site::new().await;
    let worker = site.start(1);
    let retry = Some(Retry { delay_seconds: 1, ..Retry::default() });
    let failing = site.script("date +%s.%N >> times; exit 1");
    let paused = site.submit(JobSpec { max_attempts: 2, retry, ..failing.clone() }).await;
    site.wait_for(paused, Status::Failed).await;
    let times: Vec<f64> =
        site.lines("times").iter().map(|line| line.parse().expect("a time")).collect();
    assert_eq!(times.len(), 2);
    assert!(times[1] - times[0] >= 1.0, "{times:?}");

    let retry = Some(Retry { delay_seconds: 3600, ..Retry::default() });
    let canceled = site.submit(JobSpec { max_attempts: 2, retry, ..failing }).await;
    wait_until("its first attempt to fail", || async {
        let job = site.job(canceled).await;
        (job.status == Status::Waiting && job.attempt == 1).then_some(())
    })
    .await;
    site.cancel(canceled).await;
    let job = site.job(canceled).await;
    assert_eq!((job.status, job.attempt), (Status::Canceled, 1));
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_is_missing_on_one_host_is_found_on_another() {
    let site = Site::new().await;
    // A host that does not see what lies outside of the directory of the commands.
    let mut settings = ProcessSettings::default();
    settings.grace = GRACE;
    settings.allowed_roots = AllowedRoots::new([site.path("")]).expect("absolute");
    let on = |host: &str| {
        config_with(|config| {
            config.host = Some(host.to_owned());
            config.slots = 1;
        })
    };
    let blind = site.start_with(on("blind"), Arc::new(ProcessExecutor::new(settings)));
    let spec = JobSpec {
        inputs: vec![site.database().display().to_string()],
        ..site.script("echo found")
    };
    // As long as there is no other host, the job fails there.
    let alone = site.submit(spec.clone()).await;
    let alone = site.wait_for(alone, Status::Failed).await;
    assert_eq!(alone.result.and_then(|result| result.reason), Some(Reason::InputMissing));

    let seeing = site.start_with(on("seeing"), executor());
    wait_until("both workers to be seen", || async {
        let workers = site.store().workers().await.expect("a list");
        (workers.len() == 2).then_some(())
    })
    .await;
    for _ in 0..5 {
        let job = site.submit(spec.clone()).await;
        let job = site.wait_for(job, Status::Passed).await;
        assert!(!job.flaky);
        let attempts = site.attempts(job.id).await;
        assert!(attempts.len() <= 2, "{attempts:?}");
        assert_eq!(attempts.last().and_then(|attempt| attempt.result.clone()?.reason), None);
    }
    blind.stop().await;
    seeing.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_stores_no_more_output_than_it_wants() {
    let site = Site::new().await;
    let worker = site.start(1);
    let spec = JobSpec { max_output_bytes: Some(10_000), ..site.script("seq 100000") };
    let job = site.submit(spec).await;
    let result = site.wait_for(job, Status::Passed).await.result.expect("a result");
    assert!(result.truncated);
    let stdout = site.logs(job).await.stdout;
    assert!(stdout.starts_with(b"1\n2\n") && stdout.ends_with(b"99999\n100000\n"));
    assert!((10_000..20_000).contains(&stdout.len()), "{}", stdout.len());
    worker.stop().await;
}
