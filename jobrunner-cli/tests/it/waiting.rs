//! `submit --wait` and `jobs logs` show what a job writes: all of it, once, whatever happens on the
//! way.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Stdio},
    sync::{Arc, Mutex},
};

use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{
    client::{command, jobrunner, text},
    service::{EMAIL, Service},
};

async fn signed_in(directory: &TempDir, home: &TempDir) -> Service {
    let service = Service::start(directory.path(), 1).await;
    let login = jobrunner(home.path(), &service.url, &["login", "--email", EMAIL]);
    assert_eq!(login.status.code(), Some(0), "{}", text(&login.stderr));
    service
}

/// The numbers of the markers in an output, and the output without them.
fn gaps(output: &str) -> (Vec<usize>, String) {
    let mut parts = output.split("\n[jobrunner: ");
    let mut rest = parts.next().expect("a first part").to_owned();
    let omitted = parts.map(|part| {
        let (number, more) = part.split_once(" bytes omitted]\n").expect("a marker");
        rest.push_str(more);
        number.parse().expect("a number")
    });
    (omitted.collect(), rest)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_kept_is_counted_and_the_last_lines_are_shown() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = signed_in(&directory, &home).await;
    // Bursts larger than what is kept, with pauses in which the reader sees some of them.
    let script = "for burst in 1 2 3 4 5 6; do for n in $(seq 100); do
          printf '%s %03d %054d\\n' $burst $n 0; done; sleep 0.3; done; echo last";
    let written = 6 * 100 * 61 + "last\n".len();
    for options in [&["--max-output-bytes", "2000"][..], &["--max-output-bytes", "30000"], &[]] {
        let wait = [&["submit", "--wait"], options, &["--", "sh", "-c", script]].concat();
        let ended = jobrunner(home.path(), &service.url, &wait);
        assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
        let said = text(&ended.stderr);
        let id = said.strip_prefix("job ").and_then(|said| said.lines().next()).expect("an id");
        let live = text(&ended.stdout);
        let (omitted, shown) = gaps(&live);
        assert!(live.ends_with("\nlast\n"), "{live}");
        assert_eq!(omitted.iter().sum::<usize>() + shown.len(), written, "{omitted:?}");
        for arguments in [&["jobs", "logs", id][..], &["jobs", "logs", "-f", id]] {
            let later = text(&jobrunner(home.path(), &service.url, arguments).stdout);
            let (omitted, shown) = gaps(&later);
            assert!(later.ends_with("\nlast\n"), "{later}");
            assert_eq!(omitted.iter().sum::<usize>() + shown.len(), written, "{omitted:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_output_of_every_attempt_is_shown() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = signed_in(&directory, &home).await;
    let script = "echo out $JOBRUNNER_ATTEMPT; test $JOBRUNNER_ATTEMPT = 2 || echo err >&2; exit 3";
    let wait = ["submit", "--wait", "--max-attempts", "3", "--", "sh", "-c", script];
    let ended = jobrunner(home.path(), &service.url, &wait);
    assert_eq!(ended.status.code(), Some(1));
    let said = text(&ended.stderr);
    let id = said.strip_prefix("job ").and_then(|said| said.lines().next()).expect("an id");
    let later = jobrunner(home.path(), &service.url, &["jobs", "logs", id]);
    for shown in [&ended, &later] {
        assert_eq!(text(&shown.stdout), "out 1\nout 2\nout 3\n");
        let said = text(&shown.stderr);
        assert!(said.contains("err\njobrunner: attempt 2\njobrunner: attempt 3\nerr\n"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_is_shown_as_far_as_it_has_come() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = signed_in(&directory, &home).await;
    let script = "echo out $JOBRUNNER_ATTEMPT; test $JOBRUNNER_ATTEMPT = 2 && sleep 60; exit 3";
    let more = serde_json::json!({"max_attempts": 2});
    let job = service.job("runs", &["sh", "-c", script], more).await;
    let path = format!("/jobs/{job}/logs/stdout");
    loop {
        if service.bytes(&path).await == b"out 2\n" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let shown = jobrunner(home.path(), &service.url, &["jobs", "logs", &job]);
    assert_eq!((shown.status.code(), text(&shown.stdout).as_str()), (Some(0), "out 1\nout 2\n"));
    assert_eq!(text(&shown.stderr), "jobrunner: attempt 2\n");
}

/// Passes connections on to a service, and cuts them off when it is told to.
struct Relay {
    url: String,
    open: Arc<Mutex<JoinSet<()>>>,
}

impl Relay {
    async fn to(service: &Service) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let open = Arc::new(Mutex::new(JoinSet::new()));
        let (connections, address) = (Arc::clone(&open), service.address().to_owned());
        // Ends with the test.
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let address = address.clone();
                connections.lock().expect("no panic").spawn(async move {
                    let Ok(mut server) = TcpStream::connect(address).await else { return };
                    // Either side may go away at any time.
                    drop(copy_bidirectional(&mut client, &mut server).await);
                });
            }
        });
        Self { url, open }
    }

    fn cut(&self) {
        self.open.lock().expect("no panic").abort_all();
    }
}

fn waiting(home: &TempDir, url: &str, script: &str) -> (Child, BufReader<ChildStdout>) {
    let mut wait = command(home.path(), url, &["submit", "--wait", "--", "sh", "-c", script]);
    let wait = wait.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = wait.spawn().expect("a process");
    let stdout = BufReader::new(process.stdout.take().expect("a pipe"));
    (process, stdout)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_loses_and_repeats_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let relay = Relay::to(&service).await;
    let login = jobrunner(home.path(), &relay.url, &["login", "--email", EMAIL]);
    assert_eq!(login.status.code(), Some(0), "{}", text(&login.stderr));
    let gate = directory.path().join("gate");
    let script = format!(
        "for n in 1 2 3 4; do echo line $n; until test -e {0}.$n; do sleep 0.05; done; done; exit 4",
        gate.display()
    );
    let (mut process, mut stdout) = waiting(&home, &relay.url, &script);
    let mut line = String::new();
    for n in 1..=4 {
        line.clear();
        assert!(stdout.read_line(&mut line).expect("text") > 0);
        assert_eq!(line, format!("line {n}\n"));
        // Once before more is written, once after.
        if n % 2 == 0 {
            relay.cut();
            fs::write(gate.with_extension(n.to_string()), "").expect("a file");
        } else {
            fs::write(gate.with_extension(n.to_string()), "").expect("a file");
            relay.cut();
        }
    }
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "");
    assert_eq!(process.wait().expect("it ended").code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_the_wait_with_130_and_the_job_goes_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = signed_in(&directory, &home).await;
    let (mut process, mut stdout) = waiting(&home, &service.url, "echo up; sleep 60");
    let mut line = String::new();
    assert!(stdout.read_line(&mut line).expect("text") > 0);
    let id = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it runs");
    assert_eq!(process.wait().expect("it ended").code(), Some(130));
    let mut said = String::new();
    process.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
    let hint = said.lines().last().expect("a line");
    assert!(hint.contains("the job goes on: jobrunner jobs show "), "{said}");
    let job = hint.rsplit(' ').next().expect("an id");
    assert_eq!(service.get(&format!("/jobs/{job}")).await["status"], "running");
}
