use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use crate::description::{DESCRIPTION, operations, place};

#[test]
fn the_committed_description_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let current = jobrunner_server::openapi();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&file, current).expect("written");
    }
    let committed = fs::read_to_string(&file).expect("docs/openapi.json");
    assert!(committed == current, "stale; run: UPDATE_OPENAPI=1 cargo test -p jobrunner-server");
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_its_errors() {
    let mut names = BTreeSet::new();
    for operation in operations() {
        let id = operation.id();
        assert!(names.insert(id), "{id} is there twice");
        assert!(operation.about["summary"].is_string(), "{id}");
        let statuses: Vec<u16> = operation.answers().iter().map(|(status, _)| *status).collect();
        assert!(statuses.contains(&422), "{id}: {statuses:?}");
        assert_eq!(statuses.contains(&403), operation.is_secured(), "{id}: {statuses:?}");
        let has_id = operation.path.contains('{');
        // These may name an account or a project in their body or query.
        let naming = [
            "cancel_jobs",
            "create_known_issue",
            "create_notification",
            "create_token",
            "list_tokens",
            "submit_batch",
            "submit_job",
        ];
        let names_something = has_id || naming.contains(&id);
        assert_eq!(statuses.contains(&404), names_something, "{id}: {statuses:?}");
    }
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
    let mut declared = 0;
    for source in fs::read_dir(sources).expect("the handlers") {
        let source = source.expect("an entry").path();
        if source.extension().is_some_and(|extension| extension == "rs") {
            declared +=
                fs::read_to_string(source).expect("text").matches("operation_id = ").count();
        }
    }
    assert!(declared > 0 && names.len() == declared, "{names:?} of {declared} are described");
}

#[test]
fn only_the_sign_in_and_the_state_of_health_need_no_token() {
    let open: Vec<_> = operations().filter(|it| !it.is_secured()).map(|it| it.id()).collect();
    assert_eq!(open, ["sign_in", "get_health", "get_liveness"]);
}

/// Every schema, wherever it stands.
fn schemas(value: &'static Value, found: &mut Vec<&'static Value>) {
    match value {
        Value::Object(fields) => {
            if ["type", "allOf", "anyOf"]
                .iter()
                .any(|it| !value[it].is_object() && !value[it].is_null())
            {
                found.push(value);
            }
            let inner = fields.iter().filter(|(name, _)| *name != "example");
            inner.for_each(|(_, value)| schemas(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| schemas(value, found)),
        _ => {}
    }
}

#[test]
fn generators_of_code_find_only_what_they_can_read() {
    let mut found = Vec::new();
    schemas(&DESCRIPTION, &mut found);
    assert!(found.len() > 300, "{}", found.len());
    for schema in found {
        // What is chosen from has a name, or is null, so that nothing without a name is declared.
        for choice in ["anyOf", "allOf"].iter().flat_map(|it| schema[it].as_array()).flatten() {
            let is_null = choice["enum"] == json!([null]) && choice["nullable"] == true;
            assert!(is_null || place(choice)["type"].is_string(), "{schema}");
        }
        // `nullable` means nothing without a type.
        assert!(schema["type"].is_string() || schema.get("nullable").is_none(), "{schema}");
        // Some refuse a default that is no scalar.
        assert!(!schema["default"].is_array() && !schema["default"].is_object(), "{schema}");
    }
    assert!(!jobrunner_server::openapi().contains("x-held"));
}

#[test]
fn the_statuses_have_the_words_that_are_used_everywhere() {
    let words = &DESCRIPTION["components"]["schemas"]["Status"]["enum"];
    assert_eq!(*words, json!(["waiting", "running", "passed", "failed", "canceled"]));
}
