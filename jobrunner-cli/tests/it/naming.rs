//! What jobs and batches may be called on the command line.

use serde_json::{Value, json};

use crate::{
    client::{jobrunner, text},
    service::{EMAIL, Service},
};

#[tokio::test]
async fn a_part_of_an_id_a_name_or_the_last_one_will_do() {
    let directory = tempfile::tempdir().expect("a directory");
    let home = tempfile::tempdir().expect("a directory");
    let service = Service::start(directory.path(), 0).await;
    let run = |arguments: &[&str]| {
        let ended = jobrunner(home.path(), &service.url, arguments);
        (ended.status.code(), text(&ended.stdout), text(&ended.stderr))
    };
    assert_eq!(run(&["login", "--email", EMAIL]).0, Some(0));
    let (code, _, said) = run(&["batch", "show", "@last"]);
    assert_eq!((code, said.lines().count()), (Some(66), 1), "{said}");

    let mut batches = Vec::new();
    for name in ["nightly", "nightly", "other"] {
        let jobs: Vec<Value> =
            (0..30).map(|n| json!({"name": n.to_string(), "command": ["true"]})).collect();
        let batch = json!({"name": name, "jobs": jobs});
        let (status, batch) = service.post("/job-batches", &batch).await;
        assert_eq!(status, 202, "{batch}");
        batches.push(batch["id"].as_str().expect("an id").to_owned());
    }
    let [first, newest, other] = &batches[..] else { panic!("three") };
    let digits = first.replace('-', "");
    for (named, meant) in [
        (first.as_str(), first),
        (&digits, first),
        (&digits[24..], first),
        (&digits[24..30], first),
        (&first[..30], first),
        ("nightly", newest),
        ("other", other),
        ("@last", other),
    ] {
        let (code, printed, said) = run(&["batch", "show", "-q", named]);
        assert_eq!(code, Some(0), "{named}: {said}");
        assert_eq!(printed.trim(), meant, "{named}");
    }

    // What a table shows of an id is enough to ask for it.
    let (_, table, _) = run(&["jobs", "list", "--batch", "nightly"]);
    let (_, ids, _) = run(&["jobs", "list", "--batch", "nightly", "-q"]);
    assert_eq!(table.lines().count(), 31);
    for (row, id) in table.lines().skip(1).zip(ids.lines()).take(5) {
        let shown = row.split_whitespace().next().expect("an id");
        assert!(id.ends_with(shown) && shown.len() == 8, "{shown} of {id}");
        for part in [shown, &shown[..6], &id[..35]] {
            let (code, printed, said) = run(&["jobs", "show", part, "-o", "json"]);
            assert_eq!(code, Some(0), "{part}: {said}");
            let job: Value = serde_json::from_str(&printed).expect("JSON");
            assert_eq!(job["id"], id);
        }
    }

    let (code, _, said) = run(&["jobs", "show", &digits[..6]]);
    assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains("is part of several ids") && said.contains("more digits"), "{said}");
    for (arguments, expected) in [
        (["jobs", "show", "ffffffff"], 66),
        (["batch", "show", "ffffffff"], 66),
        (["batch", "show", "nowhere"], 66),
        (["workers", "drain", "ffffffff"], 66),
        (["jobs", "show", "nightly"], 2),
        (["jobs", "show", "abc"], 2),
    ] {
        let (code, _, said) = run(&arguments);
        assert_eq!((code, said.lines().count()), (Some(expected), 1), "{arguments:?}: {said}");
    }
}
