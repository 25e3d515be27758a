//! What the tests of a job say of themselves.

use jobrunner_core::{
    Job, Principal, Service,
    job::Attempt,
    page::PageRequest,
    report::{Case, CaseFilter, CaseStatus, Summary},
};
use serde::{Deserialize, Serialize};

use super::{
    home::any_part,
    links::Paging,
    show::{Standing, Why, duration},
};
use crate::api::problem::Failure;

/// How many cases are on a page.
const CASES: u32 = 50;

/// What is asked for of the cases; the names are told from those of the output.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    test_status: String,
    #[serde(default)]
    test_name: String,
    tests_after: Option<String>,
}

/// The tests of a job.
#[derive(Serialize)]
pub(super) struct Tests {
    report: Summary,
    total: u32,
    cases: Vec<ShownCase>,
    status: String,
    name: String,
    statuses: [&'static str; 3],
    paging: Paging,
}

#[derive(Serialize)]
struct ShownCase {
    standing: Standing,
    flaky: bool,
    class: String,
    name: String,
    file: Option<String>,
    took: Option<String>,
    why: Option<Why>,
}

impl From<Case> for ShownCase {
    fn from(case: Case) -> Self {
        let sign = match case.status {
            CaseStatus::Failed => "✗",
            CaseStatus::Skipped => "⊘",
            CaseStatus::Passed => "✓",
        };
        Self {
            standing: Standing { word: case.status.as_str(), sign },
            flaky: case.flaky,
            class: case.class.to_string(),
            name: case.name,
            file: case.file,
            took: case.duration_ms.map(|took| duration(i64::try_from(took).unwrap_or(i64::MAX))),
            why: case.message.as_deref().map(Why::of),
        }
    }
}

impl Wanted {
    /// The tests of the chosen attempt, or of the last one that has ended; `None` if it has no
    /// reports.
    pub(super) async fn tests(
        &self,
        service: &Service,
        caller: &Principal,
        job: &Job,
        attempts: &[Attempt],
        chosen: Option<u32>,
    ) -> Result<Option<Tests>, Failure> {
        let is_meant = |attempt: &&Attempt| match chosen {
            Some(chosen) => attempt.attempt == chosen,
            None => attempt.finished_at.is_some(),
        };
        let attempt = attempts.iter().rfind(is_meant);
        let Some((attempt, report)) = attempt.and_then(|it| Some((it.attempt, it.report.clone()?)))
        else {
            return Ok(None);
        };
        let status = (!self.test_status.is_empty()).then(|| self.test_status.parse()).transpose();
        let status = status.map_err(|error: jobrunner_core::UnknownWord| {
            jobrunner_core::Violation::new("test_status", error.to_string())
        })?;
        let name = self.test_name.trim();
        let filter = CaseFilter {
            attempt: Some(attempt),
            status,
            name: (!name.is_empty()).then(|| any_part(name)),
        };
        let page = PageRequest::parse(Some(CASES), self.tests_after.as_deref())?;
        let cases = service.cases(caller, job.id, &filter, page).await?;
        let number = chosen.map(|attempt| attempt.to_string()).unwrap_or_default();
        let filters =
            [("attempt", number.as_str()), ("test_status", &self.test_status), ("test_name", name)];
        let (from, to) = (self.tests_after.as_ref(), cases.next_cursor.as_ref());
        Ok(Some(Tests {
            total: report.total(),
            report,
            cases: cases.items.into_iter().map(Into::into).collect(),
            status: self.test_status.clone(),
            name: name.to_owned(),
            statuses: CaseStatus::ALL.map(CaseStatus::as_str),
            paging: Paging::by(&filters, "tests_after", from, to)?,
        }))
    }
}
