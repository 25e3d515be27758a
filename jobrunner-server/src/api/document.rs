//! The description of the API as it is served: what poem-openapi makes of the handlers, completed
//! by one rule after another.

mod errors;
mod examples;

use serde_json::{Map, Value, json};

use super::http::schema;

/// Completes a description.
///
/// # Panics
/// The handlers contradict each other; the tests would not pass.
pub(crate) fn complete(made: &str) -> Value {
    let mut document = serde_json::from_str(made).expect("poem-openapi writes JSON");
    for rule in [place_schemas, name_scopes, open_operations, errors::choose, examples::add] {
        rule(&mut document);
    }
    // Which writes down how null is to be read.
    document["openapi"] = json!("3.0.3");
    document
}

/// Every operation with its method.
fn operations(document: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    paths.filter_map(Value::as_object_mut).flatten()
}

/// The schemas of all types stand in `components`, made from what is really sent and read.
fn place_schemas(document: &mut Value) {
    let mut types = Map::new();
    schema::release(document, &mut types);
    document["components"]["schemas"] = Value::Object(types);
}

/// A flow of OAuth2 has scopes, if only none: without them a description is not valid.
fn name_scopes(document: &mut Value) {
    let schemes = document["components"]["securitySchemes"].as_object_mut();
    let flows = schemes.into_iter().flat_map(Map::values_mut);
    let flows = flows.filter_map(|scheme| scheme.get_mut("flows")?.as_object_mut());
    for flow in flows.flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        flow.entry("scopes").or_insert_with(|| json!({}));
    }
}

/// An operation that needs no token says so.
fn open_operations(document: &mut Value) {
    for (_, operation) in operations(document) {
        let Some(operation) = operation.as_object_mut() else { continue };
        operation.entry("security").or_insert_with(|| json!([]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_without_scopes_get_none_and_others_keep_theirs() {
        let mut document = json!({"components": {"securitySchemes": {
            "a": {"flows": {"password": {"tokenUrl": "/token"}}},
            "b": {"flows": {"password": {"scopes": {"read": "all"}}}},
            "c": {"type": "http"},
        }}});
        name_scopes(&mut document);
        let schemes = &document["components"]["securitySchemes"];
        assert_eq!(schemes["a"]["flows"]["password"]["scopes"], json!({}));
        assert_eq!(schemes["b"]["flows"]["password"]["scopes"], json!({"read": "all"}));
        assert_eq!(schemes["c"], json!({"type": "http"}));
    }

    #[test]
    fn operations_without_security_say_that_they_need_none() {
        let mut document = json!({"paths": {
            "/a": {"get": {}, "post": {"security": [{"password": []}]}},
        }});
        open_operations(&mut document);
        assert_eq!(document["paths"]["/a"]["get"]["security"], json!([]));
        assert_eq!(document["paths"]["/a"]["post"]["security"], json!([{"password": []}]));
    }
}
