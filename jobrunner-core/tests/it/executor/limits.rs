use std::{fs, path::PathBuf, time::Duration};

use jobrunner_core::{
    Executor,
    executor::{Containment, ControlGroups, ProcessExecutor},
    job::Reason,
    testkit::allowed,
};

use super::{alive, run, run_by, script, settings, timed};

#[tokio::test]
async fn a_command_that_writes_nothing_for_too_long_is_ended() {
    let mut job = script("echo begin; sleep 60");
    job.spec.silence_seconds = Some(1);
    let (ran, took) = timed(run(&job)).await;
    assert_eq!((ran.outcome.reason, ran.text()), (Some(Reason::Silent), "begin\n"));
    assert_eq!(ran.error(), "was killed after it wrote nothing for 1 s");
    assert_eq!(ran.outcome.exit_code, None);
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert!(took < Duration::from_secs(1) + allowed(Duration::from_secs(2)), "{took:?}");
    assert_eq!(alive(&job), [""; 0]);
}

#[tokio::test]
async fn a_command_that_writes_to_either_stream_now_and_then_is_not_silent() {
    // Between the two lines of the one stream there is more than the limit, and much less between
    // any two.
    let mut job = script("echo 1; sleep 3.2; echo 2 >&2; sleep 3.2; echo 3");
    job.spec.silence_seconds = Some(6);
    let ran = run(&job).await;
    assert_eq!((ran.outcome.reason, ran.text()), (None, "1\n3\n"));
}

#[tokio::test]
async fn limits_hold_for_a_command_and_what_it_starts() {
    let mut job =
        script("ulimit -v; ulimit -n; ulimit -Hn; ulimit -t; sh -c 'ulimit -v; ulimit -n'");
    job.spec.max_memory_mb = Some(200);
    job.spec.max_open_files = Some(32);
    job.spec.max_cpu_seconds = Some(7);
    assert_eq!(run(&job).await.text(), "204800\n32\n32\n7\n204800\n32\n");
}

#[tokio::test]
async fn memory_beyond_the_limit_is_refused_to_a_command() {
    let mut job = script("head -c 300000000 /dev/zero | tail -c 299999999 | wc -c");
    assert_eq!(run(&job).await.text(), "299999999\n");
    job.spec.max_memory_mb = Some(100);
    let ran = run(&job).await;
    assert_eq!(ran.text(), "0\n");
    assert!(!ran.stderr.is_empty());
}

#[tokio::test]
async fn a_command_that_uses_up_its_processor_time_is_ended_by_the_kernels_signal() {
    let mut job = script("while :; do :; done");
    job.spec.max_cpu_seconds = Some(1);
    let ran = run(&job).await;
    assert_eq!(ran.outcome.reason, Some(Reason::Signal));
    assert_eq!(ran.outcome.signal.as_deref(), Some("SIGXCPU"));
    assert_eq!(ran.error(), "was ended by SIGXCPU");
}

#[tokio::test]
async fn a_limit_above_the_workers_own_is_lowered_to_it() {
    let mut job = script("ulimit -Hn");
    let most = run(&job).await.text().to_owned();
    job.spec.max_open_files = Some(u64::MAX);
    assert_eq!(run(&job).await.text(), most);
}

/// A control group for a test.
struct Playground(PathBuf);

impl Playground {
    fn new() -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").expect("a list");
        let mounts = mounts.lines().filter(|line| line.contains(" - cgroup2 "));
        let root = mounts.filter_map(|line| line.split(' ').nth(4)).next();
        let root = root.expect("a mount of cgroup2");
        let group = PathBuf::from(root).join(format!("jobrunner-test-{}", std::process::id()));
        fs::create_dir(&group).expect("an account that may make control groups");
        Self(group)
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        fs::remove_dir(&self.0).expect("nothing is left in it");
    }
}

#[tokio::test]
#[ignore = "needs an account that may make control groups"]
async fn a_control_group_holds_whatever_a_command_starts() {
    let playground = Playground::new();
    let cgroups = ControlGroups::below(&playground.0, 4096).expect("control groups");
    let mut settings = settings();
    settings.cgroups = Some(cgroups);
    let executor = ProcessExecutor::new(settings);
    assert_eq!(executor.containment(), Containment::CgroupV2);

    let daemons = "cat /proc/self/cgroup
        setsid sh -c '(trap \"\" TERM; sleep 60 >/dev/null 2>&1 &) & exit'
        env -i setsid /bin/sh -c '(/bin/sleep 61 >/dev/null 2>&1 &) & exit'
        sleep 0.3; cat /proc/self/cgroup | sed 's,^0::,,' | while read -r group; do
            wc -l < \"$ROOT$group/cgroup.procs\"
        done";
    let mut job = script(daemons);
    let root = playground.0.parent().expect("a root").display().to_string();
    job.spec.env = [("ROOT".to_owned(), root)].into();
    let ran = run_by(&executor, &job).await;
    assert_eq!(ran.outcome.reason, None, "{ran:?}");
    let name = playground.0.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(ran.text().contains(&format!("/{name}/worker-")), "{}", ran.text());
    assert_eq!(alive(&job), [""; 0]);

    drop(executor);
    let left: Vec<_> = fs::read_dir(&playground.0).expect("a list").flatten().collect();
    assert!(!left.iter().any(|entry| entry.path().is_dir()), "{left:?}");
}

#[tokio::test]
#[ignore = "needs an account that may make control groups"]
async fn what_a_worker_left_in_its_control_groups_is_killed_by_the_next() {
    let playground = Playground::new();
    // No process has this id: the largest is below it.
    let dead = playground.0.join("worker-4194305");
    fs::create_dir_all(dead.join("0")).expect("groups");
    let mut leftover = std::process::Command::new("sleep").arg("60").spawn().expect("a process");
    fs::write(dead.join("0/cgroup.procs"), leftover.id().to_string()).expect("moved");

    let cgroups = ControlGroups::below(&playground.0, 4096).expect("control groups");
    let status = leftover.wait().expect("a child");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    assert!(!dead.exists());
    drop(cgroups);
}
