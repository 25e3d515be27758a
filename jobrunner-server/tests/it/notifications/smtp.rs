//! A real server that takes mail.

use std::sync::{Arc, Mutex};

use jobrunner_core::{config::Mail, testkit::wait_until};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A mail as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Mailed {
    pub(super) to: Vec<String>,
    pub(super) text: String,
}

impl Mailed {
    pub(super) fn header(&self, name: &str) -> &str {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().unwrap_or_else(|| panic!("no {name} in {head}")).1
    }
}

/// A server that knows everybody but `nobody@…`. It is busy for the first mails, as many as it was
/// told.
pub(super) struct MailServer {
    pub(super) settings: Mail,
    arrived: Arc<Mutex<Vec<Mailed>>>,
    serving: JoinHandle<()>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl MailServer {
    pub(super) async fn start(mut busy: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let arrived = Arc::<Mutex<Vec<Mailed>>>::default();
        let all = Arc::clone(&arrived);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let is_busy = busy > 0;
                busy = busy.saturating_sub(1);
                // Who goes away in the middle of it has sent nothing.
                tokio::spawn(converse(stream, Arc::clone(&all), is_busy));
            }
        });
        let server = format!("smtp://{address}").into();
        let settings = Mail { server, from: "JobRunner <jobs@runner.example>".to_owned() };
        Self { settings, arrived, serving }
    }

    pub(super) async fn has(&self, number: usize) -> Vec<Mailed> {
        let arrived = || self.arrived.lock().expect("no panic").clone();
        wait_until("mail arrives", async || (arrived().len() >= number).then_some(())).await;
        arrived()
    }
}

async fn converse(stream: TcpStream, all: Arc<Mutex<Vec<Mailed>>>, is_busy: bool) -> Option<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink ESMTP\r\n").await.ok()?;
    let mut mail = Mailed { to: Vec::new(), text: String::new() };
    loop {
        let line = line(&mut stream).await?;
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => "250-sink\r\n250 8BITMIME".to_owned(),
            "MAIL" if is_busy => "451 come again later".to_owned(),
            "RCPT" if line.contains("nobody@") => "550 there is no such person".to_owned(),
            "RCPT" => {
                mail.to.push(line["RCPT TO:<".len()..].trim_end_matches('>').to_owned());
                "250 ok".to_owned()
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                loop {
                    match self::line(&mut stream).await?.as_str() {
                        "." => break,
                        text => {
                            mail.text += &format!("{}\r\n", text.strip_prefix('.').unwrap_or(text))
                        }
                    }
                }
                all.lock().expect("no panic").push(mail.clone());
                "250 taken".to_owned()
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "250 ok".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}
