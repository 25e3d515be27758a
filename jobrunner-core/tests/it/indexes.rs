//! Every index earns what it costs by a statement that uses it.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use jobrunner_core::{
    store::{
        postgres::{PostgresStore, settings_of_changes},
        sqlite::SqliteStore,
    },
    testkit::servers::PrivatePostgres,
};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, SqlSafeStr,
    SqliteConnection, postgres::PgConnectOptions,
};

use crate::statements;

/// Each index of Postgres, a statement that uses it, and arguments with which it does.
const OF_POSTGRES: &[(&str, &str, &str)] = &[
    ("account_email_key", "account/columns + account/by_email", "'a'"),
    ("account_pkey", "account/columns + account/get", OWNER),
    ("active_of_lane", "turn/forget", "array[1]"),
    ("active_of_owner", "claim/heads", "array[{owner}], array[]::text[], 'a', 8, 10"),
    ("attempt_pkey", "attempt/list", JOB),
    ("audit_event_of_action", "audit/columns + audit/list_of_action", "{last}, 10, 'sign_in'"),
    ("audit_event_of_actor", "audit/columns + audit/list_of_actor", "{last}, 10, {owner}, null"),
    (
        "audit_event_of_target",
        "audit/columns + audit/list_of_target",
        "{last}, 10, 'a', null, null",
    ),
    ("audit_event_pkey", "audit/columns + audit/list_of_all", "{last}, 10"),
    ("batch_count_pkey", "count/columns + count/of_batch", BATCH),
    (
        "batch_of_name",
        "batch/list_of_name + batch/columns",
        "{last}, 10, 'a', null, null, null, null",
    ),
    ("batch_of_owner", "batch/list + batch/columns", "{last}, 10, null, null, {owner}, null, null"),
    (
        "batch_of_project",
        "batch/list_shared + batch/columns",
        "{last}, 10, null, null, null, {projects}, {owner}",
    ),
    ("batch_open", "batch/open", "'00000000-0000-0000-0000-000000000000'"),
    ("batch_pkey", "batch/get + batch/columns", "{batch}, null, null, null"),
    ("deferred_alone", "claim/suspect", "{owner}, array[]::text[]"),
    ("deferred_job_id_key", "cancel/pass", "{job}, 4"),
    ("deferred_pkey", "claim/promote", OWNER),
    ("delivery_batch_id_subscription_id_kind_key", "delivery/of_failures", "array[{job}]"),
    ("delivery_due", "delivery/due", "now(), 2, 100, array[]::uuid[]"),
    ("delivery_of_subscription", "delivery/columns + delivery/list", "{last}, 10, {owner}"),
    ("delivery_pkey", "delivery/columns + delivery/get", JOB),
    (
        "ended_of_batch",
        "list/ended + job/columns",
        "{last}, 10, null, null, null, {batch}, null, null, 3, null",
    ),
    (
        "ended_of_owner",
        "list/ended + job/columns",
        "{last}, 10, null, null, {owner}, null, null, null, 3, null",
    ),
    (
        "ended_of_project",
        "list/ended_shared + job/columns",
        "{last}, 10, null, null, null, null, {projects}, {owner}, 3, null",
    ),
    (
        "ended_otherwise",
        "list/ended + job/columns",
        "{last}, 10, null, null, null, null, null, null, 3, null",
    ),
    ("ended_pkey", "job/get + job/columns", "{job}, null, null, null"),
    ("ended_sign_in_by_expiry", "account/forget_sign_ins", ""),
    ("ended_sign_in_pkey", "account/columns + account/signed_in", "{owner}, {job}, 0"),
    ("cause_pkey", "verdict/stored + verdict/details", "1, 3, -1, 10, 1"),
    ("host_name_key", "lease/end", NO_ENDS),
    ("host_pkey", "test/outcomes + test/columns", "array[5], array[10, 11], 0"),
    ("idempotency_pkey", "job/idempotent", "{owner}, 'a'"),
    ("job_case_pkey", "case/list", "-1, 10, {job}, null, null, null"),
    (
        "job_of_batch",
        "list/newest + job/columns",
        "{last}, 10, null, null, null, {batch}, null, null",
    ),
    (
        "job_of_owner",
        "list/newest + job/columns",
        "{last}, 10, null, null, {owner}, null, null, null",
    ),
    (
        "job_of_project",
        "list/newest_shared + job/columns",
        "{last}, 10, null, null, null, null, {projects}, {owner}",
    ),
    ("job_pkey", "job/get + job/columns", "{job}, null, null, null"),
    ("kept_sign_in_by_expiry", "account/forget_kept", ""),
    ("kept_sign_in_pkey", "account/keep_sign_in", "{job}, {owner}, 1, now()"),
    ("known_issue_of_owner", "known_issue/count", "null, {owner}"),
    ("known_issue_of_project", "known_issue/count", "'p7', {owner}"),
    ("known_issue_pkey", "known_issue/columns + known_issue/get", "{job}, null, null, null"),
    ("lane_pkey", "claim/columns + claim/claimable", "1, 1, {job}"),
    ("lane_queue_owner_id_key", "job/lanes", "array['a'], {owner}"),
    ("lease_alone", "claim/session", OWNER),
    ("lease_pkey", "job/get + job/columns", "{job}, null, null, null"),
    ("log_chunk_pkey", "log/read", "{job}, 1, 1, 0"),
    ("log_gap_pkey", "log/stream", "{job}, 1, 1"),
    ("migration_pkey", "", ""),
    ("notable_pkey", "verdict/stored + verdict/details", "1, 3, -1, 10, 1"),
    ("owner_count_pkey", "count/columns + count/of_owner", OWNER),
    ("personal_token_digest_key", "token/columns + token/by_digest", "'x'"),
    ("personal_token_of_owner", "token/columns + token/list_of_owner", "{last}, 10, {owner}"),
    ("personal_token_pkey", "token/columns + token/get", JOB),
    ("project_member_of_user", "project/memberships", OWNER),
    ("project_member_pkey", "project/members", "'p7', '00000000-0000-0000-0000-000000000000', 10"),
    ("project_pkey", "project/columns + project/get", "'p7'"),
    ("queue_pkey", "queue/update", "'a', null, null"),
    ("ready_pkey", "claim/proposed", "array[{job}], 'a'"),
    ("refreshed_sign_in_by_expiry", "account/forget_refreshed", ""),
    ("refreshed_sign_in_pkey", "account/use_refresh_token", "{job}, 0, now()"),
    ("result_of_run", "verdict/notable", "150, 0, array[148, 149], 0"),
    ("result_of_test", "verdict/notable", "150, 0, array[148, 149], 0"),
    ("run_batch_id_key", "run/of_batch", BATCH),
    ("run_of_branch", "run/before", "1, 'b0', 20, 15000"),
    ("run_of_series", "run/list + run/columns", "7, 100000, 1000, null, true"),
    ("run_pkey", "run/day", "7"),
    ("series_id_key", "series/get + series/columns", "{job}, null, null, null"),
    ("series_of_owner", "series/use", "{job}, {owner}, 'a', now(), null"),
    ("series_of_project", "series/use_of_project", "{job}, {owner}, 'a', now(), 'p7'"),
    ("series_pkey", "run/of_batch", BATCH),
    ("session_pkey", "session/renew", OWNER),
    ("test_pkey", "verdict/stored + verdict/details", "1, 3, -1, 10, 1"),
    (
        "subscription_of_owner",
        "subscription/columns + subscription/list_of_owner",
        "{last}, 10, {owner}",
    ),
    ("delivery_gathered", "subscription/ended_windows", "now()"),
    ("subscription_of_project", "delivery/of_end", BATCH),
    ("subscription_pkey", "subscription/columns + subscription/get", "{job}, null, null, null"),
    ("turn_pkey", "claim/spend", "array[{owner}], array[1]"),
    ("worker_host_pkey", "attempt/list", JOB),
];

