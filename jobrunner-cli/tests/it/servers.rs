//! Which server is asked, and in whose name.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    client::{command, text},
    service::{EMAIL, Service},
};

/// Somebody whose home is there and who named no server in the environment.
struct Person<'a>(&'a Path);

impl Person<'_> {
    /// What was printed, what was said, and the exit code.
    fn runs(&self, variables: &[(&str, &str)], arguments: &[&str]) -> (String, String, i32) {
        let mut command = command(self.0, "", arguments);
        let ended = command
            .env_remove("JOBRUNNER_SERVER")
            .envs(variables.iter().copied())
            .output()
            .expect("a process");
        let code = ended.status.code().expect("a code");
        (text(&ended.stdout), text(&ended.stderr), code)
    }

    /// What was printed by a command that did what it was asked to.
    fn printed(&self, arguments: &[&str]) -> String {
        let (printed, said, code) = self.runs(&[], arguments);
        assert_eq!(code, 0, "{arguments:?}: {said}");
        printed
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.0.join("config/jobrunner").join(name)).unwrap_or_default()
    }
}

#[tokio::test]
async fn servers_have_names_and_the_last_one_signed_in_to_is_asked() {
    let directories = [tempfile::tempdir().expect("one"), tempfile::tempdir().expect("another")];
    let home = tempfile::tempdir().expect("a directory");
    let one = Service::start(directories[0].path(), 0).await;
    let other = Service::start(directories[1].path(), 0).await;
    let person = Person(home.path());
    person.printed(&["config", "add", "one", &one.url]);
    person.printed(&["config", "add", "other", &format!("{}/", other.url)]);
    let names = person.printed(&["config", "list", "-q"]);
    assert_eq!(names, "one\nother\nhttp://127.0.0.1:8000\n", "which is asked until now");

    person.printed(&["login", "--server", "one", "--email", EMAIL]);
    assert!(person.printed(&["whoami"]).ends_with(&format!("on {}\n", one.url)));
    person.printed(&["login", "-s", "other", "--email", EMAIL]);
    assert!(person.printed(&["whoami"]).ends_with(&format!("on {}\n", other.url)));
    person.printed(&["config", "use", "one"]);
    assert!(person.printed(&["whoami"]).ends_with(&format!("on {}\n", one.url)));
    let of = |variables: &[(&str, &str)]| person.runs(variables, &["whoami"]).0;
    assert!(of(&[("JOBRUNNER_SERVER", "other")]).ends_with(&format!("on {}\n", other.url)));
    assert!(of(&[("JOBRUNNER_SERVER", &other.url)]).ends_with(&format!("on {}\n", other.url)));

    let listed: Vec<Value> =
        serde_json::from_str(&person.printed(&["config", "list", "-o", "json"])).expect("JSON");
    assert_eq!(listed[0]["name"], "one");
    assert_eq!(
        (&listed[0]["is_default"], &listed[0]["is_signed_in"]),
        (&true.into(), &true.into())
    );
    assert_eq!(
        (&listed[1]["url"], &listed[1]["is_default"]),
        (&(&*other.url).into(), &false.into())
    );

    person.printed(&["config", "remove", "one"]);
    let (_, said, code) = person.runs(&[], &["whoami", "--server", "one"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("jobrunner config list"), "{said}");
    assert!(!person.file("config.toml").contains("one"), "{}", person.file("config.toml"));
    for (arguments, expected) in [
        (&["config", "use", "nowhere"][..], 2),
        (&["config", "remove", "nowhere"], 2),
        (&["config", "add", "a b", "http://x"], 2),
        (&["config", "add", "x", "ftp://x"], 2),
    ] {
        let (printed, said, code) = person.runs(&[], arguments);
        assert_eq!((code, &*printed, said.lines().count()), (expected, "", 1), "{said}");
    }
}

#[tokio::test]
async fn what_is_written_by_hand_in_the_configuration_stays() {
    let home = tempfile::tempdir().expect("a directory");
    let person = Person(home.path());
    person.printed(&["config", "add", "a", "http://127.0.0.1:9"]);
    let file = home.path().join("config/jobrunner/config.toml");
    fs::write(&file, "# ours\nserver = 'a' # the old one\n[servers]\na = 'http://127.0.0.1:9'\n")
        .expect("written");
    person.printed(&["config", "add", "b", "http://127.0.0.1:10"]);
    let text = person.file("config.toml");
    assert!(text.starts_with("# ours\n") && text.contains("# the old one"), "{text}");
    fs::write(&file, "server = \"a\"\nservers = 3\n").expect("written");
    let (_, said, code) = person.runs(&[], &["jobs", "list"]);
    assert_eq!((code, said.lines().count()), (78, 1), "{said}");
    assert!(said.contains("config.toml: servers must be a table"), "{said}");
    fs::write(&file, "server = \"a\"\nserver\n").expect("written");
    let (_, said, code) = person.runs(&[], &["whoami"]);
    assert_eq!(code, 78, "{said}");
    assert!(said.contains("config.toml:2:"), "{said}");
}

#[tokio::test]
async fn localhost_and_its_address_are_one_server() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    let person = Person(home.path());
    let named = service.url.replace("127.0.0.1", "localhost");
    person.printed(&["login", "--server", &named, "--email", EMAIL]);
    for server in [&service.url, &named, &format!("{named}/")] {
        person.printed(&["whoami", "--server", server]);
    }
    // Kept by an earlier version, which took them for two.
    let file = home.path().join("config/jobrunner/credentials.json");
    let kept = person.file("credentials.json");
    fs::write(&file, kept.replace("127.0.0.1", "localhost")).expect("written");
    person.printed(&["whoami", "--server", &service.url]);
    person.printed(&["logout", "--server", &named]);
    assert_eq!(person.runs(&[], &["whoami", "--server", &service.url]).2, 77);
}

