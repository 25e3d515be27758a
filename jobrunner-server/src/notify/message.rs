//! What is said to each kind of channel. Whatever people have named is text there, and no markup.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use jobrunner_core::{
    Batch,
    batch::Counts,
    notification::{Delivery, Event, EventKind, TEST},
};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Of how many events people read in one message.
const MOST_READ: usize = 50;

/// The body of a webhook, as Standard Webhooks has it.
#[derive(Serialize)]
struct Webhook<'d> {
    #[serde(rename = "type")]
    kind: &'d str,
    timestamp: DateTime<Utc>,
    data: Data<'d>,
}

#[derive(Serialize)]
struct Data<'d> {
    /// Null for a test and for a window.
    batch: Option<Told>,
    /// Of a window.
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<Window<'d>>,
}

#[derive(Serialize)]
struct Window<'d> {
    /// How many events there were, also those that are not told.
    total: u64,
    events: Vec<OfWindow<'d>>,
}

#[derive(Serialize)]
struct OfWindow<'d> {
    #[serde(rename = "type")]
    kind: &'d str,
    batch: Told,
}

/// A batch; what is not known of one that was deleted is null.
#[derive(Serialize)]
struct Told {
    id: Uuid,
    name: String,
    project: Option<String>,
    status: Option<&'static str>,
    counts: Option<Value>,
    /// What its verdict says in a line; null of one that is no run.
    summary: Option<String>,
    created_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    url: Option<String>,
}

/// Something that happened to a batch, and the batch as it is now; `None` if it was deleted.
pub(super) struct Happened {
    pub(super) event: Event,
    pub(super) batch: Option<Batch>,
}

/// What is delivered, and what is known of it.
pub(super) struct Message<'d> {
    pub(super) delivery: &'d Delivery,
    /// One for what tells of a batch, none for a test.
    pub(super) happened: &'d [Happened],
    /// Where the pages are.
    pub(super) public_url: Option<&'d str>,
}

impl Message<'_> {
    /// For servers that take Standard Webhooks.
    pub(super) fn webhook(&self) -> serde_json::Result<Vec<u8>> {
        let data = match &self.delivery.gathered {
            None => Data { batch: self.happened.first().map(|it| self.told(it)), window: None },
            Some(gathered) => {
                let events = self.happened.iter();
                let events = events
                    .map(|it| OfWindow { kind: &it.event.kind, batch: self.told(it) })
                    .collect();
                Data { batch: None, window: Some(Window { total: gathered.total, events }) }
            }
        };
        let (kind, timestamp) = (self.delivery.kind.as_str(), self.delivery.created_at);
        serde_json::to_vec(&Webhook { kind, timestamp, data })
    }

    fn told(&self, it: &Happened) -> Told {
        let batch = it.batch.as_ref();
        Told {
            id: it.event.batch_id.as_uuid(),
            name: it.event.batch_name.clone(),
            project: batch.and_then(|batch| batch.project.as_ref().map(ToString::to_string)),
            status: batch.map(|batch| batch.status.as_str()),
            counts: batch.map(|batch| counts(&batch.counts)),
            summary: batch.and_then(verdict).map(str::to_owned),
            created_at: batch.map(|batch| batch.created_at),
            started_at: batch.and_then(|batch| batch.started_at),
            finished_at: batch.and_then(|batch| batch.finished_at),
            url: self.link(it),
        }
    }

    /// For servers that take messages as Slack does.
    pub(super) fn slack(&self) -> serde_json::Result<Vec<u8>> {
        let mut text = escaped(&self.headline());
        if self.delivery.gathered.is_none() {
            for it in self.happened {
                for line in it.lines() {
                    text += &format!("\n{}", escaped(&line));
                }
                if let Some(link) = self.link(it) {
                    text += &format!("\n<{}>", escaped(&link));
                }
            }
        } else {
            for it in self.happened.iter().take(MOST_READ) {
                text += &format!("\n• {}", escaped(&it.sentence()));
                for line in it.lines().take(1) {
                    text += &format!(": {}", escaped(&line));
                }
                if let Some(link) = self.link(it) {
                    text += &format!(" <{}>", escaped(&link));
                }
            }
        }
        if let Some(rest) = self.rest() {
            text += &format!("\n{rest}");
        }
        serde_json::to_vec(&json!({ "text": text }))
    }

    /// The subject of a mail.
    pub(super) fn subject(&self) -> String {
        plain(&self.headline())
    }

    /// The text of a mail to those who are told by the subscription of this name.
    pub(super) fn letter(&self, subscription: &str) -> String {
        let mut text = format!("{}\n", plain(&self.headline()));
        for it in self.happened.iter().take(MOST_READ) {
            text.push('\n');
            if self.delivery.gathered.is_some() {
                text += &format!("{}\n", plain(&it.sentence()));
            }
            for line in it.lines() {
                text += &format!("{}\n", plain(&line));
            }
            if let Some(link) = self.link(it) {
                text += &format!("{link}\n");
            }
        }
        if let Some(rest) = self.rest() {
            text += &format!("\n{rest}\n");
        }
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n-- \nSent by JobRunner for the notification “{}”.",
            plain(subscription)
        );
        if let Some(base) = self.public_url {
            let (base, id) = (base.trim_end_matches('/'), self.delivery.subscription_id);
            let _ = write!(text, "\n{base}/notifications/{id}");
        }
        text.push('\n');
        text
    }

    fn headline(&self) -> String {
        match (&self.delivery.gathered, self.happened) {
            (Some(gathered), _) => match gathered.total {
                1 => "One thing happened".to_owned(),
                total => format!("{total} things happened"),
            },
            (None, [one, ..]) => one.sentence(),
            (None, []) if self.delivery.kind == TEST => {
                "This is a test of JobRunner's notifications".to_owned()
            }
            (None, []) => format!("a batch: {}", self.delivery.kind),
        }
    }

    /// How much there is that is not read.
    fn rest(&self) -> Option<String> {
        let total = self.delivery.gathered.as_ref()?.total;
        let rest = total.saturating_sub(self.happened.len().min(MOST_READ) as u64);
        (rest > 0).then(|| format!("and {rest} more"))
    }

    fn link(&self, it: &Happened) -> Option<String> {
        let base = self.public_url?.trim_end_matches('/');
        Some(format!("{base}/batches/{}", it.event.batch_id))
    }
}

