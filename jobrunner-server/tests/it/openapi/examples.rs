//! Every request and every answer has an example, which is right.

use serde_json::Value;

use crate::description::{Operation, operations, place, wrong_body};

/// Everything of an operation that may have an example.
fn bodies(operation: &Operation) -> Vec<(String, &'static Value)> {
    let answers = operation.answers().into_iter().flat_map(|(status, about)| {
        let types = about["content"].as_object().into_iter().flatten();
        types.map(move |(name, about)| (format!("{status} {name}"), about))
    });
    let request = operation.body().map(|(name, about)| (format!("request {name}"), about));
    request.into_iter().chain(answers).collect()
}

#[test]
fn every_request_and_answer_has_an_example_that_fits_its_schema() {
    let mut count = 0;
    for operation in operations() {
        for (name, about) in bodies(&operation) {
            let shown = format!("{} {name}", operation.id());
            let example = about.get("example").unwrap_or_else(|| panic!("{shown} has none"));
            let kind = name.rsplit(' ').next().unwrap_or_default();
            let wrong = wrong_body(kind, &about["schema"], example);
            assert_eq!(wrong, Vec::<String>::new(), "{shown}");
            count += 1;
        }
    }
    assert!(count > 200, "{count}");
}

/// The example of an answer names every field, so that a reader sees what there is.
#[test]
fn the_example_of_an_answer_has_every_field() {
    for operation in operations() {
        for (name, about) in
            bodies(&operation).into_iter().filter(|(name, _)| name.starts_with('2'))
        {
            let schema = place(&about["schema"]);
            let Some(fields) = schema["properties"].as_object() else { continue };
            for field in fields.keys() {
                let is_there = about["example"].get(field).is_some();
                assert!(is_there, "{} {name} lacks {field}", operation.id());
            }
        }
    }
}
