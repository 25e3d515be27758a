use std::{io, os::fd::AsFd};

use bytes::{Bytes, BytesMut};
use rustix::io::Errno;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    select,
};
use tokio_util::sync::CancellationToken;

use super::{MOST_BYTES, OutputSink, activity::Activity};
use crate::log::Stream;

/// How much is read at first: commands that write little cost little memory.
const FIRST_BYTES: usize = 4 * 1024;

/// The most that a pipe can hold, unless an administrator allowed more: pipe(7), `pipe-max-size`.
const PIPE_BYTES: usize = 1024 * 1024;

/// Hands everything that comes out of a pipe to the sink, in order, until the pipe's end. The
/// sink's slowness is passed on to the writer, since nothing is read meanwhile.
///
/// After `closing` it takes what is in the pipe and no more: what a command wrote is not lost, and
/// what somebody who survived it still writes is not waited for.
pub(super) async fn pump<P: AsyncRead + AsFd + Unpin>(
    mut pipe: P,
    stream: Stream,
    sink: &dyn OutputSink,
    activity: &Activity,
    closing: &CancellationToken,
) {
    let mut buffer = BytesMut::with_capacity(FIRST_BYTES);
    loop {
        if buffer.len() == buffer.capacity() {
            buffer = BytesMut::with_capacity(MOST_BYTES);
        }
        buffer.clear();
        let read = select! {
            biased;
            () = closing.cancelled() => return drain(&pipe, stream, sink).await,
            read = pipe.read_buf(&mut buffer) => read,
        };
        match read {
            Ok(0) => return,
            // A copy, so that a short line does not keep a whole buffer alive.
            Ok(_) => {
                let _taking = activity.written();
                sink.write(stream, Bytes::copy_from_slice(&buffer)).await;
            }
            Err(error) => return report(stream, &error),
        }
    }
}

async fn drain(pipe: &impl AsFd, stream: Stream, sink: &dyn OutputSink) {
    let mut buffer = vec![0; MOST_BYTES];
    let mut left = PIPE_BYTES;
    while left > 0 {
        match rustix::io::read(pipe, &mut buffer[..MOST_BYTES.min(left)]) {
            Ok(0) | Err(Errno::AGAIN) => return,
            Ok(count) => {
                left -= count;
                sink.write(stream, Bytes::copy_from_slice(&buffer[..count])).await;
            }
            Err(Errno::INTR) => {}
            Err(error) => return report(stream, &error.into()),
        }
    }
}

fn report(stream: Stream, error: &io::Error) {
    tracing::warn!(stream = stream.as_str(), %error, "cannot read a command's output");
}
