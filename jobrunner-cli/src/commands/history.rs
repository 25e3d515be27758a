//! Series, and the past of their tests.

use jobrunner_core::{
    SeriesId,
    history::{Run, Series, SeriesTest, Test, TestResult},
    terminal,
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    args::{
        Of, Output, Part, Remote, Series as SeriesArgs, SeriesCommand, Tests as TestsArgs,
        TestsCommand,
    },
    client::{Client, Pages, Route, routes},
    exit::{Exit, Failure},
    find,
    output::{self, JsonList, note},
    settings,
    table::{self, Column, Context},
    tables::{FLAKY, RESULTS, RUNS, SERIES, TESTS, named, why},
};

/// How many causes and hosts of a test are shown.
const SHOWN: usize = 5;

pub(crate) async fn series(args: SeriesArgs) -> Result<Exit, Failure> {
    let remote = &args.remote;
    let client = &Client::signed_in(remote).await?;
    match args.command {
        SeriesCommand::List { name, part } => {
            let project = settings::project(remote.project.as_ref())?;
            let mut filters: Vec<_> = name.into_iter().map(|name| ("name", name)).collect();
            filters.extend(project.map(|project| ("project", project.to_string())));
            let list =
                List { columns: SERIES, id: |it: &Series| it.id.to_string(), what: "series" };
            list.show(
                remote,
                &part,
                Pages::new(client, routes::SERIES_LIST, filters, wanted(&part)),
            )
            .await
        }
        SeriesCommand::Show { series, branch, part } => {
            let id = find::series(client, &series).await?;
            show(client, remote, id, (branch, part)).await
        }
    }
}

pub(crate) async fn tests(args: TestsArgs) -> Result<Exit, Failure> {
    let remote = &args.remote;
    let client = &Client::signed_in(remote).await?;
    let id = |test: &SeriesTest| test.named.test_id.to_string();
    match args.command {
        TestsCommand::List { of, status, part } => {
            let status = status.map(|status| ("status", status.to_string()));
            let list = List { columns: TESTS, id, what: "tests" };
            let pages = tests_of(client, &of, status, &part).await?;
            list.show(remote, &part, pages).await
        }
        TestsCommand::Flaky { of, part } => {
            let list = List { columns: FLAKY, id, what: "tests whose results differ" };
            let pages = tests_of(client, &of, Some(("flaky", "true".to_owned())), &part).await?;
            list.show(remote, &part, pages).await
        }
        TestsCommand::Show { test, series, part } => {
            let id = find::test(client, &test, series.as_ref()).await?;
            test_shown(client, remote, &id.to_string(), &part).await
        }
    }
}

fn wanted(part: &Part) -> usize {
    if part.all { usize::MAX } else { part.limit as usize }
}

async fn tests_of<'a>(
    client: &'a Client,
    of: &Of,
    filter: Option<(&'static str, String)>,
    part: &Part,
) -> Result<Pages<'a>, Failure> {
    let id = find::series(client, &of.series).await?;
    let mut filters: Vec<_> = filter.into_iter().collect();
    filters.extend(of.name.clone().map(|name| ("name", name)));
    filters.extend(of.branch.clone().map(|branch| ("branch", branch)));
    Ok(Pages::new(client, routes::SERIES_TESTS, filters, wanted(part)).of(id.to_string()))
}

/// What is listed, and how it is shown.
struct List<T: 'static> {
    columns: &'static [Column<T>],
    id: fn(&T) -> String,
    /// What they are, in the plural.
    what: &'static str,
}

impl<T: DeserializeOwned> List<T> {
    async fn show(
        &self,
        remote: &Remote,
        part: &Part,
        mut pages: Pages<'_>,
    ) -> Result<Exit, Failure> {
        let columns = table::chosen(self.columns, &part.columns)?;
        if remote.output == Output::Json {
            let mut list = JsonList::default();
            while let Some(item) = pages.next().await? {
                list.push(item.text())?;
            }
            list.finish("\n")?;
            return Ok(Exit::Success);
        }
        if remote.quiet {
            while let Some(item) = pages.next().await? {
                output::line(&(self.id)(&item.read()?))?;
            }
            return Ok(Exit::Success);
        }
        let things: Vec<T> = pages.all().await?;
        output::things(&columns, &things, &Context::of(std::iter::empty()))?;
        if things.is_empty() {
            note(&format!("no {}", self.what));
        }
        if !part.all && things.len() >= part.limit as usize {
            note(&format!("the first {}; see all with --all, or more with -n", things.len()));
        }
        Ok(Exit::Success)
    }
}

