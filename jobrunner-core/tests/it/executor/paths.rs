use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jobrunner_core::{attempt::Reason, executor::Run, workdir::AllowedRoots};

use super::{executor_within, job, run, run_by};

fn in_directory(directory: &Path, command: &[&str]) -> Run {
    let mut job = job(command);
    job.spec.working_dir = directory.display().to_string();
    job
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("plain"), "no program").expect("a file");
    let cases = [
        (vec!["no-such-program"], "program \"no-such-program\" was not found in PATH"),
        (vec!["./missing"], "program \"./missing\" does not exist"),
        (vec!["./plain"], "program \"./plain\" cannot be run: Permission denied"),
        (vec!["/"], "program \"/\" cannot be run: it is not a file"),
    ];
    for (command, sentence) in cases {
        let ran = run(&in_directory(directory.path(), &command)).await;
        assert_eq!(ran.outcome.reason, Some(Reason::SpawnFailed));
        assert!(ran.error().starts_with(sentence), "{}", ran.error());
        assert_eq!(ran.outcome.exit_code, None);
    }
}

#[tokio::test]
async fn a_working_directory_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    fs::write(&file, "").expect("a file");
    let missing = directory.path().join("missing");
    let below_file = file.join("below");
    let cases = [
        (&file, "is not a directory"),
        (&missing, "does not exist"),
        (&below_file, "has a part that is not a directory"),
    ];
    for (path, why) in cases {
        let ran = run(&in_directory(path, &["true"])).await;
        assert_eq!(ran.outcome.reason, Some(Reason::WorkingDir));
        assert_eq!(ran.error(), format!("working directory {path:?} {why}"));
    }
}

#[tokio::test]
async fn p12_a_symbolic_link_does_not_lead_out_of_the_allowed_directories() {
    let directory = tempfile::tempdir().expect("a directory");
    let allowed = directory.path().join("allowed");
    fs::create_dir(&allowed).expect("a directory");
    symlink("/etc", allowed.join("escape")).expect("a link");
    let executor = executor_within(AllowedRoots::new([&allowed]).expect("absolute"));

    for path in [allowed.join("escape"), directory.path().join("allowed-evil"), "/etc".into()] {
        let ran = run_by(&executor, &in_directory(&path, &["pwd"])).await;
        assert_eq!(ran.outcome.reason, Some(Reason::WorkingDir), "{path:?}");
        assert!(ran.error().contains("must lie under one of the allowed directories"));
        assert_eq!(ran.stdout, b"");
    }
    let mut reading = in_directory(&allowed, &["pwd"]);
    assert_eq!(run_by(&executor, &reading).await.outcome.reason, None);
    reading.spec.inputs = vec![allowed.join("escape/passwd").display().to_string()];
    let ran = run_by(&executor, &reading).await;
    assert_eq!(ran.outcome.reason, Some(Reason::InputMissing));
}

#[tokio::test]
async fn links_within_the_allowed_directories_are_followed_absolute_ones_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let allowed = directory.path().join("allowed");
    fs::create_dir_all(allowed.join("builds/42")).expect("directories");
    symlink(allowed.join("builds/42"), allowed.join("latest")).expect("a link");
    symlink("builds/42", allowed.join("relative")).expect("a link");
    // The operator's own link to the root leads wherever the operator wants.
    let root = directory.path().join("root");
    symlink(&allowed, &root).expect("a link");
    let executor = executor_within(AllowedRoots::new([&root]).expect("absolute"));
    let real = allowed.canonicalize().expect("a path").join("builds/42");
    for path in [root.join("latest"), root.join("relative"), root.join("builds/42")] {
        let ran = run_by(&executor, &in_directory(&path, &["pwd", "-P"])).await;
        assert_eq!(ran.text().trim_end(), real.display().to_string(), "{:?}", ran.outcome);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_a_link_that_is_exchanged_all_the_time_never_lets_a_command_run_outside() {
    const SWAPS: u64 = 10_000;
    let directory = tempfile::tempdir().expect("a directory");
    let (allowed, outside) = (directory.path().join("allowed"), directory.path().join("outside"));
    fs::create_dir_all(allowed.join("inside")).expect("directories");
    fs::create_dir(&outside).expect("a directory");
    let link = allowed.join("link");
    symlink(allowed.join("inside"), &link).expect("a link");
    let executor = executor_within(AllowedRoots::new([&allowed]).expect("absolute"));
    let real = allowed.canonicalize().expect("a path").join("inside");

    let done = Arc::new(AtomicBool::new(false));
    let swapping = {
        let (done, link, allowed) = (Arc::clone(&done), link.clone(), allowed.clone());
        std::thread::spawn(move || {
            let mut swaps = 0;
            while !done.load(Ordering::Relaxed) || swaps < SWAPS {
                let target = if swaps % 2 == 0 { &outside } else { &allowed.join("inside") };
                symlink(target, allowed.join("next")).expect("a link");
                fs::rename(allowed.join("next"), &link).expect("exchanged");
                swaps += 1;
            }
            swaps
        })
    };
    let (mut ran_inside, mut refused) = (0, 0);
    // Both must have been seen, or nothing was tested.
    for _ in 0..2_000 {
        let ran = run_by(&executor, &in_directory(&link, &["pwd", "-P"])).await;
        match ran.outcome.reason {
            None => {
                assert_eq!(ran.text().trim_end(), real.display().to_string());
                ran_inside += 1;
            }
            Some(reason) => {
                assert_eq!(reason, Reason::WorkingDir, "{}", ran.error());
                refused += 1;
            }
        }
        if ran_inside >= 100 && refused >= 100 {
            break;
        }
    }
    done.store(true, Ordering::Relaxed);
    let swaps = swapping.join().expect("it ends");
    assert!(swaps >= SWAPS && ran_inside >= 10 && refused >= 10, "{swaps} {ran_inside} {refused}");
}

#[tokio::test]
async fn a_missing_input_is_named_and_nothing_is_started() {
    let directory = tempfile::tempdir().expect("a directory");
    let there = directory.path().join("there");
    fs::write(&there, "").expect("a file");
    let missing = directory.path().join("missing");
    let mut job = in_directory(directory.path(), &["touch", "started"]);

    job.spec.inputs = vec![there.display().to_string(), missing.display().to_string()];
    let ran = run(&job).await;
    assert_eq!(ran.outcome.reason, Some(Reason::InputMissing));
    assert_eq!(ran.error(), format!("input {missing:?} does not exist"));
    assert!(!directory.path().join("started").exists());

    job.spec.inputs.pop();
    assert_eq!(run(&job).await.outcome.reason, None);
    assert!(directory.path().join("started").exists());
}