/// No ends of attempts: 19 columns of them, and 8 of results.
const NO_ENDS: &str = "'{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', \
                       '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', \
                       '{}', '{}', '{}'";

const JOB: &str = "{job}";
const BATCH: &str = "{batch}";
const OWNER: &str = "{owner}";

/// 20,000 jobs of 50 owners in 20 batches and none, nearly all of which passed.
const FILL: &str = "
    insert into jobrunner.queue (name) select 'q' || n from generate_series(1, 500) n;
    insert into jobrunner.lane (queue, owner_id)
    select 'q' || q, owner(n) from generate_series(0, 49) n, generate_series(1, 20) q;
    insert into jobrunner.job (id, owner_id, batch_id, lane_id, spec, name, priority, max_attempts, created_at,
                               project)
    select id(n), owner(n), case when n % 2 = 0 then batch(n) end, 1 + n % 1000, '{}', 'a', 5, 1, now(),
           case when n % 3 = 0 then 'p' || n % 50 end
    from generate_series(1, 20000) n;
    insert into jobrunner.ended (job_id, owner_id, batch_id, status, finished_at, project)
    select id, owner_id, batch_id, case when random() < 0.01 then 3 else 2 end, now(), project from jobrunner.job
    where id < id(19000);
    insert into jobrunner.attempt (job_id, attempt, token, worker_id, started_at, finished_at, status, duration_ms,
                                   stdout_bytes, stderr_bytes, truncated)
    select job_id, 1, 1, owner_id, now(), now(), status, 1, 0, 0, false from jobrunner.ended;
    insert into jobrunner.log_chunk select job_id, 1, 1, 0, '', null from jobrunner.ended;
    insert into jobrunner.log_gap select job_id, 1, 1, 0 from jobrunner.ended;
    insert into jobrunner.job_case select job_id, 1, 0, 1, 2, false, 'c', 'n', null, null from jobrunner.ended;
    insert into jobrunner.lease (job_id, token, session_id, owner_id, batch_id, lane_id, prio, attempts, losses,
                                 claimed_at, started_at)
    select id, 1, owner_id, owner_id, batch_id, lane_id, 5, 1, 0, now(), now() from jobrunner.job
    where id >= id(19000) and id < id(19100);
    insert into jobrunner.ready (lane_id, prio, job_id, attempts, losses)
    select lane_id, 5, id, 0, 0 from jobrunner.job where id >= id(19100) and id < id(19900);
    insert into jobrunner.deferred (run_at, job_id, attempts, losses)
    select now() + n * interval '1 second', id(n), 0, 0 from generate_series(19900, 20000) n;
    insert into jobrunner.batch (id, owner_id, name, payload, created_at, finished_at, project)
    select id(n), owner(n), 'n' || n, '{}', now(), case when n % 50 > 0 then now() end,
           case when n % 3 = 0 then 'p' || n % 50 end
    from generate_series(1, 20000) n;
    insert into jobrunner.batch_count select id, 1, 0, 0, 1, 0, 0, 0 from jobrunner.batch;
    insert into jobrunner.owner_count select id(n), 1, 0, 0, 1, 0, 0 from generate_series(1, 20000) n;
    insert into jobrunner.account (id, email, password_hash, role, is_active, created_at)
    select id(n), 'n' || n, '', 'viewer', true, now() from generate_series(1, 20000) n;
    insert into jobrunner.audit_event (id, created_at, actor_id, action, target_id, details)
    select id(n), now(), owner(n), 'a' || n % 50, 't' || n % 500, '{}' from generate_series(1, 20000) n;
    insert into jobrunner.ended_sign_in select id(n), now() + n * interval '1 second'
    from generate_series(1, 20000) n;
    insert into jobrunner.refreshed_sign_in select id(n), 1, now() + n * interval '1 second'
    from generate_series(1, 20000) n;
    insert into jobrunner.kept_sign_in select id(n), owner(n), 1, now() + n * interval '1 second'
    from generate_series(1, 20000) n;
    insert into jobrunner.project (name, created_at) select 'p' || n, now() from generate_series(1, 20000) n;
    insert into jobrunner.project_member select 'p' || n, owner(n), 'viewer', now() from generate_series(1, 20000) n;
    insert into jobrunner.personal_token select id(n), owner(n), 'n', '[]', int8send(n), now(), null, null, null
    from generate_series(1, 20000) n;
    insert into jobrunner.subscription (id, owner_id, name, kinds, channel, is_enabled, created_at, project)
    select id(n), owner(n), 'n', '[]', '{}', true, now(), 'p' || n
    from generate_series(1, 2000) n;
    insert into jobrunner.delivery (id, subscription_id, kind, batch_id, batch_name, created_at, due_at, state)
    select id(n), id(1 + n % 2000), 'failed', id(n), 'n', now(), now(), n % 4
    from generate_series(1, 20000) n;
    insert into jobrunner.idempotency select owner(n), 'k' || n, '', id(n), now() from generate_series(1, 20000) n;
    insert into jobrunner.session (id, host, pid, slots, queues, ttl, started_at, seen_at, expires_at)
    select id(n), 'h', 1, 1, '[]', interval '1 second', now(), now(), now() from generate_series(1, 2000) n;
    insert into jobrunner.series (id, owner_id, name, created_at)
    select id(n), owner(n), 's' || n, now() from generate_series(1, 2000) n;
    insert into jobrunner.run (batch_id, series_no, branch, gate, created_at, day)
    select id(n), 1 + n % 50, 'b' || n % 40, 'failed', now(), 0 from generate_series(1, 20000) n;
    insert into jobrunner.test (series_no, no, name) select 1 + n % 50, n, 'a' from generate_series(1, 20000) n;
    insert into jobrunner.cause (no) select n from generate_series(1, 20000) n;
    insert into jobrunner.host (name) select 'h' || n from generate_series(1, 2000) n;
    insert into jobrunner.result select n % 200, n / 200, 0, id(n), 0, 5, 1, 0, 1
    from generate_series(1, 100000) n;
    insert into jobrunner.notable select n / 100, n % 9, n, n, id(n), null, 1, null, n, null
    from generate_series(1, 20000) n;
    insert into jobrunner.known_issue (id, owner_id, project, title, test, effect, created_at, expires_at)
    select id(n), owner(n), case when n % 2 = 0 then 'p' || n % 50 end, 't', '*', 'mute', now(), now()
    from generate_series(1, 20000) n;
    insert into jobrunner.worker_host select id(n), 'h' from generate_series(1, 20000) n;
    analyze;";

