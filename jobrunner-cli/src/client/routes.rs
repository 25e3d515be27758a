//! Every operation of the API that this command asks for, with what it sends and reads. A test
//! holds them to `docs/openapi.json`: each exists, and so does each parameter and each field.

use reqwest::{Method, Url};

/// An operation of the API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(super) method: &'static str,
    /// As the description has it, with `{id}` and the like.
    pub(super) path: &'static str,
    /// The parameters of the URL that are used.
    pub(super) query: &'static [&'static str],
}

impl Route {
    pub(super) fn method(&self) -> Method {
        // Each is a word of the standard.
        Method::from_bytes(self.method.as_bytes()).unwrap_or(Method::GET)
    }

    /// The URL below that of the API, with the parts of the path that differ.
    pub(super) fn url(&self, api: &Url, parts: &[&str]) -> Url {
        let mut url = api.clone();
        let mut parts = parts.iter();
        if let Ok(mut segments) = url.path_segments_mut() {
            for segment in self.path.trim_start_matches('/').split('/') {
                match segment.starts_with('{') {
                    true => segments.push(parts.next().copied().unwrap_or_default()),
                    false => segments.push(segment),
                };
            }
        }
        url
    }
}

macro_rules! routes {
    ($($name:ident: $method:ident $path:literal
       $(, asks [$($query:ident),+])? $(, takes $body:ty)? $(, gives $answer:ty)?;)+) => {
        $(pub(crate) const $name: Route = Route {
            method: stringify!($method),
            path: $path,
            query: &[$($(stringify!($query)),+)?],
        };)+

        /// All of them, with what turns a value of the description into the type and back.
        #[cfg(test)]
        fn all() -> Vec<tests::Used> {
            use tests::*;
            vec![$(Used {
                route: $name,
                body: None$(.or(Some(through::<$body> as Through)))?,
                answer: None$(.or(Some(through::<$answer> as Through)))?,
            }),+]
        }
    };
}