impl Happened {
    fn sentence(&self) -> String {
        let name = &self.event.batch_name;
        match self.event.kind.parse() {
            Ok(EventKind::Finished) => format!("{name} has ended"),
            Ok(EventKind::Failed) => format!("{name} has failed"),
            Ok(EventKind::FirstFailure) => format!("The first job of {name} has failed"),
            Ok(EventKind::Recovered) => format!("{name} passes again"),
            Ok(EventKind::NewFailures) => format!("{name} has new failures"),
            Err(_) => format!("{name}: {}", self.event.kind),
        }
    }

    /// How it stands.
    fn lines(&self) -> impl Iterator<Item = String> {
        let batch = self.batch.as_ref();
        let verdict = batch.and_then(verdict).map(str::to_owned);
        batch.map(|batch| summary(&batch.counts)).into_iter().chain(verdict)
    }
}

/// What the verdict of a batch that has ended says.
fn verdict(batch: &Batch) -> Option<&str> {
    batch.finished_at?;
    batch.verdict.as_ref().map(|verdict| verdict.summary.as_str())
}

fn counts(counts: &Counts) -> Value {
    json!({
        "total": counts.total,
        "waiting": counts.waiting,
        "running": counts.running,
        "passed": counts.passed,
        "failed": counts.failed,
        "canceled": counts.canceled,
    })
}

fn summary(counts: &Counts) -> String {
    let of = [
        (counts.failed, "failed"),
        (counts.passed, "passed"),
        (counts.canceled, "canceled"),
        (counts.running, "running"),
        (counts.waiting, "waiting"),
    ];
    let said = of.iter().filter(|(number, _)| *number > 0);
    said.map(|(number, word)| format!("{number} {word}")).collect::<Vec<_>>().join(", ")
}

/// Text for Slack: no links, no mentions. What takes `@all` from a text, as Mattermost does, finds
/// none.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('@', "@\u{200b}")
}

