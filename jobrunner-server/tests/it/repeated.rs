//! Requests that are sent again under the same key.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;

#[tokio::test]
async fn what_was_made_with_a_key_and_deleted_since_is_gone_and_not_made_again() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        let job = json!({"name": "j", "command": ["true"]});
        let batch = json!({"name": "b", "jobs": [job]});
        for (path, body) in [("/jobs", job), ("/job-batches", batch)] {
            let send = async |key: &str| {
                let request = app.request(Method::POST, path, &app.admin).json(&body);
                app.json(request.header("Idempotency-Key", key)).await
            };
            let (status, made) = send(&format!("nightly {path}")).await;
            assert_eq!(status, 202, "{made}");
            let id = made["id"].as_str().expect("an id");
            for (method, of) in [
                (Method::POST, format!("{path}/{id}/cancel")),
                (Method::DELETE, format!("{path}/{id}")),
            ] {
                let answer = app.request(method, &of, &app.admin).send().await.expect("an answer");
                assert!(answer.status().is_success(), "{of}: {}", answer.status());
            }

            let (status, problem) = send(&format!("nightly {path}")).await;
            let detail = problem["detail"].as_str().expect("a sentence");
            assert_eq!((status, &problem["title"]), (410, &Value::from("Gone")), "{problem}");
            assert!(detail.contains(id) && detail.contains("fresh key"), "{detail}");
            assert_eq!(app.stored().await, 0);
            assert_eq!(send(&format!("another of {path}")).await.0, 202);
            let of = format!(
                "{path}/{}/cancel",
                send(&format!("another of {path}")).await.1["id"].as_str().expect("an id")
            );
            app.request(Method::POST, &of, &app.admin).send().await.expect("an answer");
            let of = of.trim_end_matches("/cancel");
            app.request(Method::DELETE, of, &app.admin).send().await.expect("an answer");
        }
        app.stop().await;
    }
}
