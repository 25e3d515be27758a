//! Output.

use bytes::Bytes;

use crate::{
    Status, UserId,
    lease::{Finish, Finished, LeaseRef, LeaseToken},
    log::{LogChunk, LogKey, Mark, Stream, StreamInfo, Trim},
    testkit::{Fixture, outcome, spec},
};

fn chunk(stream: Stream, offset: u64, bytes: &[u8]) -> LogChunk {
    LogChunk {
        stream,
        offset,
        bytes: Bytes::copy_from_slice(bytes),
        marks: vec![Mark { offset, other: 2 * offset }],
    }
}

/// Any bytes, in order, while the command runs and after; the last piece may come with the report.
pub async fn p8_output_comes_back_byte_for_byte(fixture: &Fixture) {
    let job = fixture.job(UserId::new(), spec("a")).await;
    let nothing = fixture.store.log_info(job, None).await.expect("an answer");
    assert_eq!((nothing.attempt, nothing.status, nothing.complete()), (0, Status::Waiting, false));
    let hand = fixture.hand().await;
    let lease = hand.start_one().await.lease;
    let all: Vec<u8> = (0..=255).cycle().take(1000).collect();
    let chunks = [
        chunk(Stream::Stdout, 0, &all[..400]),
        chunk(Stream::Stderr, 0, b"\xff\0"),
        chunk(Stream::Stdout, 400, &all[400..700]),
    ];
    assert!(fixture.store.append_log(lease, &chunks, &[]).await.expect("stored"));
    let info = fixture.store.log_info(job, None).await.expect("an answer");
    assert_eq!((info.attempt, info.status), (1, Status::Running));
    assert_eq!((info.stdout, info.stderr), (StreamInfo::whole(700), StreamInfo::whole(2)));
    let report = Finish {
        lease,
        outcome: outcome(None),
        stdout_bytes: 1000,
        stderr_bytes: 2,
        truncated: false,
        error_line: None,
        output: vec![chunk(Stream::Stdout, 700, &all[700..])],
        report: None,
    };
    let finished = fixture.store.finish(&[report.clone(), report]).await.expect("an answer");
    assert_eq!(finished, [Finished::Won, Finished::Already]);

    let info = fixture.store.log_info(job, Some(1)).await.expect("an answer");
    assert_eq!((info.complete(), info.truncated), (true, false));
    assert_eq!(info.stdout, StreamInfo::whole(1000));
    assert!(fixture.store.log_info(job, Some(2)).await.is_err(), "there is no second attempt");
    let key = LogKey { job, attempt: 1 };
    let mut read = Vec::new();
    while read.len() < 1000 {
        let from = read.len() as u64;
        let part = fixture.store.read_log(key, Stream::Stdout, from, 1).await.expect("chunks");
        assert_eq!((part.len(), part[0].offset), (1, from), "at least one chunk, the right one");
        read.extend_from_slice(&part[0].bytes);
    }
    assert_eq!(read, all);
    let middle = fixture.store.read_log(key, Stream::Stdout, 450, 1 << 20).await.expect("chunks");
    assert_eq!(middle.iter().map(|chunk| chunk.offset).collect::<Vec<_>>(), [400, 700]);
    let end = fixture.store.read_log(key, Stream::Stdout, 1000, 1 << 20).await.expect("chunks");
    assert_eq!(end, []);
    let stderr = fixture.store.read_log(key, Stream::Stderr, 0, 1 << 20).await.expect("chunks");
    assert_eq!(stderr, [chunk(Stream::Stderr, 0, b"\xff\0")]);
}

/// A retry after a lost answer.
pub async fn p8_a_chunk_stored_twice_is_stored_once(fixture: &Fixture) {
    let job = fixture.job(UserId::new(), spec("a")).await;
    let lease = fixture.hand().await.start_one().await.lease;
    let chunks = [chunk(Stream::Stdout, 0, b"abc")];
    for _ in 0..2 {
        assert!(fixture.store.append_log(lease, &chunks, &[]).await.expect("stored"));
    }
    let key = LogKey { job, attempt: 1 };
    assert_eq!(fixture.store.read_log(key, Stream::Stdout, 0, 100).await.expect("chunks"), chunks);
}

/// Head and tail are kept, and what is missing between them is known exactly.
pub async fn p8_a_trimmed_stream_shows_its_gap(fixture: &Fixture) {
    let job = fixture.job(UserId::new(), spec("a")).await;
    let lease = fixture.hand().await.start_one().await.lease;
    let chunks: Vec<_> =
        (0..10).map(|n| chunk(Stream::Stdout, n * 10, &[b'0' + n as u8; 10])).collect();
    fixture.store.append_log(lease, &chunks, &[]).await.expect("stored");
    let trim = |to| [Trim { stream: Stream::Stdout, from: 20, to }];
    fixture.store.append_log(lease, &[], &trim(50)).await.expect("trimmed");
    let more = [chunk(Stream::Stdout, 100, b"xyz")];
    fixture.store.append_log(lease, &more, &trim(75)).await.expect("trimmed");

    let info = fixture.store.log_info(job, None).await.expect("an answer");
    assert_eq!(info.stdout, StreamInfo { written: 103, head_end: 20, tail_start: 70 });
    assert!(info.truncated);
    let key = LogKey { job, attempt: 1 };
    let kept = fixture.store.read_log(key, Stream::Stdout, 0, 1000).await.expect("chunks");
    let offsets: Vec<_> = kept.iter().map(|chunk| chunk.offset).collect();
    assert_eq!(offsets, [0, 10, 70, 80, 90, 100]);
    let behind = fixture.store.read_log(key, Stream::Stdout, 30, 1).await.expect("chunks");
    assert_eq!(behind[0].offset, 70, "the chunk that follows the missing byte");
}

/// Neither with a token that was never given out, nor after the lease was reclaimed.
pub async fn p8_a_lost_lease_stores_nothing(fixture: &Fixture) {
    let job = fixture.job(UserId::new(), spec("a")).await;
    let hand = fixture.hand().await;
    let lease = hand.claim(1).await[0].lease;
    let chunks = [chunk(Stream::Stdout, 0, b"abc")];
    let append = || fixture.store.append_log(lease, &chunks, &[]);
    let unknown = LeaseRef { token: LeaseToken(lease.token.0 + 1), ..lease };
    assert!(!fixture.store.append_log(unknown, &chunks, &[]).await.expect("an answer"));
    fixture.store.close_session(hand.session).await.expect("closed");
    assert!(!append().await.expect("an answer"), "taken back");
    let key = LogKey { job, attempt: 1 };
    assert_eq!(fixture.store.read_log(key, Stream::Stdout, 0, 100).await.expect("chunks"), []);
}
