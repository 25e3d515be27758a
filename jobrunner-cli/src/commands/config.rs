use super::changed::Told;
use crate::{
    args::{Config as Args, ConfigCommand, Output},
    config, credentials,
    exit::{Exit, Failure},
    output::{self, note},
    settings,
    table::{self, Context},
    tables::{SERVERS, Server},
};

pub(crate) fn config(args: Args) -> Result<Exit, Failure> {
    match args.command {
        ConfigCommand::Add { name, url } => {
            if !config::is_name(&name) {
                let message = "a server's name has letters, digits, dots, dashes and underscores, \
                               and begins with a letter or digit";
                return Err(Failure::usage(format!("{name:?}: {message}")));
            }
            let parsed = settings::url(&url).ok_or_else(|| {
                Failure::usage(format!("{url:?} is not a URL such as http://127.0.0.1:8000"))
            })?;
            config::add(&name, parsed.as_str().trim_end_matches('/'))?;
            note(&format!(
                "{name} is {parsed}; ask it with --server {name}, or always: jobrunner config use {name}"
            ));
        }
        ConfigCommand::List => return list(args.output, args.quiet),
        ConfigCommand::Remove { name } => {
            if !config::read()?.servers.contains_key(&name) {
                return Err(unknown(&name));
            }
            config::remove(&name)?;
            note(&format!("forgot the name {name}; its tokens are kept until: jobrunner logout"));
        }
        ConfigCommand::Use { server } => {
            let is_named = config::read()?.servers.contains_key(&server);
            if !is_named && settings::url(&server).is_none() {
                return Err(unknown(&server));
            }
            config::choose(&server)?;
            note(&format!("{server} is asked from now on"));
        }
    }
    Ok(Exit::Success)
}

fn unknown(name: &str) -> Failure {
    Failure::usage(format!(
        "there is no server {name}; see: jobrunner config list, or add it with: \
         jobrunner config add {name} URL"
    ))
}

fn list(format: Output, quiet: bool) -> Result<Exit, Failure> {
    let config = config::read()?;
    let asked = settings::server(None)?;
    let asked = credentials::key(asked.as_str());
    let mut servers = Vec::new();
    for (name, url) in &config.servers {
        servers.push(server(Some(name.clone()), url, &asked)?);
    }
    if !servers.iter().any(|server| server.is_default) {
        servers.push(server(None, &asked, &asked)?);
    }
    if format == Output::Table && !quiet {
        let context = Context::of(std::iter::empty());
        output::things(&table::chosen(SERVERS, &[])?, &servers, &context)?;
        return Ok(Exit::Success);
    }
    let remote = crate::args::Remote { server: None, output: format, project: None, quiet };
    Told { id: named, line: named }.print(&remote, &servers)
}

fn named(server: &Server) -> String {
    server.name.clone().unwrap_or_else(|| server.url.clone())
}

fn server(name: Option<String>, url: &str, asked: &str) -> Result<Server, Failure> {
    let key = credentials::key(url);
    let is_signed_in = credentials::find(&key)?.is_some();
    Ok(Server { name, url: url.to_owned(), is_default: key == asked, is_signed_in })
}
