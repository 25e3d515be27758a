//! The plans of the statements that are carried out for every job or group of jobs. They are made
//! once for a connection, so they have to be right whatever the sizes of the tables will be.

use std::{collections::BTreeMap, str::FromStr};

use jobrunner_core::{
    store::postgres::{PostgresStore, settings_of_changes},
    testkit::servers::PrivatePostgres,
};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Executor, PgConnection, SqlSafeStr, postgres::PgConnectOptions,
};

use crate::statements;

/// Areas of the queries that consist of such statements, and single ones of others.
const HOT: [&str; 11] = [
    "claim",
    "lease",
    "submit",
    "count/add",
    "attempt/reported",
    "log/append",
    "log/attempt_of",
    "log/trim",
    "session/renew",
    "turn",
    "batch/finish",
];

/// Tables that grow with the number of jobs.
const LARGE: [&str; 8] =
    ["job", "ready", "deferred", "lease", "attempt", "ended", "log_chunk", "batch_count"];

/// Rows in every large table, of one lane and owner: the worst case for a plan that reads too much.
fn filled(rows: usize) -> String {
    let id = "('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid";
    let all = format!("from generate_series(1, {rows}) n");
    let owner = "'00000000-0000-7000-8000-000000000000'::uuid";
    format!(
        "set synchronous_commit = off;
         truncate jobrunner.job, jobrunner.ready, jobrunner.ended, jobrunner.attempt, jobrunner.lease;
         insert into jobrunner.queue (name) values ('default') on conflict do nothing;
         insert into jobrunner.lane (queue, owner_id) values ('default', {owner}) on conflict do nothing;
         insert into jobrunner.job (id, owner_id, batch_id, lane_id, spec, name, priority, max_attempts, created_at)
         select {id}, {owner}, {owner}, 1, '{{}}', 'a', 5, 1, now() {all};
         insert into jobrunner.ready (lane_id, prio, job_id, attempts, losses) select 1, 5, {id}, 0, 0 {all};
         insert into jobrunner.ended (job_id, owner_id, batch_id, status, finished_at)
         select {id}, {owner}, {owner}, 2, now() {all};
         insert into jobrunner.lease (job_id, token, session_id, owner_id, batch_id, lane_id, prio, attempts,
                                      losses, claimed_at, started_at)
         select {id}, n, {owner}, {owner}, {owner}, 1, 5, 1, 0, now(), now() {all} limit 1000;"
    )
}

/// The statements by their names.
fn statements() -> BTreeMap<String, String> {
    let mut statements = statements::of("postgres");
    statements.retain(|name, _| HOT.iter().any(|hot| name.starts_with(hot)));
    statements
}

/// How many parameters a statement has.
fn parameters(sql: &str) -> usize {
    let numbers = sql.split('$').skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    });
    numbers.max().unwrap_or(0)
}

/// The plans as they are made now, by statement.
async fn plans(url: &str) -> BTreeMap<String, String> {
    let options = PgConnectOptions::from_str(url).expect("a URL");
    let options = options.options(settings_of_changes().iter().copied());
    let mut connection: PgConnection = options.connect().await.expect("a connection");
    let mut plans = BTreeMap::new();
    for (number, (name, sql)) in statements().into_iter().enumerate() {
        let nulls = vec!["null"; parameters(&sql)].join(", ");
        let arguments = if nulls.is_empty() { nulls } else { format!("({nulls})") };
        let prepare = AssertSqlSafe(format!("prepare hot{number} as {sql}")).into_sql_str();
        connection.execute(sqlx::raw_sql(prepare)).await.expect(&name);
        let explain = AssertSqlSafe(format!("explain execute hot{number}{arguments}"));
        let lines: Vec<String> = sqlx::query_scalar(explain.into_sql_str())
            .fetch_all(&mut connection)
            .await
            .expect(&name);
        plans.insert(name, lines.join("\n"));
    }
    plans
}

/// What a plan does that takes longer the more jobs there are.
fn flaw<'a>(statement: &str, plan: &'a str) -> Option<&'a str> {
    // There are about as many leases as slots, and these look for those of a session, of owners or
    // of nobody.
    const OF_ALL_LEASES: [&str; 6] = [
        "lease/orphans",
        "lease/of_session",
        "claim/running",
        "claim/promote",
        "claim/owners",
        "claim/suspect",
    ];
    let reads_leases = OF_ALL_LEASES.iter().any(|name| statement.starts_with(name));
    let is_meant = |table: &str| reads_leases && table == "lease";
    let reads_all = |line: &str| {
        let mut tables = LARGE.iter().filter(|table| !is_meant(table));
        tables.any(|table| line.contains(&format!("Seq Scan on {table} ")))
    };
    plan.lines()
        .find(|line| reads_all(line) || line.contains("Hash Join") || line.contains("Merge Join"))
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_plans_are_right_whatever_the_size_of_the_tables() {
    let url = PrivatePostgres::shared().create_database();
    PostgresStore::migrate(&url).await.expect("a schema");
    let options = PgConnectOptions::from_str(&url).expect("a URL");
    let mut connection = options.connect().await.expect("a connection");
    for rows in [10, 1_000_000] {
        let fill = AssertSqlSafe(filled(rows)).into_sql_str();
        connection.execute(sqlx::raw_sql(fill)).await.expect("filled");
        for analyzed in [false, true] {
            if analyzed {
                connection.execute("analyze").await.expect("analyzed");
            }
            let plans = plans(&url).await;
            assert!(plans.len() > 20, "only {} statements were found", plans.len());
            for (name, plan) in plans {
                let flaw = flaw(&name, &plan);
                assert!(
                    flaw.is_none(),
                    "{name}, {rows} rows, analyzed: {analyzed}: {}\n{plan}",
                    flaw.unwrap_or_default()
                );
            }
        }
    }
}
