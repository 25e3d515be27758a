//! The description of the API as the tests use it: to know the operations, and to hold answers and
//! values to their schemas.

use std::sync::LazyLock;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

/// The description as it is served.
pub(crate) static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(jobrunner_server::openapi()).expect("JSON"));

/// The same, its schemas written as JSON Schema has them.
static PLAIN: LazyLock<Value> = LazyLock::new(|| plain(&DESCRIPTION));

/// One operation.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) path: &'static str,
    pub(crate) method: &'static str,
    pub(crate) about: &'static Value,
}

impl Operation {
    pub(crate) fn id(&self) -> &'static str {
        self.about["operationId"].as_str().expect("a name")
    }

    pub(crate) fn is_secured(&self) -> bool {
        !self.about["security"].as_array().expect("said of each").is_empty()
    }

    /// Its parameters, as the description has them.
    pub(crate) fn parameters(&self) -> &'static [Value] {
        self.about["parameters"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// The type of its body, and how that is described.
    pub(crate) fn body(&self) -> Option<(&'static str, &'static Value)> {
        let types = self.about["requestBody"]["content"].as_object()?;
        types.iter().next().map(|(name, about)| (name.as_str(), about))
    }

    /// What it may answer: the status, and the types of the body with how they are described.
    pub(crate) fn answers(&self) -> Vec<(u16, &'static Value)> {
        let answers = self.about["responses"].as_object().expect("answers").iter();
        answers.map(|(status, about)| (status.parse().expect("a status"), place(about))).collect()
    }

    fn fits(&self, path: &str) -> Option<usize> {
        let (mut names, mut given) = (0, path.split('/'));
        for segment in self.path.split('/') {
            let is_name = !segment.starts_with('{');
            if given.next()? != segment && is_name {
                return None;
            }
            names += usize::from(is_name);
        }
        given.next().is_none().then_some(names)
    }
}

pub(crate) fn operations() -> impl Iterator<Item = Operation> {
    DESCRIPTION["paths"].as_object().expect("paths").iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").iter();
        methods.map(move |(method, about)| Operation { path, method, about })
    })
}

/// The operation that a request is for, if there is one.
pub(crate) fn operation(method: &str, path: &str) -> Option<Operation> {
    let fitting = operations().filter(|it| it.method.eq_ignore_ascii_case(method));
    let fitting = fitting.filter_map(|it| Some((it.fits(path)?, it)));
    fitting.max_by_key(|(names, _)| *names).map(|(_, operation)| operation)
}

/// Follows a reference, if this is one.
pub(crate) fn place(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str().and_then(|it| it.strip_prefix('#')) {
        Some(pointer) => DESCRIPTION.pointer(pointer).expect("what is referred to"),
        None => value,
    }
}

/// What is wrong with a value, by a schema of the description; nothing, if it is right.
pub(crate) fn wrong(schema: &Value, value: &Value) -> Vec<String> {
    let validator = validator(schema);
    let errors = validator.iter_errors(value);
    errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Whether a value is right by a schema of the description.
pub(crate) fn validator(schema: &Value) -> Validator {
    let mut whole = plain(schema);
    whole["components"] = PLAIN["components"].clone();
    let options = jsonschema::options().with_draft(Draft::Draft202012);
    options.should_validate_formats(true).build(&whole).expect("a schema")
}

/// Holds an answer to the description, and returns which operation it is of.
///
/// # Panics
/// It is not as described.
pub(crate) fn check(
    method: &str,
    path: &str,
    (status, content_type): (u16, &str),
    body: &[u8],
) -> Option<&'static str> {
    let operation = operation(method, path)?;
    let shown = format!("{} answered {status}", operation.id());
    let answers = operation.answers();
    let found = answers.iter().find(|(described, _)| *described == status);
    let (_, answer) = found.unwrap_or_else(|| panic!("{shown}, which is not described"));
    let content_type = content_type.split(';').next().unwrap_or_default().trim();
    let Some(types) = answer["content"].as_object() else {
        assert!(body.is_empty(), "{shown} with a body");
        return Some(operation.id());
    };
    let about = types.get(content_type);
    let about = about.unwrap_or_else(|| panic!("{shown} with {content_type}, not as described"));
    let value = match content_type.ends_with("json") {
        true => serde_json::from_slice(body).expect("JSON"),
        false => json!(String::from_utf8_lossy(body)),
    };
    let wrong = wrong_body(content_type, &about["schema"], &value);
    assert!(wrong.is_empty(), "{shown}: {wrong:?} in {value}");
    Some(operation.id())
}

/// What is wrong with a body, the data of each of its events included.
pub(crate) fn wrong_body(content_type: &str, schema: &Value, body: &Value) -> Vec<String> {
    let mut all = wrong(schema, body);
    if content_type == "text/event-stream" {
        let lines = body.as_str().unwrap_or_default().lines();
        for data in lines.filter_map(|line| line.strip_prefix("data: ")) {
            let data: Value = serde_json::from_str(data).expect("JSON");
            all.extend(wrong(&schema["x-event-data"], &data));
        }
    }
    all
}

/// Writes schemas of OpenAPI 3.0 as those of JSON Schema.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => plain_object(fields),
        _ => value.clone(),
    }
}

fn plain_object(fields: &Map<String, Value>) -> Value {
    let mut fields: Map<String, Value> =
        fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
    if fields.get("exclusiveMinimum") == Some(&json!(true)) {
        let minimum = fields.remove("minimum").expect("a minimum");
        fields.insert("exclusiveMinimum".to_owned(), minimum);
    }
    match fields.remove("nullable") {
        Some(Value::Bool(true)) => json!({"anyOf": [fields, {"type": "null"}]}),
        Some(other) => {
            fields.insert("nullable".to_owned(), other);
            Value::Object(fields)
        }
        None => Value::Object(fields),
    }
}

#[test]
fn a_request_is_for_the_operation_with_the_most_names_in_its_path() {
    let id = |method, path| operation(method, path).map(|it| it.id());
    assert_eq!(id("GET", "/jobs/stats"), Some("get_job_stats"));
    assert_eq!(id("GET", "/jobs/1"), Some("get_job"));
    assert_eq!(id("GET", "/jobs/1/logs/follow"), Some("follow_job_logs"));
    assert_eq!(id("GET", "/jobs/1/logs/stdout"), Some("get_job_stream"));
    assert_eq!(id("PUT", "/jobs/1"), None);
}

#[test]
fn a_value_is_held_to_the_schemas_of_the_description() {
    let page = json!({"$ref": "#/components/schemas/UserPage"});
    assert_eq!(wrong(&page, &json!({"items": [], "next_cursor": null})), Vec::<String>::new());
    for value in [
        json!({"items": []}),
        json!({"items": null, "next_cursor": null}),
        json!({"items": [{}], "next_cursor": null}),
        json!({"items": [], "next_cursor": 1}),
    ] {
        assert_ne!(wrong(&page, &value), Vec::<String>::new(), "{value}");
    }
    let update = json!({"$ref": "#/components/schemas/QueueUpdate"});
    for (value, is_right) in [
        (json!({"weight": 0}), false),
        (json!({"weight": 0.1}), true),
        (json!({"weight": null}), false),
        (json!({"weight": 1000.5}), false),
        (json!({"paused": true, "x": 1}), false),
    ] {
        assert_eq!(wrong(&update, &value).is_empty(), is_right, "{value}");
    }
}
