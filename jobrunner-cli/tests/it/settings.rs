//! Where settings come from, and what becomes of those that cannot be used.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::service::BINARY;

/// What a process ends with that cannot use its settings.
const EX_CONFIG: i32 = 78;

const SERVICES: [&[&str]; 4] = [&["up"], &["api"], &["worker"], &["init-db"]];

const SUITE: &str = "name: s\njobs:\n  - {name: a, shell: 'true'}\n";

/// The program in a directory, with nothing but these variables.
fn jobrunner(directory: &Path, arguments: &[&str], variables: &[(&str, &[u8])]) -> Output {
    let variables = variables.iter().map(|(name, value)| (*name, OsStr::from_bytes(value)));
    Command::new(BINARY)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", directory)
        .envs(variables)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .expect("a process")
}

/// What it says when it refuses its settings: one line that has nothing of a value.
fn refusal(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    assert_eq!(output.status.code(), Some(EX_CONFIG), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!said.contains("secret"), "{said}");
    said
}

#[test]
fn a_setting_that_is_not_utf8_stops_whatever_reads_it() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("s.yaml"), SUITE).expect("written");
    let refused = |arguments: &[&str], name: &str| {
        let said = refusal(&jobrunner(directory.path(), arguments, &[(name, b"/secret\xe9")]));
        assert!(said.contains(&format!("{name} is not UTF-8")), "{arguments:?}: {said}");
    };
    for name in ["ALLOWED_WORKDIRS", "DATABASE_URL", "JWT_SECRET_KEY", "JOBRUNNER_LOG"] {
        for service in SERVICES {
            refused(service, name);
        }
        refused(&["run", "s.yaml"], name);
    }
    refused(&["up"], "JOBRUNNER_LOG_FORMAT");
    refused(&["jobs", "list"], "JOBRUNNER_SERVER");
    refused(&["login", "--email", "me@example.com"], "JOBRUNNER_PASSWORD");
    for proxy in ["HTTP_PROXY", "https_proxy", "NO_PROXY"] {
        refused(&["whoami"], proxy);
    }
}

#[test]
fn a_value_that_cannot_be_used_is_not_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let names = [
        "ALLOWED_WORKDIRS",
        "COMMAND_TIMEOUT_SECONDS",
        "DEFAULT_WORKING_DIR",
        "JOBRUNNER_LISTEN",
        "JOBRUNNER_LOG_FORMAT",
        "JOB_UMASK",
        "NOTIFY_ALLOWED_HOSTS",
        "PUBLIC_URL",
    ];
    for name in names {
        let said = refusal(&jobrunner(directory.path(), &["up"], &[(name, b"secret value")]));
        assert!(said.contains(name), "{said}");
    }
    let log = jobrunner(directory.path(), &["up"], &[("JOBRUNNER_LOG", b"a=secret=b")]);
    assert!(refusal(&log).contains("JOBRUNNER_LOG must be"));
    let server = [("JOBRUNNER_SERVER", &b"ftp://me:secret@host"[..])];
    assert!(
        refusal(&jobrunner(directory.path(), &["whoami"], &server)).contains("JOBRUNNER_SERVER")
    );
    let help = jobrunner(directory.path(), &["whoami", "--help"], &server);
    assert!(help.status.success() && !String::from_utf8_lossy(&help.stdout).contains("secret"));
    let urls = [
        "postgres://me:secret@host:port/x",
        "postgres://me:secret@[/x",
        "postgres://me@host/x?sslmode=secret",
        "mysql://secret",
    ];
    for url in urls {
        for service in [&["api"][..], &["worker"], &["init-db"]] {
            let variables = [
                ("DATABASE_URL", url.as_bytes()),
                ("JWT_SECRET_KEY", b"0123456789abcdef0123456789abcdef"),
            ];
            let ended = jobrunner(directory.path(), service, &variables);
            let said = String::from_utf8_lossy(&ended.stderr);
            assert!(!ended.status.success() && !said.contains("secret"), "{said}");
        }
    }
}

#[test]
fn a_blank_does_not_open_where_commands_may_run() {
    let directory = tempfile::tempdir().expect("a directory");
    for blank in ["", " ", " , "] {
        let variables = [("ALLOWED_WORKDIRS", blank.as_bytes())];
        let said = refusal(&jobrunner(directory.path(), &["up"], &variables));
        assert!(said.contains("ALLOWED_WORKDIRS is set and names no directory"), "{said}");
    }
}

