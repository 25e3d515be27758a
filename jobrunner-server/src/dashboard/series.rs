//! Series: a list of them, and the tests of one beside its last runs.

use jobrunner_core::{
    Principal, SeriesId, Service, Violation,
    batch::NameFilter,
    history::{Cell, Grid, GridRow, RUNS_SHOWN, Run, SeriesFilter, SeriesTest, TestFilter},
    page::PageRequest,
    verdict::Outcome,
};
use poem::{
    Response, handler,
    web::{Data, Path, Query},
};
use serde::{Deserialize, Serialize};
use tera::Context;
use uuid::Uuid;

use super::{
    home::any_part,
    links::Paging,
    page,
    past::{self, Bar, ShownFlakiness, ShownName, ShownRun, ShownSeries},
    projects,
    session::Session,
    show::Standing,
};
use crate::api::problem::Failure;

/// How many series, and how many tests, are on a page.
const SHOWN: u32 = 100;

/// How wide a run is in a chart.
const STEP: usize = 12;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    branch: String,
    #[serde(default)]
    flaky: String,
    #[serde(default)]
    project: String,
    cursor: Option<String>,
}

impl Wanted {
    fn name(&self) -> Option<NameFilter> {
        let name = self.name.trim();
        (!name.is_empty()).then(|| NameFilter::Matching(any_part(name)))
    }

    fn filter(&self) -> Result<TestFilter, Failure> {
        let status = (!self.status.is_empty()).then(|| self.status.parse::<Outcome>()).transpose();
        Ok(TestFilter {
            status: status.map_err(|error| Violation::new("status", error.to_string()))?,
            name: self.name(),
            branch: Some(self.branch.trim().to_owned()).filter(|branch| !branch.is_empty()),
        })
    }
}

/// The series.
#[handler]
pub(super) async fn list(
    Data(service): Data<&Service>,
    session: Session,
    Query(wanted): Query<Wanted>,
) -> Response {
    match listed(service, &session.caller, &wanted).await {
        Ok(context) => page::page(&session, "series_list.html", "Series", context),
        Err(failure) => page::problem(&session, failure),
    }
}

async fn listed(
    service: &Service,
    caller: &Principal,
    wanted: &Wanted,
) -> Result<Context, Failure> {
    let project = projects::wanted(&wanted.project)?;
    let filter = SeriesFilter { owner: None, project, name: wanted.name() };
    let page = PageRequest::parse(Some(SHOWN), wanted.cursor.as_deref())?;
    let series = service.series_list(caller, &filter, page).await?;
    let filters = [("name", wanted.name.as_str()), ("project", &wanted.project)];
    let paging = Paging::new(&filters, wanted.cursor.as_ref(), series.next_cursor.as_ref())?;
    let mut context = Context::new();
    context.insert("series", &series.items.iter().map(ShownSeries::from).collect::<Vec<_>>());
    context.insert("name", &wanted.name);
    context.insert("project", &wanted.project);
    context.insert("paging", &paging);
    Ok(context)
}

/// A test in the runs of a grid.
#[derive(Serialize)]
struct Row {
    name: ShownName,
    cells: Vec<Option<ShownCell>>,
}

#[derive(Serialize)]
struct ShownCell {
    standing: Standing,
    /// Its job, where somebody may want to look at it.
    job: Option<String>,
}

impl From<&GridRow> for Row {
    fn from(row: &GridRow) -> Self {
        let cell = |cell: &Cell| ShownCell {
            standing: past::outcome(cell.outcome),
            job: (cell.outcome != Outcome::Passed).then(|| cell.job_id.to_string()),
        };
        Self {
            name: (&row.named).into(),
            cells: row.cells.iter().map(|it| it.as_ref().map(cell)).collect(),
        }
    }
}

/// A test that cannot be relied on.
#[derive(Serialize)]
struct FlakyRow {
    name: ShownName,
    last: Standing,
    flakiness: Option<ShownFlakiness>,
}

impl From<&SeriesTest> for FlakyRow {
    fn from(test: &SeriesTest) -> Self {
        Self {
            name: (&test.named).into(),
            last: past::outcome(test.outcome),
            flakiness: test.flakiness.as_ref().map(Into::into),
        }
    }
}

