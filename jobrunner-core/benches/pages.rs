//! What the pages of the dashboard ask the stores for, with 2,000 batches and three of 100,000 jobs that have
//! ended, a tenth of them failed: how long each question takes, and by which indexes it is answered.
//!
//! `cargo bench -p jobrunner-core --all-features --bench pages`

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jobrunner_core::{
    BatchId, JobSpec, Status, Store, UserId,
    audit::AuditFilter,
    authz::Scope,
    batch::{BatchFilter, NameFilter},
    job::{JobFilter, Order, Reason},
    page::PageRequest,
    store::{
        postgres::{PostgresOptions, PostgresStore},
        sqlite::SqliteStore,
    },
    testkit::{Fixture, audit_event, new_batch, servers::PrivatePostgres, spec},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqlSafeStr, SqliteConnection};

const BATCHES: usize = 2_000;

const LARGE: usize = 3;

const JOBS: usize = 100_000;

const EVENTS: usize = 10_000;

#[tokio::main]
async fn main() {
    let server = PrivatePostgres::builder().start();
    let url = server.create_database();
    PostgresStore::migrate(&url).await.expect("a schema");
    let store = PostgresStore::connect(&url, PostgresOptions::default()).await.expect("a store");
    let (store, batch, owner) = fill(store).await;
    println!("## PostgreSQL\n");
    measure(store.as_ref(), batch).await;
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    println!("\n| statement | is answered by |\n|---|---|");
    for (name, values) in statements(batch, owner) {
        let values = values.iter().map(|value| match value {
            Value::Id(id) => format!("'{id}'::uuid"),
            Value::Word(word) => (*word).to_owned(),
        });
        let explain = format!("explain (costs off) {}", filled("postgres", name, '$', values));
        let plan: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain).into_sql_str())
            .fetch_all(&mut connection)
            .await
            .expect("a plan");
        let used = plan.iter().filter_map(|line| {
            let line = line.trim().trim_start_matches("->").trim();
            let line = line.strip_prefix("Parallel ").unwrap_or(line);
            let scan =
                ["Index Scan using ", "Index Only Scan using ", "Index Scan Backward using "]
                    .iter()
                    .find_map(|kind| line.strip_prefix(kind));
            let index = scan.and_then(|scan| scan.split(' ').next()).map(str::to_owned);
            let index =
                index.or_else(|| line.strip_prefix("Bitmap Index Scan on ").map(str::to_owned));
            index.or_else(|| {
                line.strip_prefix("Seq Scan on ").map(|table| format!("all of {table}"))
            })
        });
        tell(name, used);
    }

    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("pages.sqlite3");
    let (store, batch, owner) = fill(SqliteStore::open(&file).await.expect("a store")).await;
    println!("\n## SQLite\n");
    measure(store.as_ref(), batch).await;
    let url = format!("sqlite://{}", file.display());
    let mut connection = SqliteConnection::connect(&url).await.expect("a connection");
    println!("\n| statement | is answered by |\n|---|---|");
    for (name, values) in statements(batch, owner) {
        let values = values.iter().map(|value| match value {
            Value::Id(id) => format!("x'{}'", id.simple()),
            Value::Word(word) => word.split("::").next().unwrap_or_default().to_owned(),
        });
        let explain = format!("explain query plan {}", filled("sqlite", name, '?', values));
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(explain).into_sql_str())
                .fetch_all(&mut connection)
                .await
                .expect("a plan");
        let used = plan.iter().filter_map(|(.., line)| {
            if let Some(table) = line.strip_prefix("SCAN ") {
                let is_result = table.starts_with('(') || table.contains("SUBQUERY");
                return (!is_result).then(|| match table.split_once(" USING ") {
                    Some((_, index)) => index.to_lowercase(),
                    None => format!("all of {table}"),
                });
            }
            let (_, index) = line.strip_prefix("SEARCH ")?.split_once(" USING ")?;
            let index = index.split(" (").next().unwrap_or(index);
            Some(index.replace("COVERING ", "").replace("INDEX ", "").to_lowercase())
        });
        tell(name, used);
    }
}

