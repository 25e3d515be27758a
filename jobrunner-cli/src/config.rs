//! The client's configuration file: servers by name, and which one is asked. What is written by
//! hand there, comments included, stays.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use jobrunner_core::daemon::Trouble;
use toml_edit::{DocumentMut, Item, Table, TomlError, value};

use crate::{
    credentials,
    exit::{Context, Failure},
};

/// What is in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// The server that is asked unless another one is named: a name or a URL.
    pub(crate) server: Option<String>,
    /// URLs by name.
    pub(crate) servers: BTreeMap<String, String>,
}

/// The file, whether it is there or not.
pub(crate) fn file() -> Result<PathBuf, Failure> {
    Ok(credentials::directory()?.join("config.toml"))
}

/// What the file says; nothing, if there is none.
pub(crate) fn read() -> Result<Config, Failure> {
    let text = text()?;
    parse(&text).map_err(wrong)
}

/// Names a server, or gives the name to another one.
pub(crate) fn add(name: &str, url: &str) -> Result<(), Failure> {
    change(|document| {
        document["servers"].or_insert(Item::Table(Table::new()))[name] = value(url);
    })
}

/// Forgets a name; it is no longer the default, either.
pub(crate) fn remove(name: &str) -> Result<(), Failure> {
    change(|document| {
        if let Some(servers) = document.get_mut("servers").and_then(Item::as_table_like_mut) {
            servers.remove(name);
        }
        if document.get("server").and_then(Item::as_str) == Some(name) {
            document.remove("server");
        }
    })
}

/// Makes a server, a name or a URL, the one that is asked.
pub(crate) fn choose(server: &str) -> Result<(), Failure> {
    if read()?.server.as_deref() == Some(server) {
        return Ok(());
    }
    change(|document| document["server"] = value(server))
}

/// Whether a server may be called so: nothing that could be a URL or an option.
pub(crate) fn is_name(text: &str) -> bool {
    let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b"._-".contains(&letter);
    text.bytes().all(is_plain) && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
}

fn change(change: impl FnOnce(&mut DocumentMut)) -> Result<(), Failure> {
    let text = text()?;
    parse(&text).map_err(wrong)?;
    let mut document: DocumentMut = text.parse().map_err(|error| wrong(syntax(&text, &error)))?;
    change(&mut document);
    credentials::make_directory()?;
    let file = file()?;
    let cannot = || format!("cannot write {}", file.display());
    credentials::replace(&file, document.to_string().as_bytes())
        .context(Trouble::CannotCreate, cannot)
}

fn text() -> Result<String, Failure> {
    let file = file()?;
    match fs::read_to_string(&file) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => {
            Err(Failure::new(Trouble::Config, format!("cannot read {}: {error}", file.display())))
        }
    }
}

/// `LINE:COLUMN: MESSAGE`, or the message alone.
type Wrong = String;

fn wrong(wrong: Wrong) -> Failure {
    let file = file().map(|file| file.display().to_string()).unwrap_or_default();
    Failure::new(Trouble::Config, format!("{file}:{wrong}"))
}

fn parse(text: &str) -> Result<Config, Wrong> {
    let document: DocumentMut = text.parse().map_err(|error| syntax(text, &error))?;
    let mut config = Config::default();
    for (key, item) in document.iter() {
        match (key, item) {
            ("server", item) => {
                let server = item.as_str().ok_or(" server must be text: a name or a URL")?;
                config.server = Some(server.to_owned());
            }
            ("servers", item) => {
                let servers = item.as_table_like().ok_or(" servers must be a table")?;
                for (name, url) in servers.iter() {
                    let url =
                        url.as_str().ok_or_else(|| format!(" servers.{name} must be text"))?;
                    config.servers.insert(name.to_owned(), url.to_owned());
                }
            }
            (other, _) => {
                return Err(format!(" has the unknown setting {other} (known: server, servers)"));
            }
        }
    }
    Ok(config)
}

fn syntax(text: &str, error: &TomlError) -> Wrong {
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    let Some(span) = error.span() else { return format!(" {message}") };
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{line}:{column}: {message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_the_chosen_one_are_read() {
        let config = parse("# ours\nserver = \"team\"\n[servers]\nteam = \"https://jobs\"\n");
        let servers = BTreeMap::from([("team".to_owned(), "https://jobs".to_owned())]);
        assert_eq!(config, Ok(Config { server: Some("team".to_owned()), servers }));
        assert_eq!(parse(""), Ok(Config::default()));
    }

    #[test]
    fn what_is_wrong_is_told_in_one_line_with_its_place() {
        let said = |text: &str| parse(text).expect_err("refused");
        assert!(said("server = \"a\"\nserver =\n").starts_with("2:9: "), "{}", said("server =\n"));
        assert_eq!(said("color = 1"), " has the unknown setting color (known: server, servers)");
        assert_eq!(said("server = 1"), " server must be text: a name or a URL");
        assert_eq!(said("servers = []"), " servers must be a table");
        assert_eq!(said("servers.a = 1"), " servers.a must be text");
        for text in ["=", "server = \"a", "[servers\n", "server = \"a\"\nserver = \"b\""] {
            assert_eq!(said(text).lines().count(), 1, "{text:?}: {}", said(text));
        }
    }

    #[test]
    fn names_are_no_urls() {
        for name in ["team", "a.b-c_9", "9"] {
            assert!(is_name(name), "{name}");
        }
        for other in ["", "-x", "http://a", "a b", "a/b", "a:8000", "é"] {
            assert!(!is_name(other), "{other}");
        }
    }
}
