//! What the databases can do at best: rows with nothing but a key.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tokio::runtime::Runtime;

/// The time for so many rows of this text in one transaction.
pub(crate) fn postgres_rows(url: &str, rows: usize, text: &str) -> Duration {
    runtime().block_on(async {
        let mut connection = postgres_table(url).await;
        let started = Instant::now();
        sqlx::query("insert into bare select gen_random_uuid(), $2 from generate_series(1, $1)")
            .bind(i64::try_from(rows).expect("few"))
            .bind(text)
            .execute(&mut connection)
            .await
            .expect("rows");
        let took = started.elapsed();
        connection.execute("drop table bare").await.expect("dropped");
        took
    })
}

/// How many rows of this text a second one connection stores in transactions of so many.
pub(crate) fn postgres_groups(url: &str, group: usize, text: &str) -> f64 {
    const GROUPS: usize = 100;
    runtime().block_on(async {
        let mut connection = postgres_table(url).await;
        let started = Instant::now();
        for _ in 0..GROUPS {
            let insert =
                "insert into bare select gen_random_uuid(), $2 from generate_series(1, $1)";
            sqlx::query(insert)
                .bind(i64::try_from(group).expect("few"))
                .bind(text)
                .execute(&mut connection)
                .await
                .expect("rows");
        }
        let took = started.elapsed();
        connection.execute("drop table bare").await.expect("dropped");
        (GROUPS * group) as f64 / took.as_secs_f64()
    })
}

async fn postgres_table(url: &str) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    connection.execute("create table bare (id uuid primary key, spec text)").await.expect("made");
    connection
}

/// As [`postgres_rows`], in a file of its own.
pub(crate) fn sqlite_rows(directory: &Path, rows: usize, text: &str) -> Duration {
    runtime().block_on(async {
        let url = format!("sqlite://{}?mode=rwc", directory.join("bare.sqlite3").display());
        let mut connection = SqliteConnection::connect(&url).await.expect("a connection");
        for statement in [
            "pragma journal_mode = wal",
            "pragma synchronous = full",
            "drop table if exists bare",
            "create table bare (id blob primary key, spec text)",
        ] {
            connection.execute(statement).await.expect("a table");
        }
        let started = Instant::now();
        sqlx::query(
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < ?1)
             insert into bare select printf('%016d', i), ?2 from n",
        )
        .bind(i64::try_from(rows).expect("few"))
        .bind(text)
        .execute(&mut connection)
        .await
        .expect("rows");
        started.elapsed()
    })
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}