/// What the ids in it are made by.
const FUNCTIONS: &str = "
    create function id(n bigint) returns uuid language sql immutable
        return ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid;
    create function owner(n bigint) returns uuid language sql immutable
        return ('00000000-0000-7000-9000-' || lpad((n % 50)::text, 12, '0'))::uuid;
    create function batch(n bigint) returns uuid language sql immutable
        return ('00000000-0000-7000-8000-' || lpad((1 + n / 1000)::text, 12, '0'))::uuid;";

/// The plan of a statement with these arguments.
async fn plan(connection: &mut PgConnection, sql: &str, arguments: &str) -> String {
    let arguments = arguments
        .replace(JOB, "id(9000)")
        .replace(OWNER, "owner(7)")
        .replace(BATCH, "batch(9000)")
        .replace("{projects}", "array['p7', 'p8']")
        .replace("{last}", "'ffffffff-ffff-ffff-ffff-ffffffffffff'");
    let arguments = if arguments.is_empty() { arguments } else { format!("({arguments})") };
    let prepare = AssertSqlSafe(format!("prepare looked_at as {sql}")).into_sql_str();
    connection.execute(sqlx::raw_sql(prepare)).await.expect(sql);
    let explain = AssertSqlSafe(format!("explain execute looked_at{arguments}")).into_sql_str();
    let lines: Vec<String> =
        sqlx::query_scalar(explain).fetch_all(&mut *connection).await.expect(sql);
    connection.execute("deallocate looked_at").await.expect("forgotten");
    lines.join("\n") + "\n"
}

