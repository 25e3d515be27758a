//! A real server that takes messages.

use std::sync::{Arc, Mutex};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jobrunner_core::testkit::wait_until;
use serde_json::Value;
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify as Gate,
    task::{JoinHandle, JoinSet},
};

use super::SECRET;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    head: String,
    body: Vec<u8>,
}

impl Arrived {
    pub(super) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().unwrap_or_else(|| panic!("no {name} in {}", self.head)).1
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// Verified as Standard Webhooks tells receivers to.
    pub(super) fn verified(&self) -> Value {
        let key = STANDARD.decode(&SECRET[6..]).expect("a key");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        for part in [self.header("webhook-id"), ".", self.header("webhook-timestamp"), "."] {
            mac.update(part.as_bytes());
        }
        mac.update(&self.body);
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        assert_eq!(self.header("webhook-signature"), signature);
        self.json()
    }
}

/// A server that answers as it is told, request after request; the last answer goes on.
pub(super) struct Sink {
    pub(super) url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    /// What "wait" waits for.
    pub(super) gate: Arc<Gate>,
    serving: JoinHandle<()>,
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Sink {
    pub(super) async fn start(answers: &'static [&'static str]) -> Self {
        Self::start_at("127.0.0.1:0", answers).await
    }

    pub(super) async fn start_at(address: &str, answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let (arrived, gate) = (Arc::<Mutex<Vec<Arrived>>>::default(), Arc::<Gate>::default());
        let (all, opened) = (Arc::clone(&arrived), Arc::clone(&gate));
        let serving = tokio::spawn(async move {
            // Connections end with it.
            let mut answering = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                answering.spawn(answer(stream, Arc::clone(&all), answers, Arc::clone(&opened)));
            }
        });
        Self { url, arrived, gate, serving }
    }

    /// Ends it with all of its connections; its port is free then.
    pub(super) async fn end(mut self) {
        self.serving.abort();
        let ended = (&mut self.serving).await;
        assert!(ended.expect_err("it serves until then").is_cancelled());
    }

    pub(super) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().expect("no panic").clone()
    }

    pub(super) async fn has(&self, number: usize) -> Vec<Arrived> {
        wait_until("messages arrive", async || (self.arrived().len() >= number).then_some(()))
            .await;
        self.arrived()
    }
}

async fn answer(
    mut stream: TcpStream,
    all: Arc<Mutex<Vec<Arrived>>>,
    answers: &[&str],
    gate: Arc<Gate>,
) {
    let Some(request) = read(&mut stream).await else { return };
    let number = {
        let mut all = all.lock().expect("no panic");
        all.push(request);
        all.len() - 1
    };
    let said = answers[number.min(answers.len() - 1)];
    let said = match said.strip_prefix("wait ") {
        Some(rest) => {
            gate.notified().await;
            rest
        }
        None => said,
    };
    let length = if said.contains("\r\n") { "" } else { "\r\nContent-Length: 0" };
    let text = format!("HTTP/1.1 {said}{length}\r\nConnection: close\r\n\r\n");
    // Who is gone needs no answer.
    drop(stream.write_all(text.as_bytes()).await);
}

pub(super) async fn read(stream: &mut TcpStream) -> Option<Arrived> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let read = stream.read(&mut part).await.ok().filter(|read| *read > 0)?;
        bytes.extend(&part[..read]);
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
        let Some(end) = end else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).expect("ASCII");
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
        });
        if bytes.len() >= end + 4 + length? {
            return Some(Arrived { head, body: bytes[end + 4..].to_vec() });
        }
    }
}
