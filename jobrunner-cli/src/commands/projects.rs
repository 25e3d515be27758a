use jobrunner_core::{
    Project, ProjectName,
    project::{Member, ProjectUpdate},
};
use serde::Serialize;

use super::changed::Told;
use crate::{
    args::{Output, Projects as Args, ProjectsCommand, Remote},
    client::{Client, NewMember, NewProject, Pages, ProjectChange, routes},
    exit::{Exit, Failure},
    output::{self, note},
    table::{self, Context},
    tables::{MEMBERS, PROJECTS},
};

pub(crate) async fn projects(args: Args) -> Result<Exit, Failure> {
    let remote = &args.remote;
    let client = &Client::signed_in(remote).await?;
    match args.command {
        ProjectsCommand::List => list(client, remote).await,
        ProjectsCommand::Show { name } => show(client, remote, &name).await,
        ProjectsCommand::Members { name } => members(remote, &all(client, &name).await?),
        ProjectsCommand::Create { name, description } => {
            let new = NewProject { name: name.to_string(), description };
            told(remote, &[client.create_project(&new).await?])
        }
        ProjectsCommand::Update { name, description, archive, restore } => {
            let change = ProjectUpdate {
                description: description.map(|text| Some(text).filter(|text| !text.is_empty())),
                is_archived: (archive || restore).then_some(archive),
            };
            if change == ProjectUpdate::default() {
                let message = "nothing to change; see jobrunner projects update --help";
                return Err(Failure::usage(message));
            }
            told(remote, &[client.update_project(&name, &ProjectChange::from(change)).await?])
        }
        ProjectsCommand::Delete { names } => {
            for name in &names {
                client.delete_project(name).await?;
                if remote.output == Output::Table {
                    output::line(name.as_str())?;
                }
            }
            Ok(Exit::Success)
        }
        ProjectsCommand::Add { name, email, role } => {
            let member = client.set_member(&name, &email, &NewMember { role }).await?;
            Told { id: email_of, line: described }.print(remote, &[member])
        }
        ProjectsCommand::Remove { name, emails } => {
            for email in &emails {
                client.remove_member(&name, email).await?;
                if remote.output == Output::Table {
                    output::line(email)?;
                }
            }
            Ok(Exit::Success)
        }
    }
}

async fn list(client: &Client, remote: &Remote) -> Result<Exit, Failure> {
    let projects: Vec<Project> =
        Pages::new(client, routes::PROJECTS, Vec::new(), usize::MAX).all().await?;
    if remote.output == Output::Json || remote.quiet {
        return told(remote, &projects);
    }
    if projects.is_empty() {
        note("no projects: ask an admin to make you a member of one");
        return Ok(Exit::Success);
    }
    let context = Context::of(std::iter::empty());
    output::things(&table::chosen(PROJECTS, &[])?, &projects, &context)?;
    Ok(Exit::Success)
}

/// A project with its members.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    project: Project,
    members: Vec<Member>,
}

async fn show(client: &Client, remote: &Remote, name: &ProjectName) -> Result<Exit, Failure> {
    let project = client.project(name).await?;
    let of_it = all(client, name).await?;
    if remote.output == Output::Json {
        output::json(&Shown { project, members: of_it })?;
        return Ok(Exit::Success);
    }
    if remote.quiet {
        return told(remote, &[project]);
    }
    let state = if project.is_archived { "  (archived)" } else { "" };
    output::line(&format!("{name}{state}"))?;
    if let Some(description) = &project.description {
        output::line(description)?;
    }
    output::line("")?;
    members(remote, &of_it)
}

async fn all(client: &Client, name: &ProjectName) -> Result<Vec<Member>, Failure> {
    client.members(name).await
}

fn members(remote: &Remote, members: &[Member]) -> Result<Exit, Failure> {
    if remote.output == Output::Json || remote.quiet {
        return Told { id: email_of, line: described }.print(remote, members);
    }
    let context = Context::of(std::iter::empty());
    output::things(&table::chosen(MEMBERS, &[])?, members, &context)?;
    Ok(Exit::Success)
}

fn told(remote: &Remote, projects: &[Project]) -> Result<Exit, Failure> {
    let line = |project: &Project| {
        let state = if project.is_archived { "archived" } else { "open" };
        format!("{}  {state}", project.name)
    };
    Told { id: |project: &Project| project.name.to_string(), line }.print(remote, projects)
}

fn described(member: &Member) -> String {
    format!("{}  {}", member.email, member.role)
}

fn email_of(member: &Member) -> String {
    member.email.clone()
}
