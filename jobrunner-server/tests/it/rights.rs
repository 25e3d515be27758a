//! Who may do what: every operation of the description, by everybody who there can be.

use std::collections::BTreeMap;

use jobrunner_core::{
    BatchId, JobId, JobSpec, NewBatch, ProjectName, ProjectRole, SeriesId, UserId,
    series::TestId,
    store::{BatchOrder, engine::identity},
    testkit::{new_batch, spec},
    user::Scope,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::TestApp,
    description::{Operation, operations},
};

/// What somebody needs for an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    /// No account.
    Nothing,
    /// Any account.
    Account,
    /// The role operator.
    Operator,
    /// The role admin.
    Admin,
    /// To see the thing: to own it, to be a member of its project, or admin.
    Sight,
    /// To be operator, and to own the thing or to operate its project; or admin.
    Control,
    /// To be operator, and to operate the project; or admin.
    Submission,
    /// To control the thing, and to submit to its project.
    Repetition,
    /// To be a member of the project, or admin.
    Membership,
    /// To be operator, and maintainer of the project; or admin.
    Maintenance,
    /// To be admin, of a project that others may see.
    Projects,
    /// To own what nobody here does.
    Anothers,
}

const NEEDS: &[(&str, Needs)] = &[
    ("get_health", Needs::Nothing),
    ("get_liveness", Needs::Nothing),
    ("sign_in", Needs::Nothing),
    ("sign_out", Needs::Account),
    ("get_me", Needs::Account),
    ("update_me", Needs::Account),
    ("create_token", Needs::Account),
    ("list_tokens", Needs::Account),
    ("delete_token", Needs::Anothers),
    ("list_users", Needs::Admin),
    ("create_user", Needs::Admin),
    ("get_user", Needs::Admin),
    ("update_user", Needs::Admin),
    ("disable_user", Needs::Admin),
    ("list_audit_events", Needs::Admin),
    ("list_queues", Needs::Operator),
    ("update_queue", Needs::Admin),
    ("list_workers", Needs::Operator),
    ("drain_worker", Needs::Admin),
    ("create_known_issue", Needs::Operator),
    ("list_known_issues", Needs::Account),
    ("get_known_issue", Needs::Anothers),
    ("update_known_issue", Needs::Anothers),
    ("delete_known_issue", Needs::Anothers),
    ("create_notification", Needs::Operator),
    ("list_notifications", Needs::Account),
    ("get_notification", Needs::Anothers),
    ("update_notification", Needs::Anothers),
    ("delete_notification", Needs::Anothers),
    ("test_notification", Needs::Anothers),
    ("list_deliveries", Needs::Anothers),
    ("redeliver", Needs::Anothers),
    ("create_project", Needs::Admin),
    ("list_projects", Needs::Account),
    ("get_project", Needs::Membership),
    ("update_project", Needs::Maintenance),
    ("delete_project", Needs::Projects),
    ("list_project_members", Needs::Membership),
    ("set_project_member", Needs::Maintenance),
    ("remove_project_member", Needs::Maintenance),
    ("submit_job", Needs::Submission),
    ("list_jobs", Needs::Account),
    ("get_job_stats", Needs::Account),
    ("cancel_jobs", Needs::Operator),
    ("get_job", Needs::Sight),
    ("list_attempts", Needs::Sight),
    ("list_cases", Needs::Sight),
    ("list_holds", Needs::Sight),
    ("get_job_logs", Needs::Sight),
    ("get_job_stream", Needs::Sight),
    ("follow_job_logs", Needs::Sight),
    ("cancel_job", Needs::Control),
    ("rerun_job", Needs::Repetition),
    ("delete_job", Needs::Control),
    ("submit_batch", Needs::Submission),
    ("list_batches", Needs::Account),
    ("get_batch", Needs::Sight),
    ("list_batch_jobs", Needs::Sight),
    ("get_batch_causes", Needs::Sight),
    ("get_batch_timeline", Needs::Sight),
    ("get_batch_junit", Needs::Sight),
    ("get_batch_verdict", Needs::Sight),
    ("list_batch_tests", Needs::Sight),
    ("list_series", Needs::Account),
    ("get_series", Needs::Sight),
    ("list_series_runs", Needs::Sight),
    ("list_series_tests", Needs::Sight),
    ("get_series_grid", Needs::Sight),
    ("get_test", Needs::Sight),
    ("list_test_results", Needs::Sight),
    ("compare_batches", Needs::Sight),
    ("list_compared_tests", Needs::Sight),
    ("watch_batch", Needs::Sight),
    ("cancel_batch", Needs::Control),
    ("rerun_batch", Needs::Repetition),
    ("delete_batch", Needs::Control),
];

/// Whose the thing is that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The caller's own, in a project that they are no member of.
    Owner,
    /// Another's, in a project of the caller's.
    Member(ProjectRole),
    /// Another's, in a project that the caller is no member of.
    Stranger,
}

/// What is answered, however it is carried out then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Taken,
    Forbidden,
    Unknown,
}

