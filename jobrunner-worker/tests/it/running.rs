use std::sync::Arc;

use async_trait::async_trait;
use jobrunner_core::{
    Executor, JobSpec, Status,
    attempt::Outcome,
    executor::{Run, RunContext},
    job::Reason,
};

use crate::site::{Site, config_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_ends_with_exact_counts_results_and_logs() {
    let site = Site::new().await;
    let worker = site.start(4);
    let specs = (0..60).map(|number| match number % 3 {
        0 => site.script(&format!("echo out {number}; echo err {number} >&2")),
        1 => site.script(&format!("printf 'a\\000{number}'; exit 3")),
        _ => {
            let command = ["printf", "%s|", "$(id)", "a b", "Grüße", &number.to_string()];
            let command = command.map(str::to_owned).to_vec();
            JobSpec { command, ..site.script("") }
        }
    });
    let batch = site.submit_batch(specs.collect()).await;

    let ended = site.wait_for_batch(&batch).await;
    let counts = ended.counts;
    assert_eq!((counts.total, counts.passed, counts.failed), (60, 40, 20));
    assert_eq!(ended.status, Status::Failed);
    for (number, job) in site.members(&batch).await.into_iter().enumerate() {
        let result = job.result.expect("a result");
        let logs = site.logs(job.id).await;
        let (code, stdout, stderr) = match number % 3 {
            0 => (0, format!("out {number}\n"), format!("err {number}\n")),
            1 => (3, format!("a\0{number}"), String::new()),
            _ => (0, format!("$(id)|a b|Grüße|{number}|"), String::new()),
        };
        assert_eq!(result.exit_code, Some(code));
        assert_eq!(
            (logs.stdout.as_ref(), logs.stderr.as_ref()),
            (stdout.as_bytes(), stderr.as_bytes())
        );
        assert_eq!(result.stdout_bytes, stdout.len() as u64);
        assert_eq!(result.stderr_bytes, stderr.len() as u64);
        assert!(!result.truncated && logs.info.complete());
    }
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p3_three_hundred_jobs_run_exactly_once_each() {
    let site = Site::new().await;
    let worker = site.start(8);
    let specs = (0..300).map(|number| site.script(&format!("echo {number} >> ledger")));
    let batch = site.submit_batch(specs.collect()).await;

    assert_eq!(site.wait_for_batch(&batch).await.counts.passed, 300);
    let mut ran: Vec<u32> =
        site.lines("ledger").iter().map(|line| line.parse().expect("a number")).collect();
    ran.sort_unstable();
    assert_eq!(ran, (0..300).collect::<Vec<_>>());
    for job in site.members(&batch).await {
        assert_eq!(site.attempts(job.id).await.len(), 1);
    }
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_a_batch_and_no_job_runs_twice() {
    let site = Site::new().await;
    let workers = [site.start(3), site.start(3)];
    let specs = (0..100).map(|number| site.script(&format!("echo {number} >> ledger")));
    let batch = site.submit_batch(specs.collect()).await;

    assert_eq!(site.wait_for_batch(&batch).await.counts.passed, 100);
    assert_eq!(site.lines("ledger").len(), 100);
    for worker in workers {
        worker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_jobs_run_at_a_time_as_there_are_slots() {
    let site = Site::new().await;
    let worker = site.start(2);
    // The first waits for the second, which needs another slot.
    let script = "echo + >> ledger; until [ $(grep -cF + ledger) -ge 2 ]; do sleep 0.02; done
        sleep 0.2; echo - >> ledger";
    let specs = (0..8).map(|_| site.script(script));
    let batch = site.submit_batch(specs.collect()).await;

    site.wait_for_batch(&batch).await;
    let mut running = 0;
    let most = site.lines("ledger").into_iter().map(|line| {
        running += if line == "+" { 1 } else { -1 };
        running
    });
    assert_eq!(most.max(), Some(2));
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn higher_priorities_go_first() {
    let site = Site::new().await;
    let worker = site.start(1);
    let first = site.submit(site.script("while [ ! -e go ]; do sleep 0.02; done")).await;
    site.wait_for(first, Status::Running).await;
    let mut jobs = Vec::new();
    for priority in [0, 5, 10, 3] {
        let spec = site.script(&format!("echo {priority} >> ledger"));
        jobs.push(site.submit(JobSpec { priority, ..spec }).await);
    }
    site.touch("go");

    for job in jobs {
        site.wait_for(job, Status::Passed).await;
    }
    assert_eq!(site.lines("ledger"), ["10", "5", "3", "0"]);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_serves_the_queues_it_is_told_to() {
    let site = Site::new().await;
    let queues = vec!["nightly".to_owned()];
    let worker =
        site.start_with(config_with(|config| config.queues = queues), crate::site::executor());
    let other = site.submit(site.script("true")).await;
    let served = JobSpec { queue: "nightly".to_owned(), ..site.script("echo $JOBRUNNER_QUEUE") };
    let served = site.submit(served).await;

    site.wait_for(served, Status::Passed).await;
    assert_eq!(site.logs(served).await.stdout, "nightly\n");
    assert_eq!(site.job(other).await.status, Status::Waiting);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p4_a_failing_job_is_run_until_its_attempts_are_used_up() {
    let site = Site::new().await;
    let worker = site.start(2);
    let spec = site.script("echo $JOBRUNNER_ATTEMPT | tee -a ledger; exit 1");
    let failing = site.submit(JobSpec { max_attempts: 3, ..spec }).await;
    let spec = site.script("test $JOBRUNNER_ATTEMPT = 2");
    let recovering = site.submit(JobSpec { max_attempts: 5, ..spec }).await;

    let failed = site.wait_for(failing, Status::Failed).await;
    assert_eq!(
        (failed.attempt, site.lines("ledger")),
        (3, ["1", "2", "3"].map(String::from).into())
    );
    let attempts = site.attempts(failing).await;
    assert_eq!(attempts.len(), 3);
    assert!(attempts.iter().all(|attempt| attempt.error.as_deref() == Some("exited with code 1")));
    assert_eq!(site.logs(failing).await.stdout, "3\n");
    assert_eq!(site.wait_for(recovering, Status::Passed).await.attempt, 2);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_cannot_be_started_fails_and_says_why() {
    let site = Site::new().await;
    let worker = site.start(1);
    let spec = JobSpec { command: vec!["no-such-program".to_owned()], ..site.script("") };
    let failed = site.wait_for(site.submit(spec).await, Status::Failed).await;
    assert_eq!(failed.result.expect("a result").reason, Some(Reason::SpawnFailed));
    assert!(
        failed.error.expect("an error").starts_with("program \"no-such-program\" was not found")
    );
    worker.stop().await;
}

struct Panicking;

#[async_trait]
impl Executor for Panicking {
    async fn run(&self, _run: &Run, _context: RunContext) -> Outcome {
        panic!("on purpose");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_that_panics_fails_the_job_and_not_the_worker() {
    let site = Site::new().await;
    let worker = site.start_with(config_with(|config| config.slots = 1), Arc::new(Panicking));
    for _ in 0..3 {
        let job = site.submit(site.script("true")).await;
        let failed = site.wait_for(job, Status::Failed).await;
        assert_eq!(failed.result.expect("a result").reason, Some(Reason::SpawnFailed));
    }
    worker.stop().await;
}
