use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use jobrunner_core::testkit::{
    PATIENCE,
    servers::{PrivatePostgres, PrivateRedis},
};

fn address(url: &str) -> String {
    let after = url.rsplit_once('@').map_or(url, |(_, after)| after);
    let after = after.trim_start_matches("redis://");
    after.split('/').next().expect("a part").to_owned()
}

fn answers(url: &str) -> bool {
    TcpStream::connect(address(url)).is_ok()
}

#[test]
fn a_private_postgres_goes_with_its_owner() {
    let mut postgres = PrivatePostgres::start();
    let (one, other) = (postgres.create_database(), postgres.create_database());
    assert_ne!(one, other);
    postgres.restart_immediately();
    assert!(answers(&one));
    postgres.stop();
    assert!(!answers(&one));
    postgres.start_again();
    assert!(answers(&one));
    drop(postgres);
    assert!(!answers(&one));
}

#[test]
fn a_private_redis_goes_with_its_owner() {
    let mut redis = PrivateRedis::start();
    let url = redis.url();
    redis.stop();
    assert!(!answers(&url));
    redis.start_again();
    assert!(answers(&url));
    drop(redis);
    assert!(!answers(&url));
}

/// The part of [`servers_end_with_a_test_that_is_killed`] that is killed.
#[test]
#[ignore = "runs as the child of another test"]
fn holds_a_redis_until_it_is_killed() {
    let redis = PrivateRedis::start();
    println!("\nurl={}", redis.url());
    std::io::stdout().flush().expect("a reader");
    loop {
        std::thread::park();
    }
}

#[test]
fn servers_end_with_a_test_that_is_killed() {
    let mut test = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "servers::holds_a_redis_until_it_is_killed", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program, once more");
    let lines = BufReader::new(test.stdout.take().expect("a pipe")).lines();
    let mut lines = lines.map(|line| line.expect("a line"));
    let url = lines.find_map(|line| line.strip_prefix("url=").map(str::to_owned));
    let url = url.expect("the URL");
    assert!(answers(&url));
    test.kill().expect("a process");
    test.wait().expect("its end");
    let killed = Instant::now();
    while answers(&url) {
        assert!(killed.elapsed() < PATIENCE, "the server goes on");
        std::thread::sleep(Duration::from_millis(10));
    }
}
