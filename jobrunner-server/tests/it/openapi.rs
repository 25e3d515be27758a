use std::{fs, path::Path};

use serde_json::Value;

#[test]
fn the_committed_description_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let current = jobrunner_server::openapi();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&file, &current).expect("written");
    }
    let committed = fs::read_to_string(&file).expect("docs/openapi.json");
    assert!(committed == current, "stale; run: UPDATE_OPENAPI=1 cargo test -p jobrunner-server");
}

#[test]
fn every_operation_has_a_name_a_summary_and_its_errors() {
    let description: Value = serde_json::from_str(&jobrunner_server::openapi()).expect("JSON");
    let mut operations = 0;
    for (path, methods) in description["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let place = format!("{method} {path}");
            assert!(operation["operationId"].is_string(), "{place}");
            assert!(operation["summary"].is_string(), "{place}");
            let problem = &operation["responses"]["422"]["content"]["application/problem+json"];
            assert!(problem.is_object() || path == "/health", "{place}");
            operations += 1;
        }
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
    assert!(declared > 0 && operations == declared, "{operations} of {declared} are described");
}