fn expected(needs: Needs, role: &str, standing: Standing) -> Answer {
    use Answer::{Forbidden, Taken, Unknown};
    let of = match standing {
        Standing::Member(of) => Some(of),
        Standing::Owner | Standing::Stranger => None,
    };
    let (is_admin, is_operator) = (role == "admin", role != "viewer");
    let is_owner = standing == Standing::Owner;
    let operates = is_operator && of.is_some_and(|of| of != ProjectRole::Viewer);
    let either = |may: bool, sees: bool| match (may || is_admin, sees) {
        (true, _) => Taken,
        (false, true) => Forbidden,
        (false, false) => Unknown,
    };
    match needs {
        Needs::Nothing | Needs::Account => Taken,
        Needs::Operator => either(is_operator, true),
        Needs::Admin => either(false, true),
        Needs::Sight => either(is_owner || of.is_some(), false),
        Needs::Control => either(is_operator && is_owner || operates, is_owner || of.is_some()),
        Needs::Submission => either(operates, !is_operator || of.is_some()),
        Needs::Repetition => either(operates, is_owner && !is_operator || of.is_some()),
        Needs::Membership => either(of.is_some(), false),
        Needs::Maintenance => {
            either(is_operator && of == Some(ProjectRole::Maintainer), of.is_some())
        }
        Needs::Projects => either(false, of.is_some()),
        Needs::Anothers => Unknown,
    }
}

fn web() -> ProjectName {
    "web".parse().expect("a name")
}

/// What operations can be about, made anew for each, since some forget it.
struct Things {
    job: JobId,
    batch: BatchId,
    series: SeriesId,
    test: TestId,
    user: String,
    member: String,
    worker: String,
}

impl Things {
    async fn new(app: &TestApp, owner: UserId, member: &str, worker: &str) -> Self {
        let store = app.fixture().store;
        let in_it = || JobSpec { project: Some(web()), ..spec("in a project") };
        // A name of its own, so that its series is this owner's.
        let name = format!("in a project {owner} {}", BatchId::new());
        let batch = NewBatch { project: Some(web()), ..new_batch(&name) };
        let order = BatchOrder { owner, batch, idempotency: None };
        let batch = store.submit_batch(order, Box::new([Ok(in_it())].into_iter())).await;
        let batch = batch.expect("stored").id;
        let series = app.fixture().look_at_batch(batch).await.series_id.expect("a series");
        let of = store.series(series, Scope::All).await.expect("an answer").expect("a series");
        let test = TestId::new(of.number, identity::of_spec(&in_it()).cast_unsigned());
        let job = store.submit_job(owner, in_it(), None).await.expect("stored").id;
        let id = member.parse().expect("an id");
        store.set_member(&web(), id, ProjectRole::Viewer).await.expect("a member");
        Self {
            job,
            batch,
            series,
            test,
            user: member.to_owned(),
            member: member.to_owned(),
            worker: worker.to_owned(),
        }
    }

    fn url(&self, operation: &Operation) -> String {
        let id = match operation.path.split('/').nth(1) {
            Some("jobs") => self.job.to_string(),
            Some("job-batches") => self.batch.to_string(),
            Some("series") => self.series.to_string(),
            Some("tests") => self.test.to_string(),
            Some("users") => self.user.clone(),
            Some("workers") => self.worker.clone(),
            _ => UNKNOWN.to_owned(),
        };
        let name = if operation.path.starts_with("/projects") { "web" } else { "default" };
        filled(operation, &id, name).replace("{user_id}", &self.member)
    }
}

const UNKNOWN: &str = "0190b2f4-0000-7000-8000-000000000000";

fn filled(operation: &Operation, id: &str, name: &str) -> String {
    operation
        .path
        .replace("{id}", id)
        .replace("{name}", name)
        .replace("{stream}", "stdout")
        .replace("{class}", "new")
        .replace("{other}", id)
}

/// A body that is taken, of things in the project.
fn body(operation: &Operation, unique: usize) -> Option<Value> {
    let (content_type, about) = operation.body()?;
    if content_type != "application/json" {
        return None;
    }
    let mut body = about["example"].clone();
    match operation.id() {
        "submit_job" | "submit_batch" => body["project"] = json!("web"),
        "create_user" => body["email"] = json!(format!("new{unique}@example.com")),
        "create_project" => body["name"] = json!(format!("new{unique}")),
        "cancel_jobs" => body = json!({"owner": "me"}),
        "update_me" => body = json!({}),
        "create_token" => body["project"] = Value::Null,
        "update_user" => body = json!({"max_running_jobs": null}),
        _ => {}
    }
    Some(body)
}

async fn ask(app: &TestApp, operation: &Operation, url: &str, token: &str, unique: usize) -> u16 {
    let method = Method::from_bytes(operation.method.to_uppercase().as_bytes());
    let mut request = app.request(method.expect("a method"), url, token);
    if let Some(body) = body(operation, unique) {
        request = request.json(&body);
    }
    // Streams do not end, so that answers are not read.
    request.send().await.expect("an answer").status().as_u16()
}