routes! {
    SIGN_IN: POST "/auth/token", takes PasswordGrant, gives Tokens;
    REFRESH: POST "/auth/token", takes RefreshGrant, gives Tokens;
    SIGN_OUT: DELETE "/auth/token";
    LIVE: GET "/health/live";
    ME: GET "/users/me", gives User;
    UPDATE_ME: PATCH "/users/me", takes OwnChange, gives User;
    USERS: GET "/users", asks [limit, cursor], gives Page<User>;
    CREATE_USER: POST "/users", takes NewUser, gives User;
    UPDATE_USER: PATCH "/users/{id}", takes UserChange, gives User;
    CREATE_TOKEN: POST "/tokens", takes NewToken, gives MadeToken;
    TOKENS: GET "/tokens", asks [owner_id, limit, cursor], gives Page<PersonalToken>;
    DELETE_TOKEN: DELETE "/tokens/{id}";
    CREATE_KNOWN_ISSUE: POST "/known-issues", takes NewKnownIssue, gives KnownIssue;
    KNOWN_ISSUES: GET "/known-issues", asks [limit, cursor, project, owner_id],
        gives Page<KnownIssue>;
    UPDATE_KNOWN_ISSUE: PATCH "/known-issues/{id}", takes KnownIssueChange, gives KnownIssue;
    DELETE_KNOWN_ISSUE: DELETE "/known-issues/{id}";
    CREATE_NOTIFICATION: POST "/notifications", takes NewNotification, gives Notification;
    NOTIFICATIONS: GET "/notifications", asks [limit, cursor], gives Page<Notification>;
    UPDATE_NOTIFICATION: PATCH "/notifications/{id}", takes NotificationChange,
        gives Notification;
    DELETE_NOTIFICATION: DELETE "/notifications/{id}";
    TEST_NOTIFICATION: POST "/notifications/{id}/test", gives Delivery;
    DELIVERIES: GET "/notifications/{id}/deliveries", asks [limit, cursor], gives Page<Delivery>;
    REDELIVER: POST "/deliveries/{id}/redeliver", gives Delivery;
    PROJECTS: GET "/projects", asks [limit, cursor], gives Page<Project>;
    CREATE_PROJECT: POST "/projects", takes NewProject, gives Project;
    PROJECT: GET "/projects/{name}", gives Project;
    UPDATE_PROJECT: PATCH "/projects/{name}", takes ProjectChange, gives Project;
    DELETE_PROJECT: DELETE "/projects/{name}";
    MEMBERS: GET "/projects/{name}/members", asks [limit, cursor], gives Page<Member>;
    SET_MEMBER: PUT "/projects/{name}/members/{user_id}", takes NewMember, gives Member;
    REMOVE_MEMBER: DELETE "/projects/{name}/members/{user_id}";
    SUBMIT_JOB: POST "/jobs", takes NewJob, gives Job;
    JOBS: GET "/jobs",
        asks [id, status, batch_id, queue, owner_id, project, name, reason, sort, limit, cursor],
        gives Page<Job>;
    JOB_STATS: GET "/jobs/stats", asks [owner_id], gives Counts;
    CANCEL_JOBS: POST "/jobs/cancel", takes CancelJobs, gives Canceled;
    JOB: GET "/jobs/{id}", gives Job;
    DELETE_JOB: DELETE "/jobs/{id}";
    CANCEL_JOB: POST "/jobs/{id}/cancel", gives Job;
    RERUN_JOB: POST "/jobs/{id}/rerun", gives Job;
    ATTEMPTS: GET "/jobs/{id}/attempts", gives Page<Attempt>;
    CASES: GET "/jobs/{id}/cases", asks [status, name, attempt, limit, cursor],
        gives Page<Case>;
    HOLDS: GET "/jobs/{id}/holds", gives Page<Hold>;
    LOGS: GET "/jobs/{id}/logs", asks [tail_bytes], gives Logs;
    STREAM: GET "/jobs/{id}/logs/{stream}", asks [attempt];
    FOLLOW: GET "/jobs/{id}/logs/follow", gives Data;
    SUBMIT_BATCH: POST "/job-batches", takes NewBatch, gives Batch;
    BATCHES: GET "/job-batches",
        asks [id, status, owner_id, project, name, limit, cursor], gives Page<Batch>;
    BATCH: GET "/job-batches/{id}", gives Batch;
    DELETE_BATCH: DELETE "/job-batches/{id}";
    BATCH_JOBS: GET "/job-batches/{id}/jobs", asks [status, sort, limit, cursor], gives Page<Job>;
    CANCEL_BATCH: POST "/job-batches/{id}/cancel", gives Batch;
    RERUN_BATCH: POST "/job-batches/{id}/rerun", takes Rerun, gives Batch;
    JUNIT: GET "/job-batches/{id}/junit.xml";
    CAUSES: GET "/job-batches/{id}/causes", gives Items<Cause>;
    TIMELINE: GET "/job-batches/{id}/timeline", gives Items<Moment>;
    VERDICT: GET "/job-batches/{id}/verdict", gives Verdict;
    CLASSIFIED: GET "/job-batches/{id}/verdict/{class}", asks [limit, cursor],
        gives Page<ClassifiedTest>;
    COMPARE: GET "/job-batches/{id}/compare/{other}", gives Comparison;
    COMPARED: GET "/job-batches/{id}/compare/{other}/{class}", asks [limit, cursor],
        gives Page<ClassifiedTest>;
    SERIES_LIST: GET "/series", asks [project, name, limit, cursor], gives Page<Series>;
    SERIES: GET "/series/{id}", gives Series;
    SERIES_RUNS: GET "/series/{id}/runs", asks [branch, limit, cursor], gives Page<Run>;
    SERIES_TESTS: GET "/series/{id}/tests", asks [status, name, branch, flaky, limit, cursor],
        gives Page<SeriesTest>;
    TEST: GET "/tests/{id}", gives Test;
    TEST_RESULTS: GET "/tests/{id}/results", asks [limit, cursor], gives Page<TestResult>;
    BATCH_EVENTS: GET "/job-batches/{id}/events", gives Batch;
    WORKERS: GET "/workers", gives Page<Worker>;
    DRAIN: POST "/workers/{id}/drain", gives Worker;
    QUEUES: GET "/queues", asks [limit, cursor], gives Page<QueueState>;
    UPDATE_QUEUE: PATCH "/queues/{name}", takes QueueChange, gives QueueState;
    AUDIT: GET "/audit-events", asks [actor_id, action, target_id, limit, cursor],
        gives Page<AuditEvent>;
}

#[cfg(test)]
mod tests {
    pub(super) use jobrunner_core::{
        Batch, Counts, Job, NewJob, Project, User,
        audit::AuditEvent,
        history::{Comparison, Run, Series, SeriesTest, Test, TestResult},
        insight::{Cause, Moment},
        job::{Attempt, Hold},
        lease::{QueueState, Worker},
        page::Page,
        project::Member,
        report::Case,
        user::PersonalToken,
        verdict::{ClassifiedTest, Verdict},
    };
    use serde::{Serialize, de::DeserializeOwned};
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::client::http::Problem;
    pub(super) use crate::client::{Delivery, NewNotification, Notification, NotificationChange};
    pub(super) use crate::client::{KnownIssue, KnownIssueChange, NewKnownIssue};
    pub(super) use crate::client::{session::Tokens, stream::Data, wire::*};

    pub(super) type Through = fn(&Value) -> Value;

    pub(super) struct Used {
        pub(super) route: Route,
        pub(super) body: Option<Through>,
        pub(super) answer: Option<Through>,
    }

    /// What the type keeps of a value.
    pub(super) fn through<T: Serialize + DeserializeOwned>(value: &Value) -> Value {
        let name = std::any::type_name::<T>();
        let read: T = serde_json::from_value(value.clone())
            .unwrap_or_else(|error| panic!("{name} cannot be read: {error}: {value}"));
        serde_json::to_value(read).expect("JSON")
    }

