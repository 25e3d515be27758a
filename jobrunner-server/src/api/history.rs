//! Series, and the past of their tests.

use jobrunner_core::{
    BatchId, SeriesId, Service, UserId,
    history::{MOST_RUNS, RUNS_SHOWN, RunFilter, SeriesFilter, TestFilter},
    series::TestId,
};
use poem::web::Data;
use poem_openapi::{
    OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::{
    Tag,
    auth::Caller,
    http::{
        answer::{Answer, Result},
        page::{Cursor, Limit, page},
        parameter::{Given, Text, parameters},
    },
    model,
    projects::ProjectText,
};

parameters! {
    /// How many runs a grid has at most.
    RunsShown(u32) {
        "type": "integer", "format": "uint32", "minimum": 1, "maximum": MOST_RUNS,
        "default": RUNS_SHOWN,
    } |text| {
        let runs = text.parse().ok().filter(|runs| (1..=MOST_RUNS).contains(runs));
        runs.ok_or_else(|| format!("must be a whole number from 1 to {MOST_RUNS}"))
    };
}

type Name = Query<Option<Given<Text>>>;

fn filter(status: Query<Option<Given<model::Outcome>>>, name: Name, branch: Name) -> TestFilter {
    TestFilter {
        status: status.0.map(|status| status.0.into()),
        name: name.0.map(|name| name.0.0.into()),
        branch: branch.0.map(|branch| branch.0.0),
    }
}

pub(crate) struct HistoryApi;

#[OpenApi(tag = "Tag::History")]
impl HistoryApi {
    /// Series, newest first
    ///
    /// Those of the caller's own, and of their projects.
    #[oai(path = "/series", method = "get", operation_id = "list_series")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the URL")]
    async fn list(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        owner_id: Query<Option<Uuid>>,
        /// Only those of this project.
        project: Query<Option<Given<ProjectText>>>,
        /// The exact name; `*` in it stands for any text.
        name: Name,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::Series>>> {
        let filter = SeriesFilter {
            owner: owner_id.0.map(UserId::from),
            project: project.0.map(|project| project.0.0),
            name: name.0.map(|name| name.0.0.into()),
        };
        Answer::of(service.series_list(&caller, &filter, page(limit, cursor)?).await?)
    }

    /// One series
    #[oai(path = "/series/:id", method = "get", operation_id = "get_series")]
    async fn get(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Series>> {
        Answer::of(service.series(&caller, SeriesId::from(id.0)).await?)
    }

    /// The runs of a series, newest first
    ///
    /// What repeats tests of a run is among them, and says so.
    #[oai(path = "/series/:id/runs", method = "get", operation_id = "list_series_runs")]
    async fn runs(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        /// Only those of this branch.
        branch: Name,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::Run>>> {
        let branch = branch.0.map(|branch| branch.0.0);
        let filter = RunFilter { branch, with_reruns: true };
        let (id, page) = (SeriesId::from(id.0), page(limit, cursor)?);
        Answer::of(service.runs(&caller, id, &filter, page).await?)
    }

    /// The tests of a series
    ///
    /// Those that have a result in its last 50 runs: first those that failed in one of them, by the
    /// last run that they failed in, newest first; then by their names. With `flaky=true` those
    /// whose results cannot be relied on, the worst first, with what proves it: they passed and
    /// failed for one revision, or turned from pass to failure and back three times or more. Of
    /// the tests that were flaky, new or fixed most often a thousand are looked at.
    #[oai(path = "/series/:id/tests", method = "get", operation_id = "list_series_tests")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the URL")]
    async fn tests(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        /// Only those that ended so in the last run that they were in.
        status: Query<Option<Given<model::Outcome>>>,
        /// The exact name; `*` in it stands for any text, and then cases are looked at, too.
        name: Name,
        /// Only in the runs of this branch.
        branch: Name,
        /// Whether only those are shown whose results cannot be relied on.
        flaky: Query<Option<bool>>,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::SeriesTest>>> {
        let (id, page) = (SeriesId::from(id.0), page(limit, cursor)?);
        let filter = filter(status, name, branch);
        Answer::of(match flaky.0 {
            Some(true) => service.flaky_tests(&caller, id, &filter, page).await?,
            _ => service.tests(&caller, id, &filter, page).await?,
        })
    }

    /// The tests of a series in its last runs, as a grid
    ///
    /// In the order of the list of tests. Reruns are no runs of their own here.
    #[oai(path = "/series/:id/grid", method = "get", operation_id = "get_series_grid")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the URL")]
    async fn grid(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        /// How many runs at most: 1 to 400.
        runs: Query<Option<Given<RunsShown>>>,
        /// Only tests that ended so in the last run that they were in.
        status: Query<Option<Given<model::Outcome>>>,
        /// The exact name; `*` in it stands for any text, and then cases are looked at, too.
        name: Name,
        /// Only the runs of this branch.
        branch: Name,
        /// How many tests at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Grid>> {
        let (id, page) = (SeriesId::from(id.0), page(limit, cursor)?);
        let runs = runs.0.map_or(RUNS_SHOWN, |runs| runs.0.0);
        let filter = filter(status, name, branch);
        Answer::of(service.grid(&caller, id, &filter, (runs, page)).await?)
    }

    /// A test, and what its newest 400 results say
    #[oai(path = "/tests/:id", method = "get", operation_id = "get_test")]
    async fn test(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
    ) -> Result<Answer<model::Test>> {
        Answer::of(service.test(&caller, TestId::from(id.0)).await?)
    }

    /// What became of a test, newest first
    ///
    /// Once for each run that it was in, reruns included.
    #[oai(path = "/tests/:id/results", method = "get", operation_id = "list_test_results")]
    async fn results(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::TestResult>>> {
        let page = page(limit, cursor)?;
        Answer::of(service.test_results(&caller, TestId::from(id.0), page).await?)
    }

    /// A batch beside another one
    ///
    /// The classes of a verdict, with the results of the other batch alone as those before: `new`
    /// failed here and not there, `missing` is there and not here. The two need not be of one
    /// series.
    #[oai(
        path = "/job-batches/:id/compare/:other",
        method = "get",
        operation_id = "compare_batches"
    )]
    async fn compare(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        other: Path<Uuid>,
    ) -> Result<Answer<model::Comparison>> {
        let (id, other) = (BatchId::from(id.0), BatchId::from(other.0));
        Answer::of(service.compare(&caller, id, other).await?)
    }

    /// The tests of a batch that are of a class beside another one
    ///
    /// In the order of their names; those that passed in an order that stays the same.
    #[oai(
        path = "/job-batches/:id/compare/:other/:class",
        method = "get",
        operation_id = "list_compared_tests"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the URL")]
    async fn compared(
        &self,
        Data(service): Data<&Service>,
        Caller(caller): Caller,
        id: Path<Uuid>,
        other: Path<Uuid>,
        class: Path<Given<model::Class>>,
        /// How many items at most: 1 to 1000.
        limit: Limit,
        /// The `next_cursor` of the page before.
        cursor: Cursor,
    ) -> Result<Answer<model::Page<model::ClassifiedTest>>> {
        let (both, page) = ((BatchId::from(id.0), BatchId::from(other.0)), page(limit, cursor)?);
        Answer::of(service.compared(&caller, both, class.0.0.into(), page).await?)
    }
}