/// A series: its trend, and its tests beside its last runs.
#[handler]
pub(super) async fn show(
    Data(service): Data<&Service>,
    session: Session,
    Path(id): Path<Uuid>,
    Query(wanted): Query<Wanted>,
) -> Response {
    match contents(service, &session.caller, id.into(), &wanted).await {
        Ok((title, context)) => page::page(&session, "series.html", &title, context),
        Err(failure) => page::problem(&session, failure),
    }
}

async fn contents(
    service: &Service,
    caller: &Principal,
    id: SeriesId,
    wanted: &Wanted,
) -> Result<(String, Context), Failure> {
    let series = service.series(caller, id).await?;
    let (filter, cursor) = (wanted.filter()?, wanted.cursor.as_deref());
    let page = PageRequest::parse(Some(SHOWN), cursor)?;
    let is_flaky = !wanted.flaky.is_empty();
    let rows_of_grid = if is_flaky { PageRequest::first(1) } else { page };
    let grid = service.grid(caller, id, &filter, (RUNS_SHOWN, rows_of_grid)).await?;
    let mut context = Context::new();
    let next = if is_flaky {
        let tests = service.flaky_tests(caller, id, &filter, page).await?;
        context.insert("flaky_tests", &tests.items.iter().map(FlakyRow::from).collect::<Vec<_>>());
        tests.next_cursor
    } else {
        context.insert("rows", &grid.items.iter().map(Row::from).collect::<Vec<_>>());
        grid.next_cursor.clone()
    };
    charts(&mut context, &grid);
    context.insert("series", &ShownSeries::from(&series));
    context.insert("runs", &grid.runs.iter().map(ShownRun::from).collect::<Vec<_>>());
    context.insert("name", &wanted.name);
    context.insert("status", &wanted.status);
    context.insert("branch", &wanted.branch);
    context.insert("flaky", &wanted.flaky);
    context.insert("statuses", &Outcome::ALL.map(Outcome::as_str));
    let is_filtered =
        [&wanted.name, &wanted.status, &wanted.branch].iter().any(|it| !it.is_empty());
    context.insert("is_filtered", &is_filtered);
    let filters = [
        ("name", wanted.name.as_str()),
        ("status", &wanted.status),
        ("branch", &wanted.branch),
        ("flaky", &wanted.flaky),
    ];
    context.insert("paging", &Paging::new(&filters, wanted.cursor.as_ref(), next.as_ref())?);
    Ok((series.name, context))
}

/// What failed and how long it took, from run to run, the oldest first.
fn charts(context: &mut Context, grid: &Grid) {
    let runs = || grid.runs.iter().rev();
    let title = |run: &Run| {
        format!("{} UTC: {}", run.created_at.format("%Y-%m-%d %H:%M"), run.verdict.summary)
    };
    let failures = runs().map(|run| {
        let counts = run.counts.unwrap_or_default();
        let failed = counts.new + counts.still + counts.known + counts.infra;
        let class = if counts.new > 0 {
            "failed"
        } else if failed > 0 {
            "canceled"
        } else {
            "passed"
        };
        (failed as f64, class, title(run))
    });
    let times = runs().map(|run| {
        let took = past::milliseconds(run);
        let text = took.map_or_else(|| "not known".to_owned(), super::show::duration);
        (took.unwrap_or(0) as f64, "time", format!("{}; took {text}", title(run)))
    });
    let (failures, times): (Vec<Bar>, Vec<Bar>) =
        (past::bars(failures, STEP), past::bars(times, STEP));
    let longest = runs().filter_map(past::milliseconds).max().map(super::show::duration);
    let most =
        runs().filter_map(|run| run.counts).map(|it| it.new + it.still + it.known + it.infra);
    context.insert("chart_width", &(grid.runs.len().max(1) * STEP));
    context.insert("failures", &failures);
    context.insert("times", &times);
    context.insert("longest", &longest);
    context.insert("most_failures", &most.max().unwrap_or(0));
}
