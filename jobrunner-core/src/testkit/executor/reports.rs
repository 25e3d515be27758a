use std::time::SystemTime;

use super::{ExecutorFixture, LONG_GRACE};
use crate::{
    executor::{Run, file_time},
    report::{CaseStatus, Report},
};

async fn read(fixture: &ExecutorFixture, run: &Run, since: SystemTime) -> Report {
    (fixture.make)(LONG_GRACE).report(run, since).await
}

fn names(report: &Report) -> Vec<&str> {
    report.cases.iter().map(|case| case.name.as_str()).collect()
}

/// Whatever directories they lie in, each file once.
pub async fn reports_are_found_by_their_patterns(fixture: &ExecutorFixture) {
    let since = file_time();
    let mut job = fixture.script(
        "mkdir -p out/a/b && for name in out/1.xml out/a/b/2.xml other.xml; do \
         echo \"<testsuite><testcase name='$name'/></testsuite>\" > $name; done; \
         echo \"<testsuite><testcase name='bad'><failure/></testcase></testsuite>\" > out/3.xml; \
         echo no XML > out/a/note.txt",
    );
    job.spec.junit = ["out/**/*.xml", "out/1.xml"].map(str::to_owned).into();
    assert_eq!(fixture.run(&job).await.outcome.reason, None);
    let report = read(fixture, &job, since).await;
    assert_eq!(
        (names(&report), report.error.as_deref()),
        (vec!["bad", "out/1.xml", "out/a/b/2.xml"], None)
    );
    assert_eq!(report.cases[0].status, CaseStatus::Failed);
}

/// They may say what is no longer true.
pub async fn reports_of_an_earlier_run_do_not_count(fixture: &ExecutorFixture) {
    let mut job = fixture.script(
        "echo \"<testsuite><testcase name='new'/></testsuite>\" | tee new.xml > old.xml; \
         touch -d '1 hour ago' old.xml",
    );
    job.spec.junit = vec!["*.xml".to_owned()];
    let since = file_time();
    assert_eq!(fixture.run(&job).await.outcome.reason, None);
    let report = read(fixture, &job, since).await;
    assert_eq!((names(&report), report.error.as_deref()), (vec!["new"], None));
    job.spec.junit = vec!["old.xml".to_owned()];
    let report = read(fixture, &job, since).await;
    let expected = "old.xml was not written by this attempt, but before";
    assert_eq!((names(&report), report.error.as_deref()), (vec![], Some(expected)));
}

/// What can be read counts all the same.
pub async fn what_cannot_be_read_is_told(fixture: &ExecutorFixture) {
    let since = file_time();
    let mut job = fixture.script(
        "echo \"<testsuite><testcase name='good'/></testsuite>\" > good.xml; \
         echo '<testsuite><testcase/>' > cut.xml; mkfifo pipe.xml; mkdir directory.xml",
    );
    job.spec.junit = ["*.xml", "none/*.xml"].map(str::to_owned).into();
    assert_eq!(fixture.run(&job).await.outcome.reason, None);
    let report = read(fixture, &job, since).await;
    assert_eq!(names(&report), ["(unnamed)", "good"]);
    let expected = "cut.xml ends in the middle: it was cut, or is still being written; pipe.xml is not a \
                    file; no file matches \"none/*.xml\"";
    assert_eq!(report.error.as_deref(), Some(expected));
}
