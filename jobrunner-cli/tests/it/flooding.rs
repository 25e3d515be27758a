//! Commands that write more than anybody wants to keep.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};

use crate::service::{EMAIL, Service, resident_of};

const MIB: u64 = 1024 * 1024;

/// The default of `MAX_OUTPUT_BYTES`, and how much of it is the head.
const CAP: u64 = 16 * MIB;
const HEAD: u64 = MIB;

/// Watches how much memory a service takes, from a thread of its own.
struct Watched {
    before: u64,
    most: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Watched {
    fn begin(service: &Service) -> Self {
        let runner = service.runner();
        let before = service.resident();
        let (most, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (maximum, ended) = (Arc::clone(&most), Arc::clone(&done));
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                maximum.fetch_max(resident_of(runner), Ordering::Relaxed);
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        });
        Self { before, most, done, thread }
    }

    /// By how many bytes it has grown at most.
    fn growth(self) -> u64 {
        self.done.store(true, Ordering::Relaxed);
        self.thread.join().expect("it ends");
        self.most.load(Ordering::Relaxed).saturating_sub(self.before)
    }
}

async fn flooded(service: &Service, script: &str, more: Value) -> (String, Value) {
    let job = service.job("flood", &["sh", "-c", script], more).await;
    let ended = service.ended(&format!("/jobs/{job}")).await;
    assert_eq!(ended["status"], "passed", "{ended}");
    (job, ended["result"].clone())
}

/// What is kept of a stream of so many bytes that repeat a pattern, is its head and its tail.
async fn is_kept(service: &Service, job: &str, pattern: &[u8], written: u64) {
    let kept = service.bytes(&format!("/jobs/{job}/logs/stdout")).await;
    let at = |offset: u64| pattern[(offset % pattern.len() as u64) as usize];
    let (head, rest) = kept.split_at(HEAD as usize);
    assert!((0..).zip(head).all(|(offset, byte)| *byte == at(offset)), "the head");
    // Between the two there is a line that marks the gap.
    let tail = &rest[rest.len() - (CAP - HEAD) as usize..];
    let starts = written - tail.len() as u64;
    assert!((starts..).zip(tail).all(|(offset, byte)| *byte == at(offset)), "the tail");
    assert!(kept.len() as u64 <= CAP + 3 * 64 * 1024, "{} bytes are kept", kept.len());
}

/// By how much a service may grow while one job floods it: a tail in a ring, and the same again in
/// parts that are copied, stored and given back.
const GROWTH: u64 = 48 * MIB;

#[tokio::test]
async fn p10_output_many_times_larger_takes_no_memory_and_keeps_its_head_and_tail() {
    const BYTES: u64 = 32 * GROWTH;
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    // What `yes` writes; the longest that a single write had to wait is told at the end.
    let flood = "import os, time, sys
pattern, left, longest = b'y\\n' * 32768, int(os.environ['BYTES']), 0
while left:
    began = time.monotonic()
    left -= os.write(1, pattern[:left])
    longest = max(longest, time.monotonic() - began)
print(f'{longest:.3f}', file=sys.stderr)";
    let watched = Watched::begin(&service);
    let script = "exec python3 -c \"$FLOOD\"";
    let (job, result) =
        flooded(&service, script, json!({"env": {"FLOOD": flood, "BYTES": BYTES.to_string()}}))
            .await;
    let growth = watched.growth();
    let waited = service.bytes(&format!("/jobs/{job}/logs/stderr")).await;
    let waited: f64 = String::from_utf8_lossy(&waited).trim().parse().expect("a number");
    println!(
        "{BYTES} bytes in {} ms; memory grew by {growth} bytes; no write waited longer than {waited} s",
        result["duration_ms"]
    );
    assert_eq!((&result["stdout_bytes"], &result["truncated"]), (&json!(BYTES), &json!(true)));
    assert!(growth < GROWTH, "{growth}");
    is_kept(&service, &job, b"y\n", BYTES).await;
}