/// Every operation × each role × the owner, each kind of member and a stranger; and nobody at all.
/// An operation that is not in the table fails.
#[tokio::test(flavor = "multi_thread")]
async fn p12_everybody_may_do_of_every_operation_what_their_roles_say() {
    let app = TestApp::start().await;
    let hand = app.hand().await;
    let worker = hand.session.to_string();
    let project = json!({"name": "web"});
    let made = app.json(app.request(Method::POST, "/projects", &app.admin).json(&project)).await;
    assert_eq!(made.0, 201, "{}", made.1);
    let id_of = async |token: &str| {
        let (_, me) = app.json(app.request(Method::GET, "/users/me", token)).await;
        me["id"].as_str().expect("an id").to_owned()
    };
    let member = id_of(&app.account("member@example.com", "viewer").await).await;
    let needs: BTreeMap<&str, Needs> = NEEDS.iter().copied().collect();
    let mut listed: Vec<Operation> = operations().collect();
    // It ends what the others are asked by.
    listed.sort_by_key(|operation| operation.id() == "sign_out");
    let standings = [
        Standing::Owner,
        Standing::Member(ProjectRole::Viewer),
        Standing::Member(ProjectRole::Operator),
        Standing::Member(ProjectRole::Maintainer),
        Standing::Stranger,
    ];
    let mut walked = 0;
    for role in ["viewer", "operator", "admin"] {
        for (number, standing) in standings.into_iter().enumerate() {
            let token = app.account(&format!("{role}{number}@example.com"), role).await;
            let id = id_of(&token).await;
            if let Standing::Member(of) = standing {
                let path = format!("/projects/web/members/{id}");
                let body = json!({"role": of.as_str()});
                let set = app.request(Method::PUT, &path, &app.admin).json(&body);
                assert_eq!(app.json(set).await.0, 200);
            }
            let owner = match standing {
                Standing::Owner => id.parse().expect("an id"),
                Standing::Member(_) | Standing::Stranger => UserId::new(),
            };
            for operation in &listed {
                let needed = needs.get(operation.id());
                let needed = *needed.unwrap_or_else(|| panic!("{} is not listed", operation.id()));
                if needed == Needs::Nothing {
                    assert!(!operation.is_secured(), "{}", operation.id());
                    continue;
                }
                let things = Things::new(&app, owner, &member, &worker).await;
                let url = things.url(operation);
                let answered = ask(&app, operation, &url, &token, walked).await;
                let place = format!("{} by {role}, {standing:?}: {answered}", operation.id());
                let expected = expected(needed, role, standing);
                let is = match answered {
                    401 => panic!("{place}"),
                    403 => Answer::Forbidden,
                    404 => Answer::Unknown,
                    500.. => panic!("{place}"),
                    _ => Answer::Taken,
                };
                assert_eq!(is, expected, "{place}");
                walked += 1;
            }
        }
    }
    for operation in listed.iter().filter(|operation| operation.is_secured()) {
        let things = Things::new(&app, UserId::new(), &member, &worker).await;
        let answered = ask(&app, operation, &things.url(operation), "no token", walked).await;
        assert_eq!(answered, 401, "{}", operation.id());
        walked += 1;
    }
    assert!(walked >= 15 * 48, "{walked}");
    app.stop().await;
}

/// By what it answers nobody finds out that something is there which they may not see.
#[tokio::test]
async fn p12_what_is_foreign_is_answered_as_what_is_absent() {
    let app = TestApp::start().await;
    let project = json!({"name": "web"});
    assert_eq!(
        app.json(app.request(Method::POST, "/projects", &app.admin).json(&project)).await.0,
        201
    );
    let token = app.account("stranger@example.com", "operator").await;
    let hand = app.hand().await;
    let member = UserId::new().to_string();
    let hidden = [
        Needs::Sight,
        Needs::Control,
        Needs::Repetition,
        Needs::Membership,
        Needs::Maintenance,
        Needs::Projects,
    ];
    let things = Things::new(&app, UserId::new(), &member, &hand.session.to_string()).await;
    let mut compared = 0;
    for operation in operations() {
        let needs =
            NEEDS.iter().find(|(id, needs)| *id == operation.id() && hidden.contains(needs));
        if needs.is_none() {
            continue;
        }
        let answer = async |url: &str| {
            let method = Method::from_bytes(operation.method.to_uppercase().as_bytes());
            let request = app.request(method.expect("a method"), url, &token);
            match body(&operation, 0) {
                Some(body) => app.json(request.json(&body)).await,
                None => app.json(request).await,
            }
        };
        let absent = filled(&operation, UNKNOWN, "absent").replace("{user_id}", &member);
        let foreign = answer(&things.url(&operation)).await;
        assert_eq!(foreign.0, 404, "{}: {}", operation.id(), foreign.1);
        assert_eq!(foreign, answer(&absent).await, "{}", operation.id());
        compared += 1;
    }
    assert!(compared >= 24, "{compared}");
    for path in ["/jobs", "/job-batches", "/projects"] {
        let (_, page) = app.json(app.request(Method::GET, path, &token)).await;
        assert_eq!(page["items"], json!([]), "{path}");
    }
    app.stop().await;
}
