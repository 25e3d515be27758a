use super::changed::Told;
use crate::{
    args::{KnownIssues as Args, KnownIssuesCommand, Output},
    client::{Client, KnownIssue, KnownIssueChange, NewKnownIssue, Pages, routes},
    exit::{Exit, Failure},
    output::{self, note},
    settings,
    table::{self, Context},
    tables::KNOWN_ISSUES,
};

const OF_ISSUE: Told<KnownIssue> =
    Told { id: |it| it.id.to_string(), line: |it| it.id.to_string() };

pub(crate) async fn known_issues(args: Args) -> Result<Exit, Failure> {
    let remote = &args.remote;
    let client = Client::signed_in(remote).await?;
    let is_table = remote.output == Output::Table && !remote.quiet;
    match args.command {
        KnownIssuesCommand::List { owner } => {
            let project = settings::project(remote.project.as_ref())?;
            let project = project.map(|name| ("project", name.to_string()));
            let owner = owner.map(|id| ("owner_id", id.to_string()));
            let asked = project.into_iter().chain(owner).collect();
            let found: Vec<KnownIssue> =
                Pages::new(&client, routes::KNOWN_ISSUES, asked, usize::MAX).all().await?;
            match is_table {
                true if found.is_empty() => note("no known issues"),
                true => {
                    let context = Context::of(found.iter().map(|it| it.id.as_uuid()));
                    output::things(&table::chosen(KNOWN_ISSUES, &[])?, &found, &context)?;
                }
                false => return OF_ISSUE.print(remote, &found),
            }
        }
        KnownIssuesCommand::Create { title, test, about, effect } => {
            let new = NewKnownIssue {
                title,
                project: settings::project(remote.project.as_ref())?,
                series: about.series,
                test,
                variant: about.variant.into_iter().collect(),
                pattern: about.pattern,
                effect: effect.into(),
                ticket: about.ticket,
                owner_id: about.owner,
                expires_at: about.expires_at,
            };
            return OF_ISSUE.print(remote, &[client.create_known_issue(&new).await?]);
        }
        KnownIssuesCommand::Update { id, title, test, about, effect } => {
            let any = |text: String| Some(text).filter(|text| !text.is_empty());
            let variant = (!about.variant.is_empty()).then(|| about.variant.into_iter().collect());
            let change = KnownIssueChange {
                title,
                series: about.series.map(any),
                test,
                variant,
                pattern: about.pattern.map(any),
                effect: effect.map(Into::into),
                ticket: about.ticket.map(any),
                owner_id: about.owner,
                expires_at: about.expires_at,
            };
            return OF_ISSUE.print(remote, &[client.update_known_issue(id, &change).await?]);
        }
        KnownIssuesCommand::Delete { ids } => {
            for id in ids {
                client.delete_known_issue(id).await?;
                if remote.output == Output::Table {
                    output::line(&id.to_string())?;
                }
            }
        }
    }
    Ok(Exit::Success)
}
