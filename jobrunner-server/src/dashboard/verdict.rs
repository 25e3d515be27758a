//! What a batch says beside others: its classes, and the tests of one of them.

use jobrunner_core::{
    BatchId, Principal, Service, Violation,
    page::{Page, PageRequest},
    verdict::{Class, ClassCounts, ClassifiedTest},
};
use poem::{
    Response, handler,
    web::{Data, Path, Query},
};
use serde::{Deserialize, Serialize};
use tera::Context;
use uuid::Uuid;

use super::{
    links::Paging,
    page,
    past::{self, ShownName, ShownRevision, ShownVerdict},
    session::Session,
    show::{ShownBatch, Why},
    tail::last_lines,
};
use crate::api::problem::Failure;

/// How many tests of a class are on a page.
const SHOWN: u32 = 50;

/// Of how many of them the last lines are shown, and how many lines.
const WITH_LINES: usize = 10;
const LINES: usize = 6;

/// A test of a class.
#[derive(Serialize)]
struct ShownTest {
    name: ShownName,
    job: Option<String>,
    why: Option<Why>,
    since: Option<String>,
    runs: u32,
    good: Option<String>,
    good_revision: Option<ShownRevision>,
    lines: Vec<String>,
}

impl From<&ClassifiedTest> for ShownTest {
    fn from(test: &ClassifiedTest) -> Self {
        let named = jobrunner_core::history::NamedTest {
            test_id: test.test_id,
            test: test.test.clone(),
            variant: test.variant.clone(),
            case: test.case.clone(),
        };
        let good = test.last_good.as_ref();
        Self {
            name: (&named).into(),
            job: test.job_id.map(|id| id.to_string()),
            why: test.cause.as_ref().map(past::why),
            since: test.since.filter(|it| it.runs > 1).map(|it| it.batch_id.to_string()),
            runs: test.since.map_or(0, |since| since.runs),
            good: good.map(|good| good.batch_id.to_string()),
            good_revision: good.and_then(|good| ShownRevision::of(good.revision.as_ref())),
            lines: Vec::new(),
        }
    }
}

/// The class that a page shows the tests of: the one that is asked for, or else what is new.
fn chosen(wanted: &str, counts: &ClassCounts) -> Result<Option<Class>, Failure> {
    if wanted.is_empty() {
        return Ok((counts.new > 0).then_some(Class::New));
    }
    let class = wanted
        .parse()
        .map_err(|error: jobrunner_core::UnknownWord| Violation::new("class", error.to_string()))?;
    Ok(Some(class))
}

/// Which tests of which class a page shows.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    class: String,
    /// Where the page of them begins.
    tests: Option<String>,
}

impl Wanted {
    fn page(&self) -> Result<PageRequest, Failure> {
        Ok(PageRequest::parse(Some(SHOWN), self.tests.as_deref())?)
    }
}

/// Shows the verdict of a batch, if it is a run.
pub(super) async fn add(
    service: &Service,
    caller: &Principal,
    id: BatchId,
    wanted: &Wanted,
    context: &mut Context,
) -> Result<(), Failure> {
    let verdict = service.verdict(caller, id).await?;
    let short = jobrunner_core::verdict::ShortVerdict {
        status: verdict.status,
        summary: verdict.summary.clone(),
    };
    context.insert("verdict", &ShownVerdict::from(&short));
    context.insert("gate", verdict.gate.as_str());
    context.insert("is_final", &verdict.is_final);
    context.insert("series_id", &verdict.series_id.to_string());
    context.insert("series_name", &verdict.series);
    context.insert("branch", &verdict.baseline.branch);
    context.insert("baseline", &verdict.baseline.batch_id.map(|id| id.to_string()));
    let class = chosen(&wanted.class, &verdict.counts)?;
    let tests = match class {
        Some(class) => service.classified(caller, id, class, wanted.page()?).await?,
        None => Page::empty(),
    };
    classes(service, caller, wanted, (class, &verdict.counts, tests), context).await
}

/// Shows the classes, and the tests of one.
async fn classes(
    service: &Service,
    caller: &Principal,
    wanted: &Wanted,
    (class, counts, tests): (Option<Class>, &ClassCounts, Page<ClassifiedTest>),
    context: &mut Context,
) -> Result<(), Failure> {
    let mut shown: Vec<ShownTest> = tests.items.iter().map(ShownTest::from).collect();
    if matches!(class, Some(Class::New | Class::Still)) {
        for (shown, test) in shown.iter_mut().zip(&tests.items).take(WITH_LINES) {
            if let Some(job) = test.job_id {
                shown.lines = last_lines(service, caller, job, LINES).await?;
            }
        }
    }
    context.insert("classes", &past::counts(counts));
    context.insert("class", class.map_or("", Class::as_str));
    context.insert("class_words", &class.map_or("", Class::as_str).replace('_', " "));
    context.insert("class_tests", &shown);
    let filters = [("class", class.map_or("", Class::as_str))];
    let next = tests.next_cursor.as_ref();
    context.insert("class_paging", &Paging::by(&filters, "tests", wanted.tests.as_ref(), next)?);
    Ok(())
}

/// A batch beside another one alone.
#[handler]
pub(super) async fn compare(
    Data(service): Data<&Service>,
    session: Session,
    Path((id, other)): Path<(Uuid, Uuid)>,
    Query(wanted): Query<Wanted>,
) -> Response {
    match compared(service, &session.caller, (id.into(), other.into()), &wanted).await {
        Ok((title, context)) => page::page(&session, "compare.html", &title, context),
        Err(failure) => page::problem(&session, failure),
    }
}

async fn compared(
    service: &Service,
    caller: &Principal,
    (id, other): (BatchId, BatchId),
    wanted: &Wanted,
) -> Result<(String, Context), Failure> {
    let (batch, beside) = (service.batch(caller, id).await?, service.batch(caller, other).await?);
    let compared = service.compare(caller, id, other).await?;
    let class = chosen(&wanted.class, &compared.counts)?;
    let tests = match class {
        Some(class) => service.compared(caller, (id, other), class, wanted.page()?).await?,
        None => Page::empty(),
    };
    let mut context = Context::new();
    context.insert("batch", &ShownBatch::from(&batch));
    context.insert("beside", &ShownBatch::from(&beside));
    context.insert("revision", &ShownRevision::of(batch.revision.as_ref()));
    context.insert("beside_revision", &ShownRevision::of(beside.revision.as_ref()));
    context.insert("is_older", &(batch.created_at < beside.created_at));
    context.insert("summary", &compared.summary);
    let shown = (class, &compared.counts, tests);
    classes(service, caller, wanted, shown, &mut context).await?;
    Ok((format!("{} beside {}", batch.name, beside.name), context))
}