fn tell(name: &str, used: impl Iterator<Item = String>) {
    let mut indexes: Vec<String> = used.collect();
    indexes.sort();
    indexes.dedup();
    println!("| `{name}` | {} |", indexes.join(", "));
}

/// Batches with a past.
async fn fill(store: impl Store + 'static) -> (Arc<dyn Store>, BatchId, UserId) {
    let fixture = Fixture::new(Arc::new(store), ());
    let owner = UserId::new();
    for n in 0..BATCHES {
        let name = if n % 4 == 0 { "nightly".to_owned() } else { format!("suite {n}") };
        let order =
            jobrunner_core::store::BatchOrder { owner, batch: new_batch(&name), idempotency: None };
        let specs: Vec<JobSpec> = (0..2).map(|k| spec(&format!("case {k}"))).collect();
        let specs = Box::new(specs.into_iter().map(Ok));
        fixture.store.submit_batch(order, specs).await.expect("a batch");
    }
    let specs = (0..JOBS).map(|n| JobSpec { priority: 10, ..spec(&format!("regression/{n}")) });
    let specs: Vec<JobSpec> = specs.collect();
    let mut batches = Vec::new();
    for _ in 0..LARGE {
        batches.push(fixture.batch(owner, specs.clone()).await);
    }
    let hand = fixture.hand().await;
    let mut ended = 0;
    while ended < LARGE * JOBS {
        let leases: Vec<_> = hand.claim(1000).await.into_iter().map(|it| it.lease).collect();
        let leases = fixture.store.start(&leases).await.expect("a start");
        let reports: Vec<_> = leases
            .iter()
            .enumerate()
            .map(|(n, lease)| {
                let mut report = hand.report(*lease, (n % 10 == 3).then_some(Reason::ExitCode));
                report.error_line = (n % 10 == 3).then(|| format!("assertion {} failed", n % 7));
                report.outcome.duration = Duration::from_millis((n as u64 * 7919) % 10_000);
                report
            })
            .collect();
        fixture.store.finish(&reports).await.expect("answers");
        ended += reports.len();
    }
    for _ in 0..EVENTS {
        fixture.store.record(audit_event()).await.expect("recorded");
    }
    (Arc::clone(&fixture.store), batches[1], owner)
}

async fn measure(store: &dyn Store, batch: BatchId) {
    let members = |more: JobFilter| JobFilter { batch: Some(batch), scope: Scope::All, ..more };
    let none = JobFilter::default;
    let first = PageRequest::first(100);
    println!("| | the middle of nine |\n|---|---|");
    let all = BatchFilter { scope: Scope::All, ..BatchFilter::default() };
    timed("200 batches", async || store.batches(&all, PageRequest::first(200)).await.is_ok()).await;
    timed("the counts of everybody", async || store.counts(Scope::All, None).await.is_ok()).await;
    timed("one batch", async || store.batch(batch, Scope::All).await.is_ok()).await;
    let runs = BatchFilter { name: Some(NameFilter::Exactly("nightly".to_owned())), ..all.clone() };
    timed("30 runs of a name", async || {
        store.batches(&runs, PageRequest::first(30)).await.is_ok_and(|page| page.items.len() == 30)
    })
    .await;
    timed("the causes of 10,000 failures", async || {
        store.causes(batch).await.is_ok_and(|causes| causes.len() == 7)
    })
    .await;
    let shown = store.batch(batch, Scope::All).await.expect("an answer").expect("a batch");
    let (from, to) = (shown.started_at.expect("a start"), shown.finished_at.expect("an end"));
    timed("the timeline", async || store.timeline(batch, from, to, 120).await.is_ok()).await;
    let pages = [
        ("its newest jobs", none()),
        ("those that failed", JobFilter { status: Some(Status::Failed), ..none() }),
        ("those of a reason", JobFilter { reason: Some(Reason::ExitCode), ..none() }),
        ("those of part of a name", JobFilter { name: Some("*9999*".to_owned()), ..none() }),
        ("by name", JobFilter { order: Order::Name, ..none() }),
        ("the longest first", JobFilter { order: Order::Longest, ..none() }),
        ("the oldest first", JobFilter { order: Order::Oldest, ..none() }),
    ];
    for (what, filter) in pages {
        let filter = members(filter);
        timed(what, async || store.jobs(&filter, first).await.is_ok_and(|p| !p.items.is_empty()))
            .await;
        if filter.order != Order::Newest {
            let page = store.jobs(&filter, PageRequest::first(1000)).await.expect("a page");
            let next = PageRequest::parse(Some(100), page.next_cursor.as_deref()).expect("more");
            let what = format!("{what}, after 1,000");
            timed(&what, async || store.jobs(&filter, next).await.is_ok()).await;
        }
    }
    let anybodys = JobFilter { scope: Scope::All, ..none() };
    timed("everybody's newest jobs", async || store.jobs(&anybodys, first).await.is_ok()).await;
    let filter = AuditFilter::default();
    timed("the audit", async || store.audit_events(&filter, first).await.is_ok()).await;
}

