//! How a server is reached.

use std::{path::Path, process::Command};

use crate::{
    client::text,
    service::{EMAIL, Service},
};

/// The command in surroundings without proxies.
fn command(home: &Path, server: &str, arguments: &[&str]) -> Command {
    let mut command = crate::client::command(home, server, arguments);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command
}

/// Nobody listens there.
const PROXY: &str = "http://somebody:secret@127.0.0.1:1";

#[tokio::test]
async fn a_server_on_this_machine_is_not_reached_through_a_proxy() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    for server in [service.url.clone(), service.url.replace("127.0.0.1", "localhost")] {
        for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
            let mut login = command(home.path(), &server, &["login", "--email", EMAIL]);
            let ended = login.env(variable, PROXY).output().expect("a process");
            assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
        }
    }
}

#[test]
fn the_proxy_that_does_not_answer_is_named_without_its_password() {
    let home = tempfile::tempdir().expect("a directory");
    for (variable, server) in [
        ("http_proxy", "http://jobrunner.invalid"),
        ("HTTPS_PROXY", "https://jobrunner.invalid"),
        ("ALL_PROXY", "http://jobrunner.invalid:8000"),
    ] {
        let mut login = command(home.path(), server, &["login", "--email", EMAIL]);
        let ended = login.env(variable, PROXY).output().expect("a process");
        let said = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(69), "{said}");
        assert!(said.contains("through the proxy http://127.0.0.1:1"), "{said}");
        assert!(!said.contains("secret"), "{said}");
        let mut login = command(home.path(), server, &["login", "--email", EMAIL]);
        let without = login.env(variable, PROXY).env("NO_PROXY", "jobrunner.invalid");
        let said = text(&without.output().expect("a process").stderr);
        assert!(said.contains("cannot reach") && !said.contains("proxy"), "{said}");
    }
}