#[tokio::test]
async fn a_token_of_the_environment_is_sent_and_never_written() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let person = Person(home.path());
    let token = service.token_of(EMAIL).await;
    let with = |token: &str, arguments: &[&str]| {
        person.runs(&[("JOBRUNNER_TOKEN", token), ("JOBRUNNER_SERVER", &service.url)], arguments)
    };
    let (printed, said, code) = with(&token, &["whoami", "-q"]);
    assert_eq!((&*printed, code), ("admin@example.com\n", 0), "{said}");
    assert_eq!(with(&format!(" {token}\n"), &["submit", "--wait", "--", "true"]).2, 0);
    assert!(!home.path().join("config").exists(), "nothing is written");

    let (_, said, code) = with("outdated", &["whoami"]);
    assert_eq!((code, said.lines().count()), (77, 1), "{said}");
    assert!(said.contains("JOBRUNNER_TOKEN"), "{said}");
    let (_, said, code) = with("two words", &["whoami"]);
    assert_eq!(code, 78, "{said}");
    assert!(!said.contains("two words"), "a value is never told: {said}");
    let (_, said, code) = with("", &["whoami"]);
    assert_eq!(code, 77, "as if it were not set: {said}");
    assert!(said.contains("jobrunner login"), "{said}");

    // Signing in by a password goes on as without it, and says what is used.
    let (_, said, code) = with(&token, &["login", "--email", EMAIL]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("JOBRUNNER_TOKEN is set"), "{said}");
    assert!(!person.file("credentials.json").contains(&token));
    assert_eq!(with(&token, &["logout"]).2, 0);
    assert_eq!(with(&token, &["whoami"]).2, 0, "the token of the environment is another sign-in");
}

#[test]
fn a_dead_port_is_unreachable_whether_somebody_signed_in_or_not() {
    let home = tempfile::tempdir().expect("a directory");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let person = Person(home.path());
    let asked = [
        &["whoami"][..],
        &["jobs", "list"],
        &["batch", "show", "@last"],
        &["submit", "--", "true"],
        &["cancel", "--mine"],
        &["queues", "list"],
    ];
    for token in ["", "a.b.c"] {
        for arguments in asked {
            let variables = [("JOBRUNNER_SERVER", &*url), ("JOBRUNNER_TOKEN", token)];
            let (_, said, code) = person.runs(&variables, arguments);
            assert_eq!((code, said.lines().count()), (69, 1), "{arguments:?}: {said}");
            assert!(said.contains("cannot reach"), "{said}");
        }
    }
}
