//! Many clients at a time, of whom most want nothing good.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
};

use serde_json::Value;

use crate::service::{Service, until};

/// Whether the other end has closed a connection.
fn is_closed(mut connection: &TcpStream) -> bool {
    connection.set_nonblocking(true).expect("a socket");
    match connection.read(&mut [0; 64]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

#[tokio::test]
async fn half_sent_requests_keep_nobody_out_and_no_job_from_its_descriptors() {
    let directory = tempfile::tempdir().expect("a directory");
    let service = Service::start_within(directory.path(), 2, 256).await;
    let openings: [&[u8]; 4] = [
        b"",
        b"GET /api/v1/health HTTP/1.1\r\nHost: here\r\nX-Half",
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: here\r\n",
        b"PRI * HTTP/2.0\r\n",
    ];
    let mut half = Vec::new();
    for opening in openings.iter().cycle().take(400) {
        let mut connection = TcpStream::connect(service.address()).expect("it listens");
        // One that was closed for a later one cannot be written to.
        let _ = connection.write_all(opening);
        half.push(connection);
    }
    let health = reqwest::get(format!("{}/api/v1/health", service.url)).await.expect("an answer");
    assert_eq!(health.status(), 200);
    let job = service.job("speaks", &["echo", "a"], Value::Null).await;
    assert_eq!(service.ended(&format!("/jobs/{job}")).await["status"], "passed");
    until("the oldest to be closed", || half.iter().filter(|it| is_closed(it)).count() > 200).await;
    assert!(!is_closed(half.last().expect("many")), "the last ones have their half minute");
}