async fn timed(what: &str, question: impl AsyncFn() -> bool) {
    let mut times = Vec::new();
    for _ in 0..9 {
        let started = Instant::now();
        assert!(question().await, "{what}");
        times.push(started.elapsed());
    }
    times.sort_unstable();
    println!("| {what} | {:.1} ms |", times[4].as_secs_f64() * 1000.0);
}

/// A value in the place of a parameter.
enum Value {
    Id(uuid::Uuid),
    Word(&'static str),
}

/// The statements behind the pages, with what they are asked with.
fn statements(batch: BatchId, owner: UserId) -> Vec<(&'static str, Vec<Value>)> {
    use Value::{Id, Word};
    let none = || Word("null");
    let id = || Id(batch.as_uuid());
    let last = || Id(uuid::Uuid::max());
    let members = |status, reason| {
        vec![none(), id(), Word(status), none(), none(), last(), Word("101"), Word(reason)]
    };
    let sorted =
        || vec![none(), id(), none(), none(), none(), none(), Word("101"), none(), Word("1")];
    vec![
        ("batch/list_of_all", vec![none(), none(), none(), last(), Word("201")]),
        ("batch/list_of_owner", vec![Id(owner.as_uuid()), none(), none(), last(), Word("201")]),
        ("batch/list_of_name", vec![none(), none(), Word("'nightly'"), last(), Word("31")]),
        ("batch/get", vec![id(), none()]),
        ("batch/causes", vec![id(), Word("10000"), Word("5")]),
        (
            "batch/timeline",
            vec![id(), Word("0::bigint"), Word("1000::bigint"), Word("120::bigint")],
        ),
        ("job/list_of_batch", members("null", "null")),
        ("job/list_ended_of_batch", members("3", "'exit_code'")),
        ("job/list_oldest", sorted()),
        ("job/list_by_name", sorted()),
        ("job/list_by_duration", sorted()),
        ("job/list_of_all", members("null", "null")),
        ("audit/list_of_all", vec![none(), none(), none(), last(), Word("101")]),
        ("audit/list_of_target", vec![none(), none(), Word("'nightly'"), last(), Word("101")]),
    ]
}

/// The text of a statement with values in it. SQLite has one statement for members of any status.
fn filled(
    store: &str,
    name: &str,
    mark: char,
    values: impl ExactSizeIterator<Item = String> + DoubleEndedIterator,
) -> String {
    let queries = format!("{}/queries/{store}", env!("CARGO_MANIFEST_DIR"));
    let name = match (store, name) {
        ("sqlite", "job/list_ended_of_batch") => "job/list_of_batch",
        _ => name,
    };
    let mut sql = std::fs::read_to_string(format!("{queries}/{name}.sql")).expect("a statement");
    let is_code = |line: &&str| !line.trim_start().starts_with("--");
    sql = sql.lines().filter(is_code).collect::<Vec<_>>().join("\n");
    for (n, value) in values.enumerate().rev() {
        sql = sql.replace(&format!("{mark}{}", n + 1), &value);
    }
    sql
}
