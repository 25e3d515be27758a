//! A client of the API that costs next to nothing: it shares the processors with what it measures.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(300);

/// One connection to a server, which is kept.
pub(crate) struct Wire {
    stream: TcpStream,
    address: SocketAddr,
    token: Option<String>,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Wire {
    pub(crate) fn connect(address: SocketAddr, token: Option<&str>) -> Self {
        Self {
            stream: open(address).expect("a server that listens"),
            address,
            token: token.map(str::to_owned),
            request: Vec::new(),
            answer: Vec::new(),
        }
    }

    /// Whether a server listens there.
    pub(crate) fn is_up(address: SocketAddr) -> bool {
        open(address).is_ok()
    }

    /// A JSON value that a path below `/api/v1` answers.
    pub(crate) fn get(&mut self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, "application/json", b"");
        assert_eq!(status, 200, "GET {path}: {}", String::from_utf8_lossy(body));
        serde_json::from_slice(body).expect("JSON")
    }

    /// Submits what is accepted, and returns what the server answers.
    pub(crate) fn submit(&mut self, path: &str, body: &[u8]) -> Value {
        let (status, answer) = self.send("POST", path, "application/json", body);
        assert_eq!(status, 202, "POST {path}: {}", String::from_utf8_lossy(answer));
        serde_json::from_slice(answer).expect("JSON")
    }

    /// A token for somebody.
    pub(crate) fn sign_in(&mut self, form: &str) -> String {
        let kind = "application/x-www-form-urlencoded";
        let (status, answer) = self.send("POST", "/auth/token", kind, form.as_bytes());
        assert_eq!(status, 200, "signing in: {}", String::from_utf8_lossy(answer));
        let answer: Value = serde_json::from_slice(answer).expect("JSON");
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    /// Sends a request and waits for the answer: its status and its body. A server may close a
    /// connection that was idle; then another one is opened.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> (u16, &[u8]) {
        self.request.clear();
        let length = body.len();
        // Writing into memory does not fail.
        write!(
            self.request,
            "{method} /api/v1{path} HTTP/1.1\r\nhost: bench\r\ncontent-type: {kind}\r\n\
             content-length: {length}\r\n"
        )
        .expect("memory");
        if let Some(token) = &self.token {
            write!(self.request, "authorization: Bearer {token}\r\n").expect("memory");
        }
        self.request.extend_from_slice(b"\r\n");
        self.request.extend_from_slice(body);
        if self.stream.write_all(&self.request).is_err() || !self.read_some() {
            self.stream = open(self.address).expect("a server that listens");
            self.stream.write_all(&self.request).expect("a server that reads");
            assert!(self.read_some(), "the server closed the connection");
        }
        self.read_rest()
    }

    /// The first bytes of an answer; `false` if the connection was closed.
    fn read_some(&mut self) -> bool {
        self.answer.clear();
        self.read_more().unwrap_or(0) > 0
    }

    fn read_more(&mut self) -> std::io::Result<usize> {
        let before = self.answer.len();
        self.answer.resize(before + (16 << 10), 0);
        let count = self.stream.read(&mut self.answer[before..]);
        self.answer.truncate(before + count.as_ref().copied().unwrap_or(0));
        count
    }

    fn read_rest(&mut self) -> (u16, &[u8]) {
        let head = loop {
            if let Some(place) = self.answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break place + 4;
            }
            assert!(self.read_more().expect("an answer") > 0, "an answer was cut off");
        };
        let text = std::str::from_utf8(&self.answer[..head]).expect("a head of text");
        let (status, length) = parse(text).expect("an answer whose length is known");
        while self.answer.len() < head + length {
            assert!(self.read_more().expect("an answer") > 0, "an answer was cut off");
        }
        (status, &self.answer[head..])
    }
}

fn open(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LIMIT))?;
    Ok(stream)
}

/// The status of an answer and the length of its body.
fn parse(head: &str) -> Option<(u16, usize)> {
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })?;
    Some((status, length))
}
