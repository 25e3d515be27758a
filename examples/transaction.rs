//! Jobs that are stored if and when your own transaction commits, beside what it is about.
//!
//! `DATABASE_URL=postgres://… cargo run -p jobrunner-examples --example transaction`

#![expect(clippy::print_stdout, reason = "an example shows what it did")]

use std::sync::Arc;

use jobrunner_core::{
    Error, JobId, JobSpec, NewJob, Queue, Result,
    config::Settings,
    connect::Backends,
    job::Rules,
    queue::{Hint, PostgresQueue},
    store::postgres::{PostgresOptions, PostgresStore},
};
use jobrunner_worker::Runner;
use sqlx::{Connection, PgConnection};

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL").map_err(|_| "name a database by DATABASE_URL")?;
    let orders = take_orders(&url).await?;
    println!("two orders were taken, of which {orders} was kept and its job has passed");
    Ok(())
}

/// Takes an order that is given up again and one that is kept, each with a job, and waits for the
/// job. Answers how many orders there are then.
async fn take_orders(url: &str) -> std::result::Result<i64, Box<dyn std::error::Error>> {
    PostgresStore::migrate(url).await?;
    let store = PostgresStore::connect(url, PostgresOptions::default()).await?;
    let queue = Arc::new(PostgresQueue::connect(url, None).await?);
    let secret = "a secret that signs tokens and has 32 bytes or more";
    let settings = Settings { jwt_secret: Some(secret.into()), ..Settings::default() };
    let backends = Backends { store: Arc::new(store.clone()), queue: Arc::clone(&queue) as _ };
    let runner = Runner::over(backends).settings(settings).slots(1).start().await?;
    let owner = runner.caller().id;

    let mut own = PgConnection::connect(url).await?;
    sqlx::query("create temporary table orders (number int, job uuid)").execute(&mut own).await?;

    let mut given_up = own.begin().await?;
    let spec = checked("print invoice 1")?;
    let never = store.submit_in(&mut given_up, owner, spec).await?;
    take_order(&mut given_up, 1, never).await?;
    given_up.rollback().await?;

    let mut kept = own.begin().await?;
    let spec = checked("print invoice 2")?;
    let job = store.submit_in(&mut kept, owner, spec.clone()).await?;
    take_order(&mut kept, 2, job).await?;
    kept.commit().await?;
    // Workers find it by themselves within half a second; now they look at once.
    queue.offer(&[Hint::job(job, owner, &spec)]).await;

    runner.wait_for_job(job).await?;
    let gone = runner.service().job(runner.caller(), never).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "it was never stored");
    runner.stop().await?;
    Ok(sqlx::query_scalar("select count(*) from orders").fetch_one(&mut own).await?)
}

/// A job as it is stored: checked by the same rules as those that callers submit.
fn checked(name: &str) -> Result<JobSpec> {
    let command = vec!["true".to_owned()];
    let job = NewJob { name: name.to_owned(), command, ..NewJob::default() };
    Rules::default().check(job).map_err(Error::Invalid)
}

async fn take_order(
    connection: &mut PgConnection,
    number: i32,
    job: JobId,
) -> std::result::Result<(), sqlx::Error> {
    let order = sqlx::query("insert into orders values ($1, $2)").bind(number).bind(job.as_uuid());
    order.execute(connection).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use jobrunner_core::testkit::servers::PrivatePostgres;

    use super::*;

    #[tokio::test]
    async fn a_job_is_there_if_its_order_is() {
        let url = PrivatePostgres::shared().create_database();
        assert_eq!(take_orders(&url).await.expect("orders"), 1);
    }
}