/// Indexes of tables that are partitioned, and what the partition that is filled calls them.
const OF_PARTITIONS: &[(&str, &str)] = &[
    ("result_of_run", "result_other_run_no_idx"),
    ("result_of_test", "result_other_test_no_run_no_idx"),
];

/// Whether a plan reads an index, or asks it whether a row is there that is inserted.
fn uses(plan: &str, index: &str) -> bool {
    let of_partition = OF_PARTITIONS.iter().find(|(of_all, _)| *of_all == index);
    let index = of_partition.map_or(index, |(_, own)| own);
    let ways =
        [format!(" {index} "), format!("on {index}\n"), format!("Arbiter Indexes: {index}\n")];
    ways.iter().any(|way| plan.contains(way))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_index_of_postgres_is_used_by_a_statement() {
    let url = PrivatePostgres::shared().create_database();
    PostgresStore::migrate(&url).await.expect("a schema");
    let options = PgConnectOptions::from_str(&url).expect("a URL");
    let mut of_lists = options
        .clone()
        .options([("plan_cache_mode", "force_custom_plan")])
        .connect()
        .await
        .expect("a connection");
    let mut of_changes = options
        .options(settings_of_changes().iter().copied())
        .connect()
        .await
        .expect("a connection");
    for sql in [FUNCTIONS, FILL] {
        of_lists.execute(sqlx::raw_sql(sql)).await.expect("filled");
    }
    let statements = statements::of("postgres");
    let mut unused = Vec::new();
    for (index, name, arguments) in OF_POSTGRES.iter().filter(|(_, name, _)| !name.is_empty()) {
        let listed = plan(&mut of_lists, &statements[*name], arguments).await;
        let changed = plan(&mut of_changes, &statements[*name], arguments).await;
        if !uses(&listed, index) && !uses(&changed, index) {
            unused.push(format!("{index} by {name}:\n{listed}\n{changed}"));
        }
    }
    assert!(unused.is_empty(), "{}", unused.join("\n\n"));
    let found: Vec<String> = sqlx::query_scalar(
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'jobrunner' and c.relkind in ('i', 'I') and not c.relispartition",
    )
    .fetch_all(&mut of_lists)
    .await
    .expect("a list");
    let listed: BTreeSet<&str> = OF_POSTGRES.iter().map(|(index, ..)| *index).collect();
    assert_eq!(found.iter().map(String::as_str).collect::<BTreeSet<_>>(), listed);
}

/// Each index of SQLite and a statement that uses it.
const OF_SQLITE: &[(&str, &str)] = &[
    ("account_email", "account/columns + account/by_email"),
    ("account_id", "account/columns + account/get"),
    ("active_of_owner", "claim/lanes"),
    ("audit_event_of_action", "audit/columns + audit/list_of_action"),
    ("audit_event_of_actor", "audit/columns + audit/list_of_actor"),
    ("audit_event_of_target", "audit/columns + audit/list_of_target"),
    ("batch_id", "batch/get + batch/columns"),
    ("batch_of_name", "batch/list_of_name + batch/columns"),
    ("batch_of_owner", "batch/list_of_owner + batch/columns"),
    ("batch_of_project", "batch/list_shared + batch/columns"),
    ("deferred_alone", "claim/suspect"),
    ("deferred_job_id", "claim/promote"),
    ("delivery_due", "delivery/due"),
    ("delivery_of_subscription", "delivery/columns + delivery/list"),
    ("delivery_batch_id_subscription_id_kind", "delivery/of_failures"),
    ("subscription_of_owner", "subscription/columns + subscription/list_of_owner"),
    ("subscription_of_project", "delivery/of_end"),
    ("delivery_gathered", "subscription/ended_windows"),
    ("ended_sign_in_by_expiry", "account/forget_sign_ins"),
    ("host_name", "result/insert"),
    ("job_id", "job/get + job/columns"),
    ("job_of_all", "list/of_all + list/ended + job/columns"),
    ("job_of_batch", "list/of_batch + list/ended + job/columns"),
    ("job_of_owner", "list/of_owner + list/ended + job/columns"),
    ("job_of_project", "list/shared + job/columns"),
    ("kept_sign_in_by_expiry", "account/forget_kept"),
    ("known_issue_of_owner", "known_issue/count"),
    ("known_issue_of_project", "known_issue/count"),
    ("lane_queue_owner_id", "job/insert"),
    ("lease_alone", "claim/session"),
    ("lease_job_id", "job/get + job/columns"),
    ("log_chunk_key", "log/read"),
    ("personal_token_digest", "token/columns + token/by_digest"),
    ("personal_token_of_owner", "token/columns + token/list_of_owner"),
    ("project_member_of_user", "project/memberships"),
    ("refreshed_sign_in_by_expiry", "account/forget_refreshed"),
    ("result_of_run", "verdict/notable"),
    ("result_of_test", "verdict/notable"),
    ("run_batch_id", "run/of_batch"),
    ("run_of_branch", "run/before"),
    ("run_of_series", "run/list + run/columns"),
    ("series_of_owner", "series/use"),
    ("series_of_project", "series/use_of_project"),
    ("series_id", "series/get + series/columns"),
    ("session_id", "session/renew"),
];

#[tokio::test]
async fn every_index_of_sqlite_is_used_by_a_statement() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("test.sqlite3");
    drop(SqliteStore::open(&path).await.expect("a store"));
    let url = format!("sqlite://{}", path.display());
    let mut connection = SqliteConnection::connect(&url).await.expect("a connection");
    // The columns of each index; those of a primary key or a constraint have no name of their own.
    let columns = "select m.name, m.tbl_name, group_concat(i.name, '_')
                   from sqlite_master m, pragma_index_info(m.name) i
                   where m.type = 'index' and m.tbl_name not like 'jobrunner_%'
                     and exists (select 1 from pragma_index_list(m.tbl_name) l
                                 where l.name = m.name and (l.origin <> 'pk' or m.sql is null))
                   group by m.name";
    let rows: Vec<(String, String, String)> =
        sqlx::query_as(columns).fetch_all(&mut connection).await.expect("indexes");
    let name = |(index, table, columns): (String, String, String)| {
        let own =
            if index.starts_with("sqlite_") { format!("{table}_{columns}") } else { index.clone() };
        (own, index)
    };
    let found: BTreeMap<String, String> = rows.into_iter().map(name).collect();
    let statements = statements::of("sqlite");
    for (own, name) in OF_SQLITE {
        let index = found.get(*own).unwrap_or_else(|| panic!("there is no {own}: {found:?}"));
        // What an insert finds a conflict by stands in no plan.
        if name.starts_with("series/use") {
            continue;
        }
        let explain = AssertSqlSafe(format!("explain query plan {}", statements[*name]));
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(explain.into_sql_str()).fetch_all(&mut connection).await.expect(name);
        let is_used = plan.iter().any(|(.., step)| step.contains(&format!("INDEX {index} ")));
        assert!(is_used, "{own} by {name}: {plan:#?}");
    }
    let listed: BTreeSet<&str> = OF_SQLITE.iter().map(|(own, _)| *own).collect();
    assert_eq!(found.keys().map(String::as_str).collect::<BTreeSet<_>>(), listed);
}
