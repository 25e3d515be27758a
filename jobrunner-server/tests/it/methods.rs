//! Which methods a URL has.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::app::TestApp;

/// URLs that the description of the API does not have, and their methods.
const PAGES: [(&str, &str); 20] = [
    ("/", "GET"),
    ("/docs", "GET"),
    ("/assets/dashboard/pane.js", "GET"),
    ("/api/v1/openapi.json", "GET"),
    ("/sign-in", "GET POST"),
    ("/sign-out", "POST"),
    ("/live", "GET"),
    ("/batches/x", "GET"),
    ("/batches/x/cancel", "POST"),
    ("/batches/x/junit.xml", "GET"),
    ("/jobs", "GET"),
    ("/jobs/x", "GET"),
    ("/jobs/x/rerun", "POST"),
    ("/jobs/x/log", "GET"),
    ("/jobs/x/raw/stdout", "GET"),
    ("/workers/x/drain", "POST"),
    ("/queues/x", "POST"),
    ("/audit", "GET"),
    ("/users", "GET POST"),
    ("/users/x", "POST"),
];

/// Every URL with its methods.
fn urls() -> Vec<(String, Vec<String>)> {
    let description: Value = serde_json::from_str(jobrunner_server::openapi()).expect("JSON");
    let paths = description["paths"].as_object().expect("paths").iter();
    let of_api = paths.map(|(path, operations)| {
        let methods = operations.as_object().expect("methods").keys();
        let path = path.replace("{stream}", "stdout").replace(['{', '}'], "");
        (format!("/api/v1{path}"), methods.map(|method| method.to_uppercase()).collect())
    });
    let pages = PAGES.iter().map(|(path, methods)| {
        ((*path).to_owned(), methods.split(' ').map(str::to_owned).collect())
    });
    of_api.chain(pages).collect()
}

#[tokio::test]
async fn every_url_names_its_methods_when_asked_and_when_it_refuses_another() {
    let app = TestApp::start().await;
    for (path, mut methods) in urls() {
        let send = async |method: Method| {
            let request = app.http.request(method, format!("{}{path}", app.url));
            let answer = request.send().await.expect("an answer");
            let allow =
                answer.headers().get("allow").map(|it| it.to_str().expect("ASCII").to_owned());
            (answer.status(), allow, answer.bytes().await.expect("a body"))
        };
        let is_gettable = methods.iter().any(|method| method == "GET");
        methods.push("OPTIONS".to_owned());
        methods.extend(is_gettable.then(|| "HEAD".to_owned()));
        methods.sort();
        let expected = Some(methods.join(", "));

        let (status, allow, body) = send(Method::OPTIONS).await;
        assert_eq!((status, &allow, body.len()), (StatusCode::NO_CONTENT, &expected, 0), "{path}");
        for refused in ["PUT", "TRACE", "PATCH", "DELETE", "GET", "POST", "HEAD", "PURGE"] {
            if methods.iter().any(|method| method == refused) {
                continue;
            }
            let method = Method::from_bytes(refused.as_bytes()).expect("a method");
            let (status, allow, _) = send(method).await;
            assert_eq!(
                (status, &allow),
                (StatusCode::METHOD_NOT_ALLOWED, &expected),
                "{refused} {path}"
            );
        }
        if is_gettable {
            let (status, _, body) = send(Method::HEAD).await;
            assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            assert!(body.is_empty(), "{path}");
        }
    }
    for nothing in ["/nothing", "/api/v1/nothing", "/api/v1/jobs/x/y", "/api/v1"] {
        let request = app.http.request(Method::OPTIONS, format!("{}{nothing}", app.url));
        assert_eq!(
            request.send().await.expect("an answer").status(),
            StatusCode::NOT_FOUND,
            "{nothing}"
        );
    }
    app.stop().await;
}