/// Text of one line: no other characters turn it round or hide what follows.
fn plain(text: &str) -> String {
    let is_seen = |character: char| {
        !character.is_control()
            && !matches!(character, '\u{200e}' | '\u{200f}' | '\u{061c}')
            && !('\u{202a}'..='\u{202e}').contains(&character)
            && !('\u{2066}'..='\u{2069}').contains(&character)
            && !matches!(character, '\u{2028}' | '\u{2029}')
    };
    text.chars().map(|it| if is_seen(it) { it } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use jobrunner_core::{
        BatchId, DeliveryId, SubscriptionId,
        notification::{DeliveryStatus, Gathered, WINDOW},
    };

    use super::*;

    fn happened(kind: &str, name: &str) -> Happened {
        let event =
            Event { kind: kind.to_owned(), batch_id: BatchId::new(), batch_name: name.to_owned() };
        Happened { event, batch: None }
    }

    fn delivery(kind: &str, gathered: Option<Gathered>) -> Delivery {
        Delivery {
            id: DeliveryId::new(),
            subscription_id: SubscriptionId::new(),
            kind: kind.to_owned(),
            batch_id: None,
            batch_name: None,
            created_at: DateTime::UNIX_EPOCH,
            due_at: DateTime::UNIX_EPOCH,
            status: DeliveryStatus::Waiting,
            attempts: Vec::new(),
            tried: 0,
            gathered,
        }
    }

    fn read(bytes: serde_json::Result<Vec<u8>>) -> Value {
        serde_json::from_slice(&bytes.expect("JSON")).expect("JSON")
    }

    const NAMES: [&str; 8] = [
        "<!channel>",
        "<https://evil.example|click>",
        "@all & @here",
        "\"},\"text\":\"x",
        "a\u{202e}b",
        "&lt;!channel&gt;",
        "*bold* _and_ `code`",
        "a\nb",
    ];

    #[test]
    fn what_people_have_named_is_no_markup() {
        for name in NAMES {
            let it = [happened("failed", name)];
            let delivery = delivery("failed", None);
            let message = Message { delivery: &delivery, happened: &it, public_url: None };
            let slack = read(message.slack());
            assert_eq!(slack.as_object().map(serde_json::Map::len), Some(1), "{slack}");
            let text = slack["text"].as_str().expect("a text");
            assert!(!text.contains(['<', '>']) && !text.contains("@a"), "{text}");
            let back = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            assert_eq!(back.replace('\u{200b}', ""), format!("{name} has failed"));
            assert_eq!(read(message.webhook())["data"]["batch"]["name"], name);
        }
    }

    #[test]
    fn what_people_have_named_is_one_line_of_a_mail() {
        for name in NAMES {
            let it = [happened("failed", name), happened("finished", name)];
            let gathered = Gathered { total: 2, told: Vec::new() };
            let delivery = delivery(WINDOW, Some(gathered));
            let message = Message { delivery: &delivery, happened: &it, public_url: None };
            let text = message.letter(name);
            let shown = name.replace(['\u{202e}', '\n'], "\u{fffd}");
            let expected = format!(
                "2 things happened\n\n{shown} has failed\n\n{shown} has ended\n\n-- \n\
                 Sent by JobRunner for the notification “{shown}”.\n"
            );
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn a_batch_has_a_link_where_the_pages_have_an_address() {
        let it = [happened("later_kind", "nightly")];
        let (delivery, id) = (delivery("later_kind", None), it[0].event.batch_id);
        for base in ["https://jobs.example/base", "https://jobs.example/base/"] {
            let message = Message { delivery: &delivery, happened: &it, public_url: Some(base) };
            let expected = format!("https://jobs.example/base/batches/{id}");
            let webhook = read(message.webhook());
            assert_eq!(webhook["data"]["batch"]["url"], expected);
            assert_eq!(webhook["type"], "later_kind");
            let slack = read(message.slack());
            assert_eq!(slack["text"], format!("nightly: later_kind\n<{expected}>"));
            assert_eq!(message.subject(), "nightly: later_kind");
            let letter = message.letter("n");
            let of_notification =
                format!("https://jobs.example/base/notifications/{}", delivery.subscription_id);
            assert!(letter.contains(&format!("\n{expected}\n")), "{letter}");
            assert!(letter.ends_with(&format!("\n{of_notification}\n")), "{letter}");
        }
    }

    /// Programs are told of more events than people read, and both of how many there were.
    #[test]
    fn a_window_is_told_in_one_message() {
        let it: Vec<Happened> = (0..60).map(|n| happened("failed", &format!("b{n}"))).collect();
        let gathered = Gathered { total: 300, told: Vec::new() };
        let delivery = delivery(WINDOW, Some(gathered));
        let public_url = Some("https://jobs.example");
        let message = Message { delivery: &delivery, happened: &it, public_url };
        let webhook = read(message.webhook());
        assert_eq!(webhook["data"]["batch"], Value::Null);
        let window = &webhook["data"]["window"];
        assert_eq!(
            (&window["total"], window["events"].as_array().map(Vec::len)),
            (&json!(300), Some(60))
        );
        assert_eq!(window["events"][59]["batch"]["name"], "b59");
        let slack = read(message.slack());
        let lines: Vec<&str> = slack["text"].as_str().expect("a text").lines().collect();
        assert_eq!((lines.len(), lines[0], lines[51]), (52, "300 things happened", "and 250 more"));
        assert!(
            lines[1].starts_with("• b0 has failed <https://jobs.example/batches/"),
            "{}",
            lines[1]
        );
        assert!(message.letter("n").contains("\nand 250 more\n"));
    }
}
