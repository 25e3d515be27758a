//! The tests that jobs tell of themselves, a suite for each job.

use std::{collections::HashMap, sync::Arc};

use jobrunner_core::{
    Job, JobId, Principal, Result, Service,
    page::PageRequest,
    report::{Case, CaseFilter, CaseStatus, Summary},
};

use super::{names::Names, xml::Element};

/// How many cases are read at a time.
const CASES: u32 = 500;

/// A job that has tests of its own.
pub(super) struct Reporting {
    id: JobId,
    /// Its name among the jobs of the batch.
    name: String,
    report: Summary,
}

impl Reporting {
    pub(super) fn of(job: Job, name: String) -> Option<Self> {
        let report = job.report.filter(|report| report.total() > 0)?;
        Some(Self { id: job.id, name, report })
    }
}

/// The suite of a job that is being written.
pub(super) struct Tests {
    of: Reporting,
    cursor: Option<String>,
    /// What was given in each class.
    names: HashMap<Arc<str>, Names>,
}

impl Tests {
    /// Begins the suite.
    pub(super) fn begin(of: Reporting, xml: &mut String) -> Self {
        Element::begin(xml, "testsuite")
            .attribute("name", &of.name)
            .attribute("tests", &of.report.total().to_string())
            .attribute("skipped", &of.report.skipped.to_string())
            .attribute("failures", &of.report.failed.to_string())
            .attribute("errors", "0")
            .open();
        xml.push('\n');
        Self { of, cursor: None, names: HashMap::new() }
    }

    /// Writes the next cases, and the end of the suite after the last ones. Answers whether there
    /// are more.
    pub(super) async fn write(
        &mut self,
        service: &Service,
        caller: &Principal,
        xml: &mut String,
    ) -> Result<bool> {
        let page = PageRequest::parse(Some(CASES), self.cursor.as_deref())?;
        let cases = service.cases(caller, self.of.id, &CaseFilter::default(), page).await?;
        for case in cases.items {
            self.case(&case, xml);
        }
        self.cursor = cases.next_cursor;
        if self.cursor.is_none() {
            xml.push_str("</testsuite>\n");
        }
        Ok(self.cursor.is_some())
    }

    fn case(&mut self, case: &Case, xml: &mut String) {
        let name = self.names.entry(Arc::clone(&case.class)).or_default().given(&case.name);
        let class = match &*case.class {
            "" => self.of.name.clone(),
            class => format!("{} › {class}", self.of.name),
        };
        let took = case.duration_ms.map(super::case::seconds);
        let element = Element::begin(xml, "testcase")
            .attribute("name", &name)
            .attribute("classname", &class)
            .optional("file", case.file.as_deref())
            .optional("time", took.as_deref());
        let outcome = match case.status {
            CaseStatus::Failed => "failure",
            CaseStatus::Skipped => "skipped",
            CaseStatus::Passed if case.flaky => "flakyFailure",
            CaseStatus::Passed => {
                element.end();
                xml.push('\n');
                return;
            }
        };
        element.open();
        let message = case.message.as_deref().unwrap_or_default();
        let (first, rest) = message.split_once('\n').unwrap_or((message, ""));
        let element = Element::begin(xml, outcome).attribute("message", first);
        if rest.is_empty() {
            element.end()
        } else {
            element.text(message)
        }
        xml.push_str("</testcase>\n");
    }
}
