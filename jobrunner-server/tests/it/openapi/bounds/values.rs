//! Fields of a body, and values for them.

use serde_json::{Map, Value, json};

use crate::description::{place, validator};

/// A field of a body.
pub(super) struct Field {
    /// As the server calls it: `jobs[0].retry.on[0]`.
    pub(super) name: String,
    pub(super) schema: &'static Value,
    steps: Vec<Step>,
}

#[derive(Clone)]
enum Step {
    Name(String),
    First,
}

impl Field {
    /// Puts a value in its place.
    pub(super) fn put(&self, body: &mut Value, value: Value) {
        *self.find(body) = value;
    }

    /// Takes a field of the object that this is.
    pub(super) fn take(&self, body: &mut Value, name: &str) {
        self.object(body).remove(name).expect("the example has what is required");
    }

    /// Adds a field to the object that this is.
    pub(super) fn add(&self, body: &mut Value, name: &str, value: Value) {
        self.object(body).insert(name.to_owned(), value);
    }

    /// The name of a field of the object that this is.
    pub(super) fn inner(&self, name: &str) -> String {
        inner(&self.name, name)
    }

    fn object<'a>(&self, body: &'a mut Value) -> &'a mut Map<String, Value> {
        self.find(body).as_object_mut().expect("an object")
    }

    fn find<'a>(&self, body: &'a mut Value) -> &'a mut Value {
        self.steps.iter().fold(body, |value, step| match step {
            Step::Name(name) => &mut value[name],
            Step::First => {
                if !value.is_array() {
                    *value = json!([null]);
                }
                &mut value[0]
            }
        })
    }
}

fn inner(outer: &str, name: &str) -> String {
    if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") }
}

/// Every field of a body, those of inner objects and the first items of lists included.
pub(super) fn fields(schema: &'static Value, example: &Value) -> Vec<Field> {
    let mut all = Vec::new();
    walk(Field { name: String::new(), schema, steps: Vec::new() }, example, &mut all);
    all.remove(0);
    all
}

/// The objects among them that are there in the example, the body itself included.
pub(super) fn objects(schema: &'static Value, example: &Value) -> Vec<Field> {
    let mut all = Vec::new();
    walk(Field { name: String::new(), schema, steps: Vec::new() }, example, &mut all);
    let plain = |mut field: Field| {
        field.schema = plain(field.schema);
        field
    };
    let all = all.into_iter().map(plain);
    all.filter(|field| {
        let is_there = field.steps.iter().try_fold(example, |value, step| match step {
            Step::Name(name) => value.get(name),
            Step::First => value.get(0),
        });
        field.schema["properties"].is_object() && is_there.is_some_and(Value::is_object)
    })
    .collect()
}

