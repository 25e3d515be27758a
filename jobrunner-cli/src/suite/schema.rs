//! `docs/suite.schema.json`, by which editors know suites: made of the types that suites are read
//! into.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{
    Suite,
    format::{self, Header},
};

/// A type that has a schema of its own and is nothing else.
macro_rules! schemas {
    ($($(#[$meta:meta])* $name:ident = $schema:tt;)+) => {
        $($(#[$meta])* pub(super) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        })+
    };
}

schemas! {
    /// A text, which is what is written, whatever it looks like.
    Text = {
        "description": "Text, taken as it is written: no, 3.10 and 0644 need no quotes. ${NAME} is filled in.",
        "type": ["string", "number", "boolean", "null"]
    };
    /// A number, or a text that becomes one.
    Number = {
        "description": "A number, or a ${NAME} that becomes one.",
        "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": "\\$\\{"}]
    };
    /// What a command returns.
    ExitCode = {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 255},
            {"type": "string", "pattern": "\\$\\{|^[0-9]+$"}
        ]
    };
    /// What is followed by another attempt.
    Failure = {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 255},
            {"enum": ["signal", "timeout", "silent"]},
            {"type": "string", "pattern": "\\$\\{|^[0-9]+$"}
        ]
    };
    Gate = {"enum": ["failed", "new", "none"]};
    /// What a batch tests.
    Revision = {
        "type": "object", "additionalProperties": false,
        "properties": {
            "sha": {"$ref": "#/$defs/Text"}, "branch": {"$ref": "#/$defs/Text"},
            "dirty": {"type": "boolean"}, "url": {"$ref": "#/$defs/Text"}
        }
    };
    /// What a batch is compared with.
    Baseline = {
        "type": "object", "additionalProperties": false,
        "properties": {"branch": {"$ref": "#/$defs/Text"}, "batch_id": {"type": "string", "format": "uuid"}}
    };
    Version = {"type": "integer", "const": 1};
    /// Values of an axis.
    Item = {
        "anyOf": [
            {"type": ["string", "number", "boolean", "null"],
             "description": "A value, taken as it is written, or a range A..B or A..B..STEP, both ends included."},
            {"type": "object", "required": ["lines"], "additionalProperties": false,
             "description": "The lines of a file that are not empty.",
             "properties": {"lines": {"type": "string"}}},
            {"type": "object", "required": ["glob"], "additionalProperties": false,
             "description": "The files that a pattern matches.",
             "properties": {"glob": {"type": "string"}}}
        ]
    };
}

/// An axis: one item or a list of them.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum Axis {
    Items(Vec<Item>),
    Item(Item),
}

/// The axes by their names, and what is added to their combinations and taken away from them.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct Matrix {
    /// Variables for combinations that have these values, or else further combinations.
    #[schemars(default)]
    include: Vec<BTreeMap<String, Text>>,
    /// Combinations that are left out.
    #[schemars(default)]
    exclude: Vec<BTreeMap<String, Axis>>,
    #[schemars(flatten)]
    axes: BTreeMap<String, Axis>,
}

/// A parameter: its default alone, or more of it.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum Parameter {
    Default(Text),
    Described(format::Parameter),
}

/// Another suite: its file alone, or with parameters.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum Include {
    File(Text),
    With(format::Included),
}

fn schema() -> Value {
    let mut schema = schemars::schema_for!(Header).to_value();
    schema["$id"] =
        json!("https://github.com/jobrunner/jobrunner/blob/main/docs/suite.schema.json");
    schema
}

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/suite.schema.json");

#[test]
fn the_schema_in_the_documentation_is_that_of_the_program() {
    let made = format!("{}\n", serde_json::to_string_pretty(&schema()).expect("JSON"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(FILE, &made).expect("written");
    }
    let kept = std::fs::read_to_string(FILE).expect("docs/suite.schema.json");
    assert!(made == kept, "docs/suite.schema.json is stale; make it anew with UPDATE_DOCS=1");
}

/// A value that a schema allows, as YAML on one line.
fn sample(schema: &Value, root: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().expect("a name");
        return sample(&root["$defs"][name], root);
    }
    if let Some(first) = schema["anyOf"].get(0).or_else(|| schema["oneOf"].get(0)) {
        return sample(first, root);
    }
    if let Some(only) = schema.get("const") {
        return only.to_string();
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.to_string();
    }
    let kind = if schema["type"].is_array() { &schema["type"][0] } else { &schema["type"] };
    match kind.as_str() {
        Some("array") => format!("[{}]", sample(&schema["items"], root)),
        Some("object") => "{}".to_owned(),
        Some("integer" | "number") => "1".to_owned(),
        Some("string") => "/text".to_owned(),
        other => panic!("no sample of {other:?}: {schema}"),
    }
}

/// A suite with one more field, in one of the places where there are fields.
fn suite_with(place: &str, field: &str) -> String {
    let (mut top, mut defaults, mut job, mut retry) = (vec![], vec![], vec![], vec![]);
    let fields = match place {
        "Defaults" => &mut defaults,
        "Job" => &mut job,
        "Retry" => &mut retry,
        _ => &mut top,
    };
    fields.push(field.to_owned());
    if !field.starts_with("name:") || place != "top" {
        top.push("name: s".to_owned());
    }
    if !(place == "Job" && field.starts_with("name:")) {
        job.push("name: j".to_owned());
    }
    if !(place == "Job" && (field.starts_with("command:") || field.starts_with("shell:"))) {
        job.push("shell: x".to_owned());
    }
    defaults.push(format!("retry: {{{}}}", retry.join(", ")));
    if place == "Defaults" && field.starts_with("retry:") {
        defaults.pop();
    }
    let jobs = format!("jobs: [{{{}}}]", job.join(", "));
    let defaults = format!("defaults: {{{}}}", defaults.join(", "));
    if !field.starts_with("defaults:") {
        top.push(defaults);
    }
    if place != "top" || !field.starts_with("jobs:") {
        top.push(jobs);
    }
    top.join("\n") + "\n"
}

#[test]
fn every_field_of_the_schema_is_read_and_no_other() {
    let schema = schema();
    let mut seen = 0;
    for place in ["top", "Defaults", "Job", "Retry"] {
        let object = if place == "top" { &schema } else { &schema["$defs"][place] };
        assert_eq!(object["additionalProperties"], false, "{place}");
        for (name, property) in object["properties"].as_object().expect("properties") {
            // Their samples would have to make sense: another suite, a job, a project.
            if place == "top" && ["include", "jobs", "project"].contains(&name.as_str()) {
                continue;
            }
            let yaml = suite_with(place, &format!("{name}: {}", sample(property, &schema)));
            let suite = Suite::parse(&yaml, "s.yaml".as_ref(), Some("/base".into()));
            let expanded = suite.and_then(|suite| suite.expand(&[]));
            assert!(expanded.is_ok(), "{place}.{name}: {yaml}{:?}", expanded.err());
            seen += 1;
        }
        let yaml = suite_with(place, "unheard: x");
        let suite = Suite::parse(&yaml, "s.yaml".as_ref(), None);
        let refused = suite.and_then(|suite| suite.expand(&[])).expect_err("refused").to_string();
        assert!(refused.contains("unknown field \"unheard\""), "{place}: {refused}");
    }
    assert!(seen > 35, "{seen} fields");
}
