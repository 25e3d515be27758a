//! Jobs, written as people read them: as a suite, and as scripts.

use std::borrow::Cow;

use jobrunner_core::{NewBatch, NewJob, daemon::Trouble};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{expand::SHELL, template::escaped};
use crate::exit::{Context, Failure};

/// Returns a suite that makes these jobs and has nothing to fill in.
pub(crate) fn as_yaml(batch: &NewBatch, jobs: &[NewJob]) -> Result<String, Failure> {
    let cannot = || "cannot write YAML".to_owned();
    let jobs: Result<_, _> = jobs.iter().map(job).collect();
    let suite = Written {
        version: 1,
        batch: fields(batch).context(Trouble::Software, cannot)?,
        jobs: jobs.context(Trouble::Software, cannot)?,
    };
    serde_saphyr::to_string(&suite).context(Trouble::Software, cannot)
}

/// Returns the script of a job, as it is written, or its command as it would be typed.
pub(crate) fn script(job: &NewJob) -> Cow<'_, str> {
    match job.command.as_slice() {
        [sh, c, script] if [sh, c] == SHELL => Cow::Borrowed(script),
        command => Cow::Owned(shell_words::join(command)),
    }
}

#[derive(Serialize)]
struct Written {
    version: u64,
    #[serde(flatten)]
    batch: Fields,
    jobs: Vec<Fields>,
}

/// The name first, as people write it.
#[derive(Serialize)]
struct Fields {
    name: Value,
    #[serde(flatten)]
    others: Map<String, Value>,
}

fn fields(value: &impl Serialize) -> serde_json::Result<Fields> {
    let mut value = serde_json::to_value(value)?;
    escape(&mut value);
    let mut others = match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    Ok(Fields { name: others.remove("name").unwrap_or_default(), others })
}

fn job(job: &NewJob) -> serde_json::Result<Fields> {
    let mut fields = fields(job)?;
    if let [sh, c, script] = job.command.as_slice()
        && [sh, c] == SHELL
    {
        fields.others.remove("command");
        fields.others.insert("shell".to_owned(), escaped(script).into());
    }
    Ok(fields)
}

/// Makes every text one that is filled in as it was.
fn escape(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(changed) = escaped(text) {
                *text = changed;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(escape),
        Value::Object(fields) => fields.values_mut().for_each(escape),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use jobrunner_core::retry::Retry;
    use serde_json::json;

    use super::*;
    use crate::suite::Suite;

    #[test]
    fn what_is_written_is_read_as_the_same_jobs() {
        let texts = [
            "no",
            "3.10",
            "null",
            "~",
            "",
            " x ",
            "a: b",
            "#1",
            "${x} $${y} $z",
            "- x",
            "a\nb\n",
            "a\n\n  b",
            "\ttab",
            "'q' \"d\"",
            "ünï 世界",
            "\u{1b}[0m",
            "x\r\ny",
            "1..3",
            "@x",
            "%y",
            "\n lead",
            "trail \n",
            "*a",
            "&a",
            "!t",
            "{a}",
            "[b]",
            "a, b",
            "? x",
            "|",
            "> y",
        ];
        let mut jobs = Vec::new();
        for text in texts {
            let payload =
                json!({text: text, "n": 1.5, "i": -3, "l": [text, null, true, {}], "e": []});
            jobs.push(NewJob {
                name: format!("n{text}"),
                command: vec!["sh".to_owned(), text.to_owned()],
                env: [("A".to_owned(), text.to_owned())].into(),
                payload: payload.as_object().expect("an object").clone(),
                retry: Some(Retry { delay_seconds: 2, ..Retry::default() }),
                priority: Some(3),
                working_dir: Some("/x".to_owned()),
                ..NewJob::default()
            });
            let script = SHELL.iter().map(|&part| part.to_owned()).chain([text.to_owned()]);
            let name = format!("s{text}");
            let working_dir = Some("/y".to_owned());
            jobs.push(NewJob { name, command: script.collect(), working_dir, ..NewJob::default() });
        }
        let description = Some("a ${b}".to_owned());
        let batch = NewBatch { name: "s ${a}".to_owned(), description, ..NewBatch::default() };
        let yaml = as_yaml(&batch, &jobs).expect("YAML");
        let read = Suite::parse(&yaml, "s.yaml".as_ref(), None).expect("a suite");
        let (read_batch, read_jobs) = read.expand(&[]).expect("expanded");
        assert_eq!(read_batch, batch);
        for (read, job) in read_jobs.iter().zip(&jobs) {
            assert_eq!(read, job, "{yaml}");
        }
        assert_eq!(read_jobs.len(), jobs.len());
        assert!(yaml.starts_with("version: 1\nname: "), "{yaml}");
    }
}