/// Something with a list of what belongs to it, as JSON.
#[derive(Serialize)]
struct With<T, R> {
    #[serde(flatten)]
    thing: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<Vec<R>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Vec<R>>,
}

async fn list<T: DeserializeOwned>(
    client: &Client,
    route: Route,
    (id, filters): (&str, Vec<(&'static str, String)>),
    part: &Part,
) -> Result<Vec<T>, Failure> {
    Pages::new(client, route, filters, wanted(part)).of(id.to_owned()).all().await
}

async fn show(
    client: &Client,
    remote: &Remote,
    id: SeriesId,
    (branch, part): (Option<String>, Part),
) -> Result<Exit, Failure> {
    let columns = table::chosen(RUNS, &part.columns)?;
    let series: Series = client.one(&routes::SERIES, &id.to_string()).await?;
    let branch = branch.into_iter().map(|branch| ("branch", branch)).collect();
    let runs: Vec<Run> =
        list(client, routes::SERIES_RUNS, (&id.to_string(), branch), &part).await?;
    if remote.output == Output::Json {
        output::json(&With { thing: series, runs: Some(runs), results: None })?;
        return Ok(Exit::Success);
    }
    if remote.quiet {
        output::line(&series.id.to_string())?;
        return Ok(Exit::Success);
    }
    output::line(&format!("{}  {}", series.id, terminal::line(&series.name)))?;
    if let Some(project) = &series.project {
        output::line(&format!("project   {project}"))?;
    }
    output::line("")?;
    let ids: Vec<Uuid> = runs.iter().map(|run| run.batch_id.as_uuid()).collect();
    output::things(&columns, &runs, &Context::of(ids.into_iter()))?;
    note(&format!(
        "its tests: jobrunner tests list {id}; the flaky ones: jobrunner tests flaky {id}"
    ));
    Ok(Exit::Success)
}

async fn test_shown(
    client: &Client,
    remote: &Remote,
    id: &str,
    part: &Part,
) -> Result<Exit, Failure> {
    let columns = table::chosen(RESULTS, &part.columns)?;
    let test: Test = client.one(&routes::TEST, id).await?;
    let results: Vec<TestResult> =
        list(client, routes::TEST_RESULTS, (id, Vec::new()), part).await?;
    if remote.output == Output::Json {
        output::json(&With { thing: test, runs: None, results: Some(results) })?;
        return Ok(Exit::Success);
    }
    if remote.quiet {
        output::line(id)?;
        return Ok(Exit::Success);
    }
    for line in described(&test) {
        output::line(&line)?;
    }
    output::line("")?;
    let ids: Vec<Uuid> = results.iter().map(|it| it.batch_id.as_uuid()).collect();
    output::things(&columns, &results, &Context::of(ids.into_iter()))?;
    if let Some(failure) = &test.last_failure {
        let job = failure.job_id;
        note(&format!(
            "what it printed when it failed last: jobrunner jobs logs {job}; again by hand: \
             jobrunner jobs repro {job}"
        ));
    }
    Ok(Exit::Success)
}

fn described(test: &Test) -> Vec<String> {
    let mut lines = vec![
        format!("{}  {}", test.named.test_id, terminal::line(&named(&test.named))),
        format!("series    {}", terminal::line(&test.series)),
    ];
    if let Some(outcome) = test.outcome {
        lines.push(format!("last      {}", outcome.as_str().replace('_', " ")));
    }
    if let Some(good) = &test.last_good {
        let sha = good.revision.as_ref().and_then(|revision| revision.sha.as_deref());
        let at = sha.map(|sha| format!(" at {}", terminal::line(sha))).unwrap_or_default();
        lines.push(format!("passed    last in {}{at}", good.batch_id));
    }
    let flaky = &test.flakiness;
    lines.push(format!(
        "differs   for {} of {} revisions; {} flips",
        flaky.differing, flaky.revisions, flaky.flips
    ));
    if let Some(host) = &flaky.host {
        let share = host.share * 100.0;
        lines.push(format!("host      {} explains {share:.0} %", terminal::line(&host.host)));
    }
    for cause in test.causes.iter().take(SHOWN) {
        let why = why(&cause.cause).unwrap_or_default();
        lines.push(format!("cause     {} times: {}", cause.runs, terminal::line(&why)));
    }
    for on in test.hosts.iter().take(SHOWN) {
        let host = terminal::line(&on.host);
        lines.push(format!("on        {host}: {} failed, {} passed", on.failed, on.passed));
    }
    lines
}