/// The schema itself, behind a reference and beside null.
fn plain(schema: &'static Value) -> &'static Value {
    let schema = place(schema);
    let inner = ["allOf", "anyOf"].into_iter().find_map(|it| schema[it].get(0));
    inner.map_or(schema, plain)
}

fn walk(field: Field, example: &Value, all: &mut Vec<Field>) {
    let schema = plain(field.schema);
    let (name, steps) = (field.name.clone(), field.steps.clone());
    all.push(field);
    let step = |step: Step| steps.iter().cloned().chain([step]).collect::<Vec<_>>();
    for (inner_name, inner_schema) in schema["properties"].as_object().into_iter().flatten() {
        let steps = step(Step::Name(inner_name.clone()));
        let field = Field { name: inner(&name, inner_name), schema: inner_schema, steps };
        walk(field, &example[inner_name], all);
    }
    if schema["additionalProperties"].is_object() {
        let steps = step(Step::Name("A".to_owned()));
        let name = inner(&name, "A");
        walk(Field { name, schema: &schema["additionalProperties"], steps }, &Value::Null, all);
    }
    if schema["items"].is_object() {
        let (name, steps) = (format!("{name}[0]"), step(Step::First));
        walk(Field { name, schema: &schema["items"], steps }, &example[0], all);
    }
}

/// Texts of all kinds, some of which any rule refuses.
const TEXTS: [&str; 12] =
    ["", "a", "A", "a b", " ", "é", "a\0b", "a\nb", "-1", "1:2:3", "/a", "2026-11-25T09:10:11Z"];

/// Values for a field: at its bounds, beyond them, its words, and of all kinds.
pub(super) fn samples(schema: &'static Value) -> Vec<Value> {
    let schema = plain(schema);
    let mut samples = vec![json!(null), json!(true), json!({}), json!([]), json!([null])];
    samples.extend([json!(-1), json!(0), json!(1), json!(1.5)]);
    samples.extend(TEXTS.map(|text| json!(text)));
    samples.extend(schema["enum"].as_array().into_iter().flatten().cloned());
    if let Some(choices) = schema["oneOf"].as_array() {
        samples.extend(choices.iter().flat_map(|choice| samples_of_bounds(plain(choice))));
    }
    samples.extend(samples_of_bounds(schema));
    samples
}

fn samples_of_bounds(schema: &'static Value) -> Vec<Value> {
    let mut samples = Vec::new();
    for bound in ["minimum", "maximum"] {
        if let Some(bound) = schema[bound].as_i64() {
            samples.extend([json!(bound - 1), json!(bound), json!(bound + 1)]);
        } else if let Some(bound) = schema[bound].as_f64() {
            samples.extend([json!(bound - 0.5), json!(bound), json!(bound + 0.5)]);
        }
    }
    for bound in ["minLength", "maxLength"] {
        if let Some(bound) = schema[bound].as_u64() {
            samples.extend((bound.saturating_sub(1)..=bound + 1).flat_map(|it| long(schema, it)));
        }
    }
    for bound in ["minItems", "maxItems"] {
        // What is stored of a hundred thousand jobs is looked at by other tests.
        let Some(bound) = schema[bound].as_u64() else { continue };
        let least = if bound > 10_000 { bound + 1 } else { bound.saturating_sub(1) };
        samples.extend((least..=bound + 1).map(|count| {
            let item = plain(&schema["items"]);
            let item = item.get("example").cloned().unwrap_or_else(|| right(item));
            Value::Array(vec![item; usize::try_from(count).expect("a length")])
        }));
    }
    samples
}

/// A value that a schema allows, if it is one of a text or of a job.
fn right(schema: &'static Value) -> Value {
    if schema["properties"]["command"].is_object() {
        return json!({"name": "j", "command": ["true"]});
    }
    let validator = validator(schema);
    let texts = ["a", "/a", "a@b"].map(|text| json!(text));
    texts.into_iter().find(|text| validator.is_valid(text)).unwrap_or(Value::Null)
}

/// A text of a length that a pattern allows, if one of these forms does.
fn long(schema: &'static Value, length: u64) -> Option<Value> {
    let length = usize::try_from(length).expect("a length");
    let pattern = json!({"type": "string", "pattern": schema["pattern"].as_str().unwrap_or("")});
    let validator = validator(&pattern);
    // A password of one letter is guessed at once.
    let filler = if schema["format"] == "password" { "k7#Qz!mW2p$L vX9" } else { "a" };
    let forms = ["", "/", "a@"].map(|start| {
        let filled = filler.chars().cycle().take(length.saturating_sub(start.len()));
        json!(start.chars().chain(filled).collect::<String>())
    });
    let fits = |text: &Value| text.as_str().is_some_and(|text| text.len() == length);
    forms
        .into_iter()
        .filter(fits)
        .find(|text| validator.is_valid(text))
        .or_else(|| (length == 0).then(|| json!("")))
}

/// Texts for a parameter.
pub(super) fn texts(schema: &'static Value) -> Vec<String> {
    let schema = place(schema);
    let mut texts = TEXTS.map(str::to_owned).to_vec();
    texts.extend(["0", "1", "1.5", "4294967295", "18446744073709551616"].map(str::to_owned));
    texts.push("0198c6f0-1234-7abc-8def-0123456789ab".to_owned());
    texts.push("0198C6F0-1234-7ABC-8DEF-0123456789AB".to_owned());
    let samples = samples_of_bounds(schema).into_iter();
    texts.extend(samples.map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned)));
    let words = schema["enum"].as_array().into_iter().flatten();
    texts.extend(words.map(|word| word.as_str().expect("a word").to_owned()));
    texts
}

/// A text as the value that a schema speaks of.
pub(super) fn read(schema: &'static Value, text: &str) -> Value {
    match place(schema)["type"].as_str() {
        Some("integer") => match (text.parse::<u64>(), schema["format"].as_str()) {
            // JSON Schema knows no bounds of these formats.
            (Ok(number), Some("uint32")) if number > u32::MAX.into() => Value::Null,
            (Ok(number), _) => json!(number),
            (Err(_), _) => json!(text),
        },
        _ => json!(text),
    }
}
