//! The reckoning at the end of a test: what was acknowledged, what is recorded and what really ran
//! must agree.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    Fleet,
    client::Client,
    ledger::{Lines, Ran},
    load::Batch,
};

/// A recorded attempt.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) job: String,
    pub(crate) number: u64,
    status: String,
    reason: Option<String>,
}

impl Attempt {
    pub(crate) fn is_lost(&self) -> bool {
        self.reason.as_deref() == Some("worker_lost")
    }
}

/// What is recorded and what ran, found to agree.
#[derive(Debug)]
pub(crate) struct Reckoned {
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) ran: Ran,
}

impl Reckoned {
    /// How many attempts were lost with their worker.
    pub(crate) fn lost(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.is_lost()).count()
    }
}

impl Fleet {
    /// Waits until everything has ended, then compares. `acknowledged` is all that was ever
    /// submitted with commands of the ledger, in whatever order.
    pub(crate) async fn settle(&self, acknowledged: &[Batch]) -> Reckoned {
        let client = self.clients.last().expect("a server");
        let mut recount = Counts::default();
        let mut jobs = Vec::new();
        for batch in acknowledged {
            let members = check_batch(client, batch).await;
            members.iter().for_each(|job| recount.add(job));
            jobs.extend(members);
        }
        let ids: BTreeSet<&str> = acknowledged.iter().map(|batch| batch.id.as_str()).collect();
        assert_eq!(ids.len(), acknowledged.len(), "every submission has made a batch of its own");
        let listed = client.all("/job-batches").await;
        assert_eq!(listed.len(), ids.len(), "nothing is there that nobody was told of");
        assert_eq!(client.get("/jobs/stats").await, recount.json(), "the counts of all jobs");

        let mut attempts = Vec::new();
        for job in &jobs {
            attempts.extend(check_job(client, job).await);
        }
        let ran = self.ledger.read();
        compare(&attempts, &ran);
        Reckoned { attempts, ran }
    }
}

/// How many jobs stand how.
#[derive(Default)]
struct Counts(BTreeMap<String, usize>);

impl Counts {
    fn add(&mut self, job: &Value) {
        *self.0.entry(text(&job["status"])).or_default() += 1;
    }

    fn json(&self) -> Value {
        let of = |status: &str| self.0.get(status).copied().unwrap_or(0);
        json!({"total": self.0.values().sum::<usize>(), "waiting": of("waiting"),
            "running": of("running"), "passed": of("passed"), "failed": of("failed"),
            "canceled": of("canceled")})
    }
}

/// Waits for the end of a batch; answers its jobs, which are as many as were acknowledged and stand
/// as the batch says.
async fn check_batch(client: &Client, batch: &Batch) -> Vec<Value> {
    let path = format!("/job-batches/{}", batch.id);
    let ended = client.ended(&path).await;
    let members = client.all(&format!("{path}/jobs")).await;
    assert_eq!(members.len(), batch.size, "the members of {path}");
    let mut recount = Counts::default();
    members.iter().for_each(|job| recount.add(job));
    assert_eq!(ended["counts"], recount.json(), "the counts of {path}");
    members
}

/// Checks that a job has ended as its command means it to, with the output of its last attempt;
/// answers its attempts, which are numbered without a gap.
async fn check_job(client: &Client, job: &Value) -> Vec<Attempt> {
    let id = text(&job["id"]);
    let listed = client.get(&format!("/jobs/{id}/attempts")).await;
    let (status, code) = if job["name"] == "fail" { ("failed", 3) } else { ("passed", 0) };
    assert_eq!(job["status"], status, "{job} after {listed}");
    assert_eq!(job["result"]["exit_code"], code, "{job} after {listed}");
    let items = listed["items"].as_array().expect("a list");
    let attempts: Vec<Attempt> = items.iter().map(|item| attempt(&id, item)).collect();
    let numbers: Vec<u64> = attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{listed}");
    let passed = attempts.iter().filter(|attempt| attempt.status == "passed").count();
    assert_eq!(passed, usize::from(status == "passed"), "{listed}");

    let last = numbers.len();
    let stdout = client.get(&format!("/jobs/{id}/logs/stdout")).await;
    assert_eq!(stdout, format!("begin {last}\nend {last}\n"), "the output of {job}");
    attempts
}

fn attempt(job: &str, item: &Value) -> Attempt {
    Attempt {
        job: job.to_owned(),
        number: item["attempt"].as_u64().expect("a number"),
        status: text(&item["status"]),
        reason: item["result"]["reason"].as_str().map(str::to_owned),
    }
}

/// Each start is recorded and happened once; each recorded attempt happened, unless it was lost
/// before its command was started; and what is recorded to have ended by itself did so.
fn compare(attempts: &[Attempt], ran: &Ran) {
    let lines = |lines: &Lines, attempt: &Attempt| {
        lines.get(&(attempt.job.clone(), attempt.number)).copied().unwrap_or(0)
    };
    for attempt in attempts {
        let (starts, ends) = (lines(&ran.starts, attempt), lines(&ran.ends, attempt));
        if attempt.is_lost() {
            assert!(starts <= 1 && ends <= starts, "{starts} starts, {ends} ends of {attempt:?}");
        } else {
            assert_eq!((starts, ends), (1, 1), "starts and ends of {attempt:?}");
        }
    }
    let recorded: BTreeSet<(&str, u64)> =
        attempts.iter().map(|attempt| (attempt.job.as_str(), attempt.number)).collect();
    for (job, number) in ran.starts.keys() {
        assert!(recorded.contains(&(job, *number)), "attempt {number} of {job} is not recorded");
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
