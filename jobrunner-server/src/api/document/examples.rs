//! An example for every request and every answer.

use serde_json::{Map, Value};

use super::operations;

/// By operation: `request`, and the answers by their statuses. A test holds them to the schemas,
/// and sends the requests.
const EXAMPLES: [&str; 11] = [
    include_str!("../examples/jobs.json"),
    include_str!("../examples/logs.json"),
    include_str!("../examples/batches.json"),
    include_str!("../examples/verdicts.json"),
    include_str!("../examples/known_issues.json"),
    include_str!("../examples/history.json"),
    include_str!("../examples/users.json"),
    include_str!("../examples/notifications.json"),
    include_str!("../examples/tokens.json"),
    include_str!("../examples/projects.json"),
    include_str!("../examples/fleet.json"),
];

pub(super) fn add(document: &mut Value) {
    let mut examples: Map<String, Value> = Map::new();
    for file in EXAMPLES {
        let read: Map<String, Value> = serde_json::from_str(file).expect("examples are JSON");
        examples.extend(read);
    }
    for (_, operation) in operations(document) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        let Some(Value::Object(mut of_operation)) = examples.remove(id) else { continue };
        if let Some(request) = of_operation.remove("request") {
            give(operation.get_mut("requestBody"), request);
        }
        for (status, example) in of_operation {
            give(operation["responses"].get_mut(status), example);
        }
    }
    let unknown: Vec<_> = examples.keys().collect();
    assert!(unknown.is_empty(), "there are no operations {unknown:?}");
}

/// Gives a request or an answer its example.
fn give(body: Option<&mut Value>, example: Value) {
    let types = body.and_then(|body| body["content"].as_object_mut());
    let types = types.unwrap_or_else(|| panic!("nothing is described that may have {example}"));
    types.values_mut().for_each(|media_type| media_type["example"] = example.clone());
}
