use std::{
    fs,
    process::{Command, Stdio},
};

use jobrunner_core::testkit::servers::PrivatePostgres;
use serde_json::Value;

use crate::service::BINARY;

/// The settings of `.env.example` as they stand, with the secrets and places that it leaves to the
/// operator.
fn environment() -> Vec<(String, String)> {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../.env.example");
    let example = fs::read_to_string(example).expect("the example");
    let lines = example.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    let mut settings: Vec<(String, String)> =
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert!(settings.len() > 15, "only {} settings were found", settings.len());
    let filled = [
        ("DATABASE_URL", PrivatePostgres::shared().create_database()),
        ("JWT_SECRET_KEY", "0123456789abcdef0123456789abcdef".to_owned()),
        ("JOBRUNNER_LISTEN", "127.0.0.1:0".to_owned()),
    ];
    for (name, value) in filled {
        let setting = settings.iter_mut().find(|(known, _)| known == name).expect("a known name");
        setting.1 = value;
    }
    settings
}

/// What Compose and systemd hand to the program: nothing but these settings.
fn jobrunner(settings: &[(String, String)], arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).env_clear().envs(settings.iter().map(|(name, value)| (name, value)));
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
    command
}

#[tokio::test]
async fn the_example_of_the_settings_starts_everything_it_is_for() {
    let settings = environment();
    let made = jobrunner(&settings, &["init-db"]).output().expect("a process");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success() && said.contains("shown this once"), "{said}");
    let again = jobrunner(&settings, &["init-db"]).output().expect("a process");
    assert!(again.status.success(), "it is repeated at every start");

    let mut server = Running::start(&settings, &["api"]);
    let url = server.says("serves ");
    let _worker = Running::start(&settings, &["worker", "--slots", "2"]);
    let http = crate::tls::client().build().expect("a client");
    let health = http.get(format!("{url}api/v1/health")).send().await.expect("an answer");
    let health: Value = health.json().await.expect("JSON");
    assert_eq!((&health["status"], &health["redis"]), (&"ok".into(), &"disabled".into()));
}

/// A process that is killed in the end.
struct Running(std::process::Child);

impl Running {
    fn start(settings: &[(String, String)], arguments: &[&str]) -> Self {
        let child = jobrunner(settings, arguments).stderr(Stdio::piped()).spawn();
        Self(child.expect("a process"))
    }

    /// Waits until it has said a line with this text, and answers what follows the text.
    fn says(&mut self, text: &str) -> String {
        use std::io::{BufRead, BufReader};
        let said = BufReader::new(self.0.stderr.as_mut().expect("a pipe"));
        let mut lines = said.lines().map_while(Result::ok);
        let found = lines.find_map(|line| line.split_once(text).map(|(_, rest)| rest.to_owned()));
        found.expect("it says so before it ends")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is then what the test complains of.
        if self.0.kill().is_ok() {
            self.0.wait().expect("gone");
        }
    }
}
