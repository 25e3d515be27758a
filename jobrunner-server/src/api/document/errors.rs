//! Which errors an operation may answer with. Handlers may return any; each operation keeps those
//! that something about it can lead to, and all of them are described in one place.

use serde_json::{Map, Value, json};

use super::operations;
use crate::api::http::problem::{DESCRIBED, Described, Failure, PROBLEM_JSON};

pub(super) fn choose(document: &mut Value) {
    for (method, operation) in operations(document) {
        let about = About::of(method, operation);
        let Some(responses) = operation["responses"].as_object_mut() else { continue };
        for error in &DESCRIBED {
            let status = error.status.as_str();
            let is_problem =
                responses.get(status).is_some_and(|it| it["content"].get(PROBLEM_JSON).is_some());
            if is_problem && about.may_answer(error.status.as_u16()) {
                let name = name(error.status.canonical_reason().unwrap_or_default());
                let reference = format!("#/components/responses/{name}");
                responses.insert(status.to_owned(), json!({"$ref": reference}));
            } else if is_problem {
                responses.remove(status);
            }
        }
    }
    document["components"]["responses"] = Value::Object(shared());
}

/// What the errors of an operation depend on.
struct About {
    has_path_parameter: bool,
    has_key: bool,
    has_body: bool,
    /// It may name one that is not there.
    names_a_thing: bool,
    is_secured: bool,
    is_read: bool,
    /// Passwords are checked or set by it.
    has_password: bool,
}

/// The operations to which passwords are sent.
const OF_PASSWORDS: [&str; 4] = ["sign_in", "update_me", "create_user", "update_user"];

/// The operations that name an account or a project in their body or query.
const OF_THINGS: [&str; 7] = [
    "cancel_jobs",
    "create_known_issue",
    "create_notification",
    "create_token",
    "list_tokens",
    "submit_job",
    "submit_batch",
];

impl About {
    fn of(method: &str, operation: &Value) -> Self {
        let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let any = |field: &str, value: &str| parameters.iter().any(|it| it[field] == value);
        Self {
            has_path_parameter: any("in", "path"),
            has_key: any("name", "Idempotency-Key"),
            has_body: operation.get("requestBody").is_some(),
            names_a_thing: operation["operationId"]
                .as_str()
                .is_some_and(|id| OF_THINGS.contains(&id)),
            is_secured: operation["security"].as_array().is_some_and(|it| !it.is_empty()),
            is_read: method == "get",
            has_password: operation["operationId"]
                .as_str()
                .is_some_and(|id| OF_PASSWORDS.contains(&id)),
        }
    }

    fn may_answer(&self, status: u16) -> bool {
        match status {
            400 | 408 | 413 | 415 => self.has_body,
            // The password may be wrong where no token is needed.
            401 => self.is_secured || self.has_body,
            403 => self.is_secured,
            404 => self.has_path_parameter || self.names_a_thing,
            409 => self.is_secured && !self.is_read,
            410 => self.has_key,
            429 => self.has_password,
            _ => true,
        }
    }
}

/// The errors, by their names.
fn shared() -> Map<String, Value> {
    let response = |error: &Described| {
        let name = name(error.status.canonical_reason().unwrap_or_default());
        let schema = json!({"$ref": "#/components/schemas/Problem"});
        let example = Failure::new(error.status, error.example).into_problem();
        let content = json!({PROBLEM_JSON: {"schema": schema, "example": example}});
        (name, json!({"description": error.about, "content": content}))
    };
    DESCRIBED.iter().map(response).collect()
}

/// A name for a program: `NotFound`.
fn name(reason: &str) -> String {
    reason.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(method: &str, operation: &Value) -> Vec<String> {
        let all = DESCRIBED.iter().map(|error| {
            let content = json!({PROBLEM_JSON: {}});
            (error.status.as_str().to_owned(), json!({"content": content}))
        });
        let mut operation = operation.clone();
        operation["responses"] = Value::Object(all.collect());
        operation["responses"]["200"] = json!({"content": {"application/json": {}}});
        let mut document = json!({"paths": {"/a": {method: operation}}, "components": {}});
        choose(&mut document);
        let responses = document["paths"]["/a"][method]["responses"].as_object().cloned();
        responses.expect("responses").keys().cloned().collect()
    }

    #[test]
    fn an_operation_has_the_errors_that_something_about_it_can_lead_to() {
        let open = json!({"security": []});
        assert_eq!(statuses("get", &open), ["200", "422", "500", "503"]);
        let one = json!({
            "security": [{"password": []}],
            "parameters": [{"in": "path", "name": "id"}],
        });
        assert_eq!(statuses("get", &one), ["200", "401", "403", "404", "422", "500", "503"]);
        let password = json!({"security": [], "operationId": "sign_in"});
        assert_eq!(statuses("get", &password), ["200", "422", "429", "500", "503"]);
        let submit = json!({
            "security": [{"password": []}],
            "parameters": [{"in": "header", "name": "Idempotency-Key"}],
            "requestBody": {},
        });
        let expected =
            ["200", "400", "401", "403", "408", "409", "410", "413", "415", "422", "500", "503"];
        assert_eq!(statuses("post", &submit), expected);
    }

    #[test]
    fn an_error_with_a_body_of_its_own_keeps_it() {
        let content = json!({"application/json": {}});
        let operation = json!({"security": [], "responses": {
            "503": {"content": content},
        }});
        let mut document = json!({"paths": {"/a": {"get": operation}}, "components": {}});
        choose(&mut document);
        let kept = &document["paths"]["/a"]["get"]["responses"]["503"]["content"];
        assert_eq!(*kept, content);
        let problem = &document["components"]["responses"]["NotFound"]["content"][PROBLEM_JSON];
        assert_eq!(problem["example"]["status"], 404);
    }
}
