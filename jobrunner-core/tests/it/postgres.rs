use std::{fs, path::Path, sync::Arc};

use jobrunner_core::{
    store::postgres::{PostgresOptions, PostgresStore},
    store_conformance,
    testkit::{Fixture, spec},
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr};

async fn fresh_database() -> String {
    let server = std::env::var("JOBRUNNER_TEST_POSTGRES").expect("a server");
    let name = format!("test_{}", uuid::Uuid::new_v4().simple());
    let mut c = PgConnection::connect(&server).await.expect("a connection");
    c.execute(AssertSqlSafe(format!("create database {name}")).into_sql_str())
        .await
        .expect("created");
    server.replace("/postgres", &format!("/{name}"))
}

async fn postgres() -> Fixture {
    let url = fresh_database().await;
    PostgresStore::migrate(&url).await.expect("a schema");
    let store = PostgresStore::connect(&url, PostgresOptions::default()).await.expect("a store");
    Fixture::new(Arc::new(store), ())
}

store_conformance!(postgres);

/// Each file of queries/postgres is one statement that fits the schema.
#[tokio::test]
async fn every_statement_can_be_prepared() {
    let url = fresh_database().await;
    PostgresStore::migrate(&url).await.expect("a schema");
    let mut connection = PgConnection::connect(&url).await.expect("a connection");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/postgres");
    let mut prepared = 0;
    for area in fs::read_dir(root).expect("a directory") {
        for file in fs::read_dir(area.expect("an entry").path()).expect("a directory") {
            let path = file.expect("an entry").path();
            let sql = fs::read_to_string(&path).expect("a text");
            let statement = connection.prepare(AssertSqlSafe(sql).into_sql_str()).await;
            assert!(statement.is_ok(), "{}: {:?}", path.display(), statement.err());
            prepared += 1;
        }
    }
    assert!(prepared > 50, "only {prepared} statements were found");
}