#[tokio::test]
async fn p10_a_line_many_times_larger_is_like_any_other_output() {
    const BYTES: u64 = 16 * GROWTH;
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let watched = Watched::begin(&service);
    let script = format!("head -c {BYTES} /dev/zero | tr '\\0' x");
    let (job, result) = flooded(&service, &script, json!({})).await;
    let growth = watched.growth();
    assert_eq!(result["stdout_bytes"], BYTES);
    assert!(growth < GROWTH, "{growth}");
    is_kept(&service, &job, b"x", BYTES).await;
}

#[tokio::test]
async fn p10_sixty_four_jobs_that_flood_at_once_stay_within_a_budget() {
    /// What an attempt may hold: what waits in two pipes, between them and the log, in the log, and
    /// in the call of the store, each a few times 64 KiB.
    const EACH: u64 = 2 * MIB;
    const JOBS: u64 = 64;
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 64).await;
    let watched = Watched::begin(&service);
    let job = json!({"name": "flood", "command": ["sh", "-c", "yes | head -c 20000000"],
        "max_output_bytes": 1_000_000});
    let jobs = vec![job; JOBS as usize];
    let (status, batch) = service.post("/job-batches", &json!({"name": "b", "jobs": jobs})).await;
    assert_eq!(status, 202, "{batch}");
    let path = format!("/job-batches/{}", batch["id"].as_str().expect("an id"));
    assert_eq!(service.ended(&path).await["counts"]["passed"], JOBS);
    let growth = watched.growth();
    println!("64 jobs wrote 20 MB each; memory grew by {growth} bytes");
    assert!(growth < JOBS * EACH, "{growth}");
    for job in service.get(&format!("{path}/jobs")).await["items"].as_array().expect("a list") {
        assert_eq!(job["result"]["stdout_bytes"], 20_000_000, "{job}");
        assert_eq!(job["result"]["truncated"], true);
    }
}

#[tokio::test]
async fn output_of_any_bytes_is_one_object_of_json_with_all_of_it() {
    // Longer than the store reads at one time, and so that pieces end within characters.
    let script = r#"
        awk 'BEGIN { for (i = 0; i < 40000; i++) printf "\"a\\b\001€\377 %d\n", i }'
        printf 'ends within \342\202' >&2
    "#;
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    let job = service.job("writes", &["sh", "-c", script], Value::Null).await;
    assert_eq!(service.ended(&format!("/jobs/{job}")).await["status"], "passed");
    let logs = service.get(&format!("/jobs/{job}/logs")).await;
    let lines = (0..40_000).map(|i| format!("\"a\\b\u{1}€\u{fffd} {i}\n"));
    assert_eq!(logs["stdout"].as_str().expect("text"), lines.collect::<String>());
    assert_eq!(logs["stderr"], "ends within \u{fffd}");
    assert_eq!((&logs["complete"], &logs["truncated"]), (&true.into(), &false.into()));
    let tail = service.get(&format!("/jobs/{job}/logs?tail_bytes=6")).await;
    assert_eq!((&tail["stdout"], &tail["stderr"]), (&"39999\n".into(), &"hin \u{fffd}".into()));
}

#[tokio::test]
async fn answers_that_nobody_reads_are_not_in_memory() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 1).await;
    // As JSON, each of these bytes is six.
    let script = "head -c 15000000 /dev/zero | tr '\\0' '\\1'";
    let job = service.job("writes", &["sh", "-c", script], Value::Null).await;
    assert_eq!(service.ended(&format!("/jobs/{job}")).await["status"], "passed");
    let token = service.token_of(EMAIL).await;
    let before = service.resident();
    let unread = (0..12).map(|_| {
        let mut connection = TcpStream::connect(service.address()).expect("it listens");
        let head = format!(
            "GET /api/v1/jobs/{job}/logs HTTP/1.1\r\n\
             Host: here\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).expect("sent");
        let mut status = [0; 12];
        connection.read_exact(&mut status).expect("an answer");
        assert_eq!(&status, b"HTTP/1.1 200");
        connection
    });
    let unread = unread.collect::<Vec<_>>();
    // One more that is read to its end: by then the others have got as far as they can.
    let logs = service.get(&format!("/jobs/{job}/logs")).await;
    assert_eq!(logs["stdout"].as_str().map(str::len), Some(15_000_000));
    let grown = service.resident().saturating_sub(before);
    assert!(grown < 64 * MIB, "{} answers take {} MiB", unread.len(), grown / MIB);
}
