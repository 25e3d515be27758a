//! What is said to each kind of channel. Whatever people have named is text there, and no markup.

use chrono::{DateTime, Utc};
use jobrunner_core::{
    Batch,
    batch::Counts,
    notification::{Delivery, EventKind, TEST},
};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// The body of a webhook, as Standard Webhooks has it.
#[derive(Serialize)]
struct Webhook<'d> {
    #[serde(rename = "type")]
    kind: &'d str,
    timestamp: DateTime<Utc>,
    data: Data,
}

#[derive(Serialize)]
struct Data {
    /// Null for a test.
    batch: Option<Told>,
}

/// A batch; what is not known of one that was deleted is null.
#[derive(Serialize)]
struct Told {
    id: Uuid,
    name: Option<String>,
    status: Option<&'static str>,
    counts: Option<Value>,
    created_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    url: Option<String>,
}

/// What is delivered, and what is known of it.
pub(super) struct Message<'d> {
    pub(super) delivery: &'d Delivery,
    pub(super) batch: Option<&'d Batch>,
    /// Where the pages are.
    pub(super) public_url: Option<&'d str>,
}

impl Message<'_> {
    /// For servers that take Standard Webhooks.
    pub(super) fn webhook(&self) -> serde_json::Result<Vec<u8>> {
        let told = self.delivery.batch_id.map(|id| Told {
            id: id.as_uuid(),
            name: self.delivery.batch_name.clone(),
            status: self.batch.map(|batch| batch.status.as_str()),
            counts: self.batch.map(|batch| counts(&batch.counts)),
            created_at: self.batch.map(|batch| batch.created_at),
            started_at: self.batch.and_then(|batch| batch.started_at),
            finished_at: self.batch.and_then(|batch| batch.finished_at),
            url: self.link(),
        });
        serde_json::to_vec(&Webhook {
            kind: &self.delivery.kind,
            timestamp: self.delivery.created_at,
            data: Data { batch: told },
        })
    }

    /// For servers that take messages as Slack does.
    pub(super) fn slack(&self) -> serde_json::Result<Vec<u8>> {
        let mut text = escaped(&self.headline());
        if let Some(batch) = self.batch {
            text += &format!("\n{}", summary(&batch.counts));
        }
        if let Some(link) = self.link() {
            text += &format!("\n<{}>", escaped(&link));
        }
        serde_json::to_vec(&json!({ "text": text }))
    }

    fn headline(&self) -> String {
        let name = self.delivery.batch_name.as_deref().unwrap_or("a batch");
        match self.delivery.kind.as_str() {
            TEST => "This is a test of JobRunner's notifications".to_owned(),
            kind => match kind.parse() {
                Ok(EventKind::Finished) => format!("{name} has ended"),
                Ok(EventKind::Failed) => format!("{name} has failed"),
                Ok(EventKind::FirstFailure) => format!("The first job of {name} has failed"),
                Ok(EventKind::Recovered) => format!("{name} passes again"),
                Err(_) => format!("{name}: {kind}"),
            },
        }
    }

    fn link(&self) -> Option<String> {
        let (base, id) = (self.public_url?, self.delivery.batch_id?);
        Some(format!("{}/batches/{id}", base.trim_end_matches('/')))
    }
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

#[cfg(test)]
mod tests {
    use jobrunner_core::{BatchId, DeliveryId, SubscriptionId, notification::DeliveryStatus};

    use super::*;

    fn delivery(kind: &str, name: &str) -> Delivery {
        Delivery {
            id: DeliveryId::new(),
            subscription_id: SubscriptionId::new(),
            kind: kind.to_owned(),
            batch_id: Some(BatchId::new()),
            batch_name: Some(name.to_owned()),
            created_at: DateTime::UNIX_EPOCH,
            due_at: DateTime::UNIX_EPOCH,
            status: DeliveryStatus::Waiting,
            attempts: Vec::new(),
        }
    }

    #[test]
    fn what_people_have_named_is_no_markup() {
        let names = [
            "<!channel>",
            "<https://evil.example|click>",
            "@all & @here",
            "\"},\"text\":\"x",
            "a\u{202e}b",
            "&lt;!channel&gt;",
        ];
        for name in names {
            let delivery = delivery("failed", name);
            let message = Message { delivery: &delivery, batch: None, public_url: None };
            let slack: Value =
                serde_json::from_slice(&message.slack().expect("JSON")).expect("JSON");
            assert_eq!(slack.as_object().map(serde_json::Map::len), Some(1), "{slack}");
            let text = slack["text"].as_str().expect("a text");
            assert!(!text.contains(['<', '>']) && !text.contains("@a"), "{text}");
            let back = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            assert_eq!(back.replace('\u{200b}', ""), format!("{name} has failed"));
            let webhook: Value =
                serde_json::from_slice(&message.webhook().expect("JSON")).expect("JSON");
            assert_eq!(webhook["data"]["batch"]["name"], name);
        }
    }

    #[test]
    fn a_batch_has_a_link_where_the_pages_have_an_address() {
        let delivery = delivery("later_kind", "nightly");
        let id = delivery.batch_id.expect("a batch");
        for base in ["https://jobs.example/base", "https://jobs.example/base/"] {
            let message = Message { delivery: &delivery, batch: None, public_url: Some(base) };
            let expected = format!("https://jobs.example/base/batches/{id}");
            let webhook: Value =
                serde_json::from_slice(&message.webhook().expect("JSON")).expect("JSON");
            assert_eq!(webhook["data"]["batch"]["url"], expected);
            assert_eq!(webhook["type"], "later_kind");
            let slack: Value =
                serde_json::from_slice(&message.slack().expect("JSON")).expect("JSON");
            assert_eq!(slack["text"], format!("nightly: later_kind\n<{expected}>"));
        }
    }
}
