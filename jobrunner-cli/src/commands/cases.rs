use jobrunner_core::{
    Job,
    report::{Case, CaseStatus},
    terminal,
};

use crate::{
    args::{Cases as Args, Output, Remote},
    client::{Client, Pages, routes},
    exit::{Exit, Failure},
    find,
    output::{self, JsonList, note},
    table::{self, Context},
    tables::CASES,
};

/// How many failed cases are shown with a job.
const SHOWN: usize = 20;

/// Prints the test cases of a job's JUnit files.
pub(crate) async fn cases(client: &Client, remote: &Remote, args: &Args) -> Result<Exit, Failure> {
    let columns = table::chosen(CASES, &args.columns)?;
    let id = find::job(client, &args.job).await?;
    let mut filters = Vec::new();
    filters.extend(args.status.map(|status| ("status", status.to_string())));
    filters.extend(args.name.clone().map(|name| ("name", name)));
    filters.extend(args.attempt.map(|attempt| ("attempt", attempt.to_string())));
    let wanted = if args.all { usize::MAX } else { args.limit as usize };
    let mut pages = Pages::new(client, routes::CASES, filters, wanted).of(id.to_string());
    if remote.output == Output::Json {
        let mut list = JsonList::default();
        while let Some(case) = pages.next().await? {
            list.push(case.text())?;
        }
        list.finish("\n")?;
        return Ok(Exit::Success);
    }
    if remote.quiet {
        while let Some(case) = pages.next().await? {
            output::line(&terminal::line(&case.read::<Case>()?.name))?;
        }
        return Ok(Exit::Success);
    }
    let cases: Vec<Case> = pages.all().await?;
    output::things(&columns, &cases, &Context::of(std::iter::empty()))?;
    if cases.is_empty() {
        note("no test cases");
    }
    if !args.all && cases.len() >= args.limit as usize {
        note(&format!("the first {}; see all with --all, or more with -n", cases.len()));
    }
    Ok(Exit::Success)
}

/// What the test cases of a job come to, on a line; nothing if it has no reports.
pub(crate) fn counted(job: &Job) -> Vec<String> {
    let Some(report) = &job.report else { return Vec::new() };
    let flaky = if report.flaky > 0 { format!(", {} flaky", report.flaky) } else { String::new() };
    let (passed, failed, skipped) = (report.passed, report.failed, report.skipped);
    let mut lines = Vec::new();
    lines.push(format!("tests     {failed} failed, {skipped} skipped, {passed} passed{flaky}"));
    if let Some(error) = &report.error {
        lines.push(format!("reports   {}", terminal::line(error)));
    }
    lines
}

/// The failed cases of a job as a table, the first ones.
pub(crate) async fn failed(client: &Client, job: &Job) -> Result<Vec<String>, Failure> {
    let count = job.report.as_ref().map_or(0, |report| report.failed) as usize;
    if count == 0 {
        return Ok(Vec::new());
    }
    let filters = vec![("status", CaseStatus::Failed.to_string())];
    let pages = Pages::new(client, routes::CASES, filters, SHOWN).of(job.id.to_string());
    let cases: Vec<Case> = pages.all().await?;
    let context = Context::of(std::iter::empty());
    let columns = table::chosen(CASES, &[])?;
    let mut lines =
        vec![String::new(), table::rendered(&columns, &cases, &context, output::width())];
    if count > cases.len() {
        let more = count - cases.len();
        lines.push(format!(
            "and {more} more: jobrunner jobs cases {} --status failed --all",
            job.id
        ));
    }
    Ok(lines)
}
