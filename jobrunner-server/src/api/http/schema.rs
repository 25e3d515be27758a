//! Schemas made from the types that are really read and written, by their attributes for serde.
//!
//! poem-openapi knows operations and parameters, but nothing of serde. So it is handed the number
//! of what makes each schema under the name [`HELD`], and [`release`] puts the schema into its
//! place when the description is made: every process knows its operations, and few ever describe
//! them, which takes megabytes.

use std::{
    ptr::fn_addr_eq,
    sync::{Mutex, PoisonError},
};

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use schemars::{
    JsonSchema, Schema,
    generate::{SchemaGenerator, SchemaSettings},
    transform::transform_subschemas,
};
use serde_json::{Map, Value, json};

const HELD: &str = "x-held";

/// Makes the schema of one type, and those of all types that it refers to.
type Maker = fn() -> Value;

/// What has been held, by number.
static MAKERS: Mutex<Vec<Maker>> = Mutex::new(Vec::new());

/// The schema of what is answered.
pub(crate) fn answered<T: JsonSchema>() -> MetaSchemaRef {
    held(|| made::<T>(SchemaSettings::openapi3().for_serialize(), Schema::to_value))
}

/// The schema of what is taken.
pub(crate) fn taken<T: JsonSchema>() -> MetaSchemaRef {
    held(|| made::<T>(SchemaSettings::openapi3().for_deserialize(), Schema::to_value))
}

/// The schema of server-sent events: text, in which the data of each event is such a value.
pub(crate) fn events<T: JsonSchema>() -> MetaSchemaRef {
    held(|| {
        let settings = SchemaSettings::openapi3().for_serialize();
        made::<T>(settings, |data| json!({"type": "string", "x-event-data": data}))
    })
}

fn held(maker: Maker) -> MetaSchemaRef {
    let mut makers = MAKERS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = makers.iter().position(|known| fn_addr_eq(*known, maker));
    let number = known.unwrap_or_else(|| {
        makers.push(maker);
        makers.len() - 1
    });
    let held = json!({HELD: number});
    MetaSchemaRef::Inline(Box::new(MetaSchema { example: Some(held), ..MetaSchema::ANY }))
}

fn maker(number: &Value) -> Option<Maker> {
    let number = usize::try_from(number.as_u64()?).ok()?;
    MAKERS.lock().unwrap_or_else(PoisonError::into_inner).get(number).copied()
}

fn made<T: JsonSchema>(settings: SchemaSettings, shape: impl FnOnce(Schema) -> Value) -> Value {
    let settings = settings
        .with_transform(typed_null)
        .with_transform(telling_default)
        .with_transform(plain_reference);
    let mut generator = SchemaGenerator::new(settings);
    let mut schema = generator.subschema_for::<T>();
    for transform in generator.transforms_mut() {
        transform.transform(&mut schema);
    }
    let types = generator.take_definitions(true);
    json!({"schema": shape(schema), "types": types})
}

/// Puts the schemas that a description holds into their places, and adds the types that they refer
/// to to `types`.
///
/// # Panics
/// Two different types have one name.
pub(crate) fn release(value: &mut Value, types: &mut Map<String, Value>) {
    if let Value::Object(fields) = value
        && let Some(make) = fields.get("example").and_then(|it| maker(it.get(HELD)?))
    {
        let held = make();
        fields.remove("example");
        fields.extend(object(&held["schema"]));
        for (name, schema) in object(&held["types"]) {
            let known = types.entry(&name).or_insert_with(|| schema.clone());
            assert_eq!(*known, schema, "two types are called {name}");
        }
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|it| release(it, types)),
        Value::Array(items) => items.iter_mut().for_each(|it| release(it, types)),
        _ => {}
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// Gives null a type where a schema is "a `Status` or null". In OpenAPI 3.0 `nullable` means
/// nothing without one, beside a reference as well.
fn typed_null(schema: &mut Schema) {
    transform_subschemas(&mut typed_null, schema);
    let is_null = schema.get("enum") == Some(&json!([null]));
    if is_null && schema.get("type").is_none() {
        schema.insert("type".to_owned(), json!("string"));
    }
}

/// Leaves out defaults that say nothing: that what is left out is null or empty.
fn telling_default(schema: &mut Schema) {
    transform_subschemas(&mut telling_default, schema);
    let says_nothing = match schema.get("default") {
        Some(Value::Null) => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(fields)) => fields.is_empty(),
        _ => false,
    };
    if says_nothing {
        schema.remove("default");
    }
}

/// Writes a reference with nothing beside it as such.
fn plain_reference(schema: &mut Schema) {
    transform_subschemas(&mut plain_reference, schema);
    let Some(fields) = schema.as_object_mut().filter(|fields| fields.len() == 1) else { return };
    let only = fields.get("allOf").and_then(Value::as_array).filter(|all| all.len() == 1);
    if let Some(Value::Object(only)) = only.and_then(|all| all.first()).cloned() {
        *fields = only;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Inner {
        a: u8,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        /// One.
        inner: Option<Inner>,
        text: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "String")]
        left_out: Option<String>,
        #[serde(default)]
        map: BTreeMap<String, String>,
    }

    fn released(schema: MetaSchemaRef) -> (Value, Map<String, Value>) {
        let mut types = Map::new();
        let mut value = json!({"schema": schema});
        release(&mut value, &mut types);
        (value["schema"].take(), types)
    }

    #[test]
    fn an_answer_has_all_fields_that_are_sent_and_null_where_it_is_sent() {
        let (schema, types) = released(answered::<Outer>());
        assert_eq!(schema, json!({"$ref": "#/components/schemas/Outer"}));
        assert_eq!(types["Outer"]["required"], json!(["inner", "text", "map"]));
        let fields = &types["Outer"]["properties"];
        let nothing = json!({"enum": [null], "nullable": true, "type": "string"});
        let inner = json!({
            "anyOf": [{"$ref": "#/components/schemas/Inner"}, nothing],
            "description": "One.",
        });
        assert_eq!(fields["inner"], inner);
        assert_eq!(fields["text"], json!({"type": "string", "nullable": true}));
        assert_eq!(fields["left_out"], json!({"type": "string"}));
        assert!(types.contains_key("Inner"));
    }

    #[test]
    fn a_request_needs_only_what_has_no_default_and_knows_no_other_fields() {
        let (_, types) = released(taken::<Outer>());
        assert_eq!(types["Outer"].get("required"), None);
        assert_eq!(types["Outer"]["additionalProperties"], json!(false));
        assert_eq!(types["Outer"]["properties"]["map"].get("default"), None);
    }

    #[test]
    fn what_was_said_of_a_schema_stays() {
        let mut value = json!({"schema": answered::<Inner>(), "description": "kept"});
        let mut types = Map::new();
        release(&mut value, &mut types);
        assert_eq!(value["description"], "kept");
        assert_eq!(types["Inner"]["properties"]["a"]["maximum"], 255);
    }
}
