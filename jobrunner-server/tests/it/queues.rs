//! The list of queues, page by page.

use reqwest::Method;
use serde_json::json;

use crate::app::TestApp;

#[tokio::test]
async fn queues_are_listed_in_pages_in_the_order_of_their_names() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        let names: Vec<String> = (0..7).map(|n| format!("queue-{n}")).collect();
        let jobs: Vec<_> = names
            .iter()
            .map(|queue| json!({"name": "job", "command": ["true"], "queue": queue}))
            .collect();
        let batch = app.request(Method::POST, "/job-batches", &app.admin);
        let (status, answer) = app.json(batch.json(&json!({"name": "b", "jobs": jobs}))).await;
        assert_eq!(status, 202, "{answer}");

        let (mut told, mut cursor) = (Vec::new(), String::new());
        for page in 1..=3 {
            let list = format!("/queues?limit=3{cursor}");
            let (status, answer) = app.json(app.request(Method::GET, &list, &app.admin)).await;
            assert_eq!(status, 200, "{answer}");
            for queue in answer["items"].as_array().expect("a list") {
                told.push(queue["name"].as_str().expect("a name").to_owned());
            }
            match answer["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => assert_eq!(page, 3),
            }
        }
        assert_eq!(told, names);
        let foreign = app.request(Method::GET, "/queues?cursor=a%20b", &app.admin);
        let (status, problem) = app.json(foreign).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("cursor")), "{problem}");
        app.stop().await;
    }
}