    fn description() -> Value {
        serde_json::from_str(include_str!("../../../docs/openapi.json")).expect("JSON")
    }

    /// A value with every field that a schema has.
    fn sample(description: &Value, schema: &Value) -> Value {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().expect("a name");
            return sample(description, &description["components"]["schemas"][name]);
        }
        for choices in ["allOf", "anyOf", "oneOf", "enum"] {
            if let Some(first) = schema[choices].as_array().and_then(|choices| choices.first()) {
                return if choices == "enum" { first.clone() } else { sample(description, first) };
            }
        }
        match (schema["type"].as_str(), schema["format"].as_str()) {
            (Some("array"), _) => json!([sample(description, &schema["items"])]),
            (Some("string"), Some("uuid")) => json!("0190b2f4-0000-7000-8000-000000000000"),
            (Some("string"), Some("date-time")) => json!("2026-11-27T20:00:00Z"),
            (Some("string"), _) => json!("text"),
            (Some("integer"), _) => json!(1),
            (Some("number"), _) => json!(1.5),
            (Some("boolean"), _) => json!(true),
            _ => {
                let fields = schema["properties"].as_object().cloned().unwrap_or_default();
                let samples =
                    fields.iter().map(|(name, field)| (name.clone(), sample(description, field)));
                samples.collect::<Map<_, _>>().into()
            }
        }
    }

    /// Every field that is in `kept` and not in `given`.
    fn unknown(given: &Value, kept: &Value, place: &str, found: &mut Vec<String>) {
        match (given, kept) {
            (Value::Object(given), Value::Object(kept)) => {
                for (name, value) in kept {
                    match given.get(name) {
                        Some(known) => unknown(known, value, &format!("{place}.{name}"), found),
                        None => found.push(format!("{place}.{name}")),
                    }
                }
            }
            (Value::Array(given), Value::Array(kept)) => {
                for (given, kept) in given.iter().zip(kept) {
                    unknown(given, kept, &format!("{place}[]"), found);
                }
            }
            _ => {}
        }
    }

    /// The schema of a body or an answer, of whatever type and status.
    fn schema(content: &Value) -> Option<&Value> {
        let schema = &content.as_object()?.values().next()?["schema"];
        // Of a stream, the schema of its events is told apart.
        Some(schema.get("x-event-data").unwrap_or(schema))
    }

    #[test]
    fn every_operation_parameter_and_field_is_in_the_description() {
        let description = description();
        let mut wrong = Vec::new();
        for Used { route, body, answer } in all() {
            let Route { method, path, query } = route;
            let operation = &description["paths"][path][method.to_lowercase()];
            if !operation.is_object() {
                wrong.push(format!("{method} {path}"));
                continue;
            }
            let parameters: Vec<&str> = operation["parameters"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default()
                .iter()
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            let missing = query.iter().filter(|name| !parameters.contains(name));
            wrong.extend(missing.map(|name| format!("{method} {path}?{name}")));
            if let Some(through) = body {
                let schema = schema(&operation["requestBody"]["content"]).expect("a body");
                let sample = sample(&description, schema);
                unknown(&sample, &through(&sample), &format!("{method} {path} body"), &mut wrong);
            }
            if let Some(through) = answer {
                let responses = operation["responses"].as_object().expect("answers");
                let (_, response) =
                    responses.iter().find(|(status, _)| status.starts_with('2')).expect("one");
                let sample = sample(&description, schema(&response["content"]).expect("a body"));
                unknown(&sample, &through(&sample), &format!("{method} {path}"), &mut wrong);
            }
        }
        assert!(wrong.is_empty(), "not in docs/openapi.json: {wrong:#?}");
        let problem = sample(&description, &json!({"$ref": "#/components/schemas/Problem"}));
        unknown(&problem, &through::<Problem>(&problem), "Problem", &mut wrong);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn what_is_not_in_the_description_is_found() {
        let given = json!({"a": 1, "b": [{"c": 1}]});
        let mut found = Vec::new();
        let kept = json!({"a": 1, "x": 0, "b": [{"c": 1, "y": null}]});
        unknown(&given, &kept, "it", &mut found);
        assert_eq!(found, ["it.b[].y", "it.x"]);
    }

    #[test]
    fn parts_of_a_path_cannot_leave_it() {
        let api = Url::parse("http://127.0.0.1:8000/below/api/v1").expect("a URL");
        let url = |name: &str| UPDATE_QUEUE.url(&api, &[name]).to_string();
        assert_eq!(url("nightly"), "http://127.0.0.1:8000/below/api/v1/queues/nightly");
        assert_eq!(url("a/b?c#d"), "http://127.0.0.1:8000/below/api/v1/queues/a%2Fb%3Fc%23d");
        assert_eq!(STREAM.url(&api, &["7", "stdout"]).path(), "/below/api/v1/jobs/7/logs/stdout");
    }
}
