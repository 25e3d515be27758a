use jobrunner_core::{Status, log::Stream, testkit::wait_until};

use crate::site::{Site, config_with, executor};

fn numbers(last: u32) -> Vec<u8> {
    (1..=last).map(|number| format!("{number}\n")).collect::<String>().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_output_is_exact_while_the_command_runs_and_after() {
    let site = Site::new().await;
    let worker = site.start(1);
    let gated =
        r"printf 'one\000\377'; echo oops >&2; until [ -e go ]; do sleep 0.02; done; echo two";
    let job = site.submit(site.script(gated)).await;

    let logs = wait_until("the first output", || async {
        let logs = site.logs(job).await;
        (logs.stdout.len() + logs.stderr.len() == 10).then_some(logs)
    })
    .await;
    assert_eq!((logs.stdout.as_ref(), logs.stderr.as_ref()), (&b"one\0\xff"[..], &b"oops\n"[..]));
    assert!(!logs.info.complete());
    assert_eq!(logs.info.status, Status::Running);

    site.touch("go");
    site.wait_for(job, Status::Passed).await;
    let logs = site.logs(job).await;
    assert_eq!(logs.stdout.as_ref(), b"one\0\xfftwo\n");
    assert!(logs.info.complete() && !logs.info.truncated);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_megabytes_on_both_streams_are_exact() {
    let site = Site::new().await;
    let worker = site.start(1);
    let job = site.submit(site.script("seq 400000 & seq 300000 >&2; wait")).await;
    let result = site.wait_for(job, Status::Passed).await.result.expect("a result");
    let logs = site.logs(job).await;
    assert!(logs.stdout == numbers(400_000));
    assert!(logs.stderr == numbers(300_000));
    assert_eq!(result.stdout_bytes, logs.stdout.len() as u64);
    assert!(!result.truncated);
    worker.stop().await;
}

/// What comes in one piece, from a command that has ended by then.
#[tokio::test(flavor = "multi_thread")]
async fn p8_a_brief_command_is_cut_to_what_is_kept_of_it() {
    let site = Site::new().await;
    let worker = site.start_with(config_with(|config| config.max_output_bytes = 2_048), executor());
    for bytes in [2_049, 30_000, 200_000] {
        let job = site.submit(site.script(&format!("head -c {bytes} /dev/zero"))).await;
        let result = site.wait_for(job, Status::Passed).await.result.expect("a result");
        let stdout = site.logs(job).await.info.stdout;
        assert_eq!((result.stdout_bytes, stdout.written), (bytes, bytes));
        let kept = stdout.head_end + stdout.written - stdout.tail_start;
        assert!(kept <= 2_048 + 2 * 1_024, "{kept} of {bytes} bytes are stored");
        assert_eq!(result.truncated, kept < bytes, "{bytes}");
    }
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p8_a_stream_that_outgrows_its_cap_keeps_its_head_and_its_tail() {
    let site = Site::new().await;
    let worker =
        site.start_with(config_with(|config| config.max_output_bytes = 400_000), executor());
    let job = site.submit(site.script("seq 1000000; echo short >&2")).await;
    let result = site.wait_for(job, Status::Passed).await.result.expect("a result");
    let written = numbers(1_000_000);

    let info = site.logs(job).await.info;
    assert_eq!(info.stream(Stream::Stdout).written, written.len() as u64);
    assert_eq!(result.stdout_bytes, written.len() as u64);
    assert!(result.truncated && info.truncated);
    let stdout = info.stream(Stream::Stdout);
    assert_eq!(stdout.head_end, 200_000);
    let tail = stdout.written - stdout.tail_start;
    assert!((200_000..=200_000 + 2 * 65_536).contains(&tail), "a tail of {tail}");

    let shown = site.logs(job).await.stdout;
    let marker = stdout.gap_marker();
    let tail_start = usize::try_from(stdout.tail_start).expect("a position");
    let expected = [&written[..200_000], marker.as_bytes(), &written[tail_start..]].concat();
    assert!(shown == expected);
    assert_eq!(site.logs(job).await.stderr, "short\n");
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p10_a_command_that_floods_stays_within_its_cap_while_it_runs() {
    let site = Site::new().await;
    let worker =
        site.start_with(config_with(|config| config.max_output_bytes = 300_000), executor());
    let job = site.submit(site.script("yes")).await;
    let stored = wait_until("ten megabytes", || async {
        let stdout = site.logs(job).await.info.stdout;
        (stdout.written > 10_000_000).then_some(stdout)
    })
    .await;
    let kept = stored.head_end + stored.written - stored.tail_start;
    assert!(kept <= 300_000 + 3 * 65_536, "{kept} bytes are stored");
    site.cancel(job).await;
    let canceled = site.wait_for(job, Status::Canceled).await.result.expect("a result");
    assert!(canceled.truncated);
    worker.stop().await;
}
