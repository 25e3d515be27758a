use crate::app::TestApp;

#[tokio::test]
async fn pages_and_their_files_are_served_with_the_headers_that_protect_them() {
    let app = TestApp::start().await;
    let cases = [
        ("/", 200, "text/html"),
        ("/sign-in", 200, "text/html"),
        ("/docs", 200, "text/html"),
        ("/assets/dashboard.css", 200, "text/css"),
        ("/assets/vendor/htmx.min.js", 200, "text/javascript"),
        ("/assets/docs.js", 200, "text/javascript"),
        ("/assets/swagger-ui/swagger-ui-bundle.js", 200, "text/javascript"),
        ("/assets/swagger-ui/swagger-ui.css", 200, "text/css"),
        ("/assets/nothing.js", 404, "application/problem+json"),
        ("/assets/../Cargo.toml", 404, "application/problem+json"),
        ("/nothing", 404, "application/problem+json"),
        ("/api/v1/nothing", 404, "application/problem+json"),
        ("/api/v1/openapi.json", 200, "application/json"),
        ("/api/v1/health", 200, "application/json"),
        ("/api/v1/health/live", 200, "application/json"),
        ("/api/v1/jobs", 401, "application/problem+json"),
    ];
    for (path, status, content_type) in cases {
        let answer = app.http.get(format!("{}{path}", app.url)).send().await.expect("an answer");
        let header = |name: &str| {
            answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        assert_eq!(answer.status(), status, "{path}");
        assert!(header("content-type").starts_with(content_type), "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("script-src 'self' 'unsafe-inline'"), "{path}: {policy}");
        if path.starts_with("/api/") {
            assert_eq!(header("cache-control"), "no-store", "{path}");
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn a_browser_keeps_files_and_asks_whether_they_are_still_right() {
    let app = TestApp::start().await;
    let url = format!("{}/assets/dashboard.css", app.url);
    let first = app.http.get(&url).send().await.expect("an answer");
    assert_eq!(first.headers()["cache-control"], "public, no-cache");
    let tag = first.headers()["etag"].to_str().expect("text").to_owned();
    assert!(!first.bytes().await.expect("a body").is_empty());
    for (kept, status) in [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        (format!("\"another\", {tag}"), 304),
        ("\"another\"".to_owned(), 200),
    ] {
        let request = app.http.get(&url).header("if-none-match", &kept);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{kept}");
        let is_sent = !answer.bytes().await.expect("a body").is_empty();
        assert_eq!(is_sent, status == 200, "{kept}");
    }
    app.stop().await;
}