#[test]
fn services_stop_at_a_file_that_they_cannot_use_and_say_where() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join(".env");
    let broken: [(&[u8], &str); 6] = [
        (b"secret", ".env line 1: "),
        (b"DEFAULT_QUEUE=a\n\nJWT_SECRET_KEY=secret words\n", ".env line 3: "),
        (b"# caf\xc3\xa9\r\nDEFAULT_QUEUE=secret\xe9\r\n", ".env line 2: is not UTF-8"),
        (b"DEFAULT_QUEUE='secret\n", ".env line 1: a single quote is not closed"),
        (b"DATABASE_URL=postgres://me:sec$ret@host/x", ".env line 1: refers to a variable"),
        (b"PGPASSWORD=secret", ".env line 1: the library for Postgres does not read this file"),
    ];
    for (text, expected) in broken {
        fs::write(&file, text).expect("written");
        for service in SERVICES {
            let said = refusal(&jobrunner(directory.path(), service, &[]));
            let place = format!("{}/{expected}", directory.path().display());
            assert!(said.contains(&place), "{said}");
        }
    }
    fs::write(&file, "COMMAND_TIMEOUT_SECONDS=secret").expect("written");
    let said = refusal(&jobrunner(directory.path(), &["up"], &[]));
    assert!(said.contains("COMMAND_TIMEOUT_SECONDS must be a whole number above 0"), "{said}");
}

#[test]
fn services_stop_at_a_file_that_they_cannot_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join(".env");
    let refused = |why: &str| {
        for service in SERVICES {
            let said = refusal(&jobrunner(directory.path(), service, &[]));
            assert!(
                said.contains(&format!("cannot read the settings in {}", file.display())),
                "{said}"
            );
            assert!(said.contains(why), "{said}");
        }
    };
    fs::create_dir(&file).expect("a directory");
    refused("directory");
    fs::remove_dir(&file).expect("removed");
    symlink("nowhere", &file).expect("a link");
    refused("No such file");
    fs::remove_file(&file).expect("removed");
    symlink(".env", &file).expect("a link");
    refused("symbolic link");
    fs::remove_file(&file).expect("removed");
    fs::write(&file, "").expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o0)).expect("a mode");
    // Root reads it all the same.
    if fs::read(&file).is_err() {
        refused("denied");
    }
}

#[test]
fn run_and_clients_read_no_file_and_services_none_of_a_parent() {
    let directory = tempfile::tempdir().expect("a directory");
    let below = directory.path().join("below");
    fs::create_dir(&below).expect("a directory");
    fs::write(directory.path().join(".env"), "this is a secret").expect("written");
    fs::write(below.join("s.yaml"), SUITE).expect("written");

    // It gets as far as to miss the database.
    let api = jobrunner(&below, &["api"], &[]);
    let said = String::from_utf8_lossy(&api.stderr);
    assert!(!said.contains(".env") && said.contains("JWT_SECRET_KEY"), "{said}");

    fs::copy(directory.path().join(".env"), below.join(".env")).expect("copied");
    let ran = jobrunner(&below, &["run", "s.yaml"], &[]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let server = [("JOBRUNNER_SERVER", &b"http://127.0.0.1:9"[..])];
    let client = jobrunner(&below, &["jobs", "list"], &server);
    assert!(String::from_utf8_lossy(&client.stderr).contains("cannot reach"));
}

#[tokio::test]
async fn a_service_takes_its_file_and_listens_at_a_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = "\u{feff}# settings\r\nexport JOBRUNNER_LISTEN=localhost:0\r\n\
                JOBRUNNER_ADMIN_EMAIL=\"ada@example.com\" # the first account\r\n\
                JOBRUNNER_ADMIN_PASSWORD='correct horse'\r\nJOBRUNNER_LOG=error\r\n";
    fs::write(directory.path().join(".env"), text).expect("written");
    let mut service = Command::new(BINARY)
        .args(["up", "--workers", "0", "--data-dir", "data"])
        .env("JOBRUNNER_ADMIN_EMAIL", "grace@example.com")
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let said = BufReader::new(service.stderr.take().expect("a pipe")).lines();
    let mut said = said.map_while(Result::ok);
    let mut line = |mark: &str| said.find(|line| line.contains(mark)).expect("it says so");
    let page = line("page ");
    // The environment wins over the file.
    assert!(line("sign in").contains("grace@example.com"));
    let url = page.split_whitespace().last().expect("a URL").to_owned();
    assert!(url.starts_with("http://localhost:") && !url.ends_with(":0/"), "{url}");
    let form = [("username", "grace@example.com"), ("password", "correct horse")];
    let http = crate::tls::client().build().expect("a client");
    let signed_in = http.post(format!("{url}api/v1/auth/token")).form(&form).send().await;
    assert!(signed_in.expect("an answer").status().is_success());
    service.kill().expect("killed");
    service.wait().expect("gone");
}

#[test]
fn what_cannot_be_listened_on_is_told_with_what_to_do() {
    let directory = tempfile::tempdir().expect("a directory");
    let said = |listen: &str| {
        let ended = jobrunner(directory.path(), &["up", "--listen", listen], &[]);
        assert!(!ended.status.success(), "{listen}");
        String::from_utf8(ended.stderr).expect("UTF-8")
    };
    for wrong in [":8000", "8000", "localhost", "::1:8000", "localhost:http"] {
        assert!(said(wrong).contains("must "), "{wrong}");
    }
    assert!(said("no-such-host.invalid:0").contains("its host is not known here"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    assert!(said(&format!("localhost:{port}")).contains("is another server running?"));
}
