//! Parameters that are one of a few words.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;

/// The words that a parameter of this name may be, `passed, failed`; nothing if it may be something else.
///
/// Read from the description of the API, once, when the first request has a word that is none of them.
pub(crate) fn of(parameter: &str) -> Option<&'static str> {
    static WORDS: LazyLock<BTreeMap<String, String>> =
        LazyLock::new(|| words(&crate::routes::description()).unwrap_or_default());
    WORDS.get(parameter).map(String::as_str)
}

fn words(description: &str) -> serde_json::Result<BTreeMap<String, String>> {
    let api: Value = serde_json::from_str(description)?;
    let operations = api["paths"].as_object().into_iter().flatten();
    let operations = operations.flat_map(|(_, path)| path.as_object().into_iter().flatten());
    let parameters =
        operations.flat_map(|(_, it)| it["parameters"].as_array().into_iter().flatten());
    let named = parameters.filter_map(|parameter| {
        let schema = api.pointer(parameter["schema"]["$ref"].as_str()?.strip_prefix('#')?)?;
        let words = schema["enum"].as_array()?.iter().filter_map(Value::as_str);
        let words: Vec<_> = words.collect();
        Some((parameter["name"].as_str()?.to_owned(), words.join(", ")))
    });
    Ok(named.collect())
}
