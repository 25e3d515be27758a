//! What commands say of their tests.

use jobrunner_core::{
    JobSpec, Status,
    job::Reason,
    page::PageRequest,
    report::{CaseFilter, MOST_CASES},
};

use crate::site::Site;

fn reporting(site: &Site, script: &str) -> JobSpec {
    JobSpec { junit: vec!["*.xml".to_owned()], ..site.script(script) }
}

async fn names(site: &Site, job: jobrunner_core::JobId) -> Vec<String> {
    let page = site.store().cases(job, &CaseFilter::default(), PageRequest::first(1000)).await;
    page.expect("cases").items.into_iter().map(|case| case.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_read_however_the_command_ends() {
    let site = Site::new().await;
    let worker = site.start(1);
    let write = "echo \"<testsuite><testcase name='a'><failure/></testcase></testsuite>\" > a.xml;";
    let failed = site.submit(reporting(&site, &format!("{write} exit 3"))).await;
    let passed = site.submit(reporting(&site, &format!("{write} exit 0"))).await;
    let hung = JobSpec { timeout_seconds: 1, ..reporting(&site, &format!("{write} sleep 600")) };
    let hung = site.submit(hung).await;
    for (job, reason) in
        [(failed, Some(Reason::ExitCode)), (passed, None), (hung, Some(Reason::Timeout))]
    {
        let ended = site.wait_for_end(job).await;
        assert_eq!(ended.result.expect("a result").reason, reason);
        let report = ended.report.expect("a report");
        assert_eq!((report.total(), report.failed, report.error), (1, 1, None));
        assert_eq!(names(&site, job).await, ["a"]);
    }
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_read_changes_nothing_else() {
    let site = Site::new().await;
    let worker = site.start(1);
    let broken = site.submit(reporting(&site, "echo '<testsuite>' > broken.xml")).await;
    let ended = site.wait_for_end(broken).await;
    assert_eq!((ended.status, ended.error), (Status::Passed, None));
    let error = ended.report.expect("a report").error.expect("an error");
    assert!(error.starts_with("broken.xml ends in the middle"), "{error}");
    let not_started =
        JobSpec { command: vec!["/does/not/exist".to_owned()], ..reporting(&site, "") };
    let not_started = site.submit(not_started).await;
    assert_eq!(site.wait_for_end(not_started).await.report, None);
    let without = site.submit(site.script("true")).await;
    assert_eq!(site.wait_for_end(without).await.report, None);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_has_no_reports_of_those_before() {
    let site = Site::new().await;
    let worker = site.start(1);
    let script = "[ $JOBRUNNER_ATTEMPT = 2 ] && exit 5
        echo \"<testsuite><testcase name='first'/></testsuite>\" > a.xml; touch -d '-1 hour' a.xml
        echo \"<testsuite><testcase name='first'/></testsuite>\" > b.xml; exit 1";
    let job = site.submit(JobSpec { max_attempts: 2, ..reporting(&site, script) }).await;
    let ended = site.wait_for_end(job).await;
    let attempts = site.attempts(job).await;
    let first = attempts[0].report.as_ref().expect("a report");
    assert_eq!((first.total(), &first.error), (1, &None));
    let last = ended.report.expect("a report");
    assert_eq!(last.total(), 0);
    assert!(last.error.expect("an error").contains("was not written by this attempt"));
    assert_eq!(names(&site, job).await, Vec::<String>::new());
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_a_hundred_thousand_cases_gets_there_beside_others() {
    let site = Site::new().await;
    let worker = site.start(4);
    let script = format!(
        "(echo '<testsuite>'; yes \"<testcase name='n' classname='c'/>\" | head -n {MOST_CASES}; \
         echo '</testsuite>') > large.xml"
    );
    let large = site.submit(reporting(&site, &script)).await;
    let others = (0..60).map(|_| site.script("true")).collect();
    let others = site.submit_batch(others).await;
    assert_eq!(site.wait_for_batch(&others).await.counts.passed, 60);
    let ended = site.wait_for_end(large).await;
    assert_eq!(ended.status, Status::Passed);
    let report = ended.report.expect("a report");
    assert_eq!((report.passed as usize, report.error), (MOST_CASES, None));
    worker.stop().await;
}
