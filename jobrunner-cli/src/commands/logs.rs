use jobrunner_core::{Job, JobId, daemon::Trouble, log::Stream};

use crate::{
    args::{Logs as Args, Output, Remote},
    client::{Client, routes},
    exit::{Exit, Failure},
    find,
    follow::{self, Waited},
    output::{self, JobOutput},
};

/// How much of the end of a stream is asked for at first, to find its last lines.
const FIRST_PART: u64 = 64 * 1024;

pub(crate) async fn logs(client: &Client, remote: &Remote, args: &Args) -> Result<Exit, Failure> {
    let id = find::job(client, &args.job).await?;
    let is_part = args.attempt.is_some() || args.tail.is_some() || args.stdout || args.stderr;
    if remote.output == Output::Json {
        if is_part || args.follow {
            let message = "--output json shows the whole output of the last attempt; leave out \
                           --follow, --attempt, --tail, --stdout and --stderr";
            return Err(Failure::usage(message));
        }
        output::raw(&client.raw(&routes::LOGS, &[&id.to_string()]).await?)?;
        return Ok(Exit::Success);
    }
    let job = client.job(id).await?;
    // Of a job that has ended everything is told at once.
    if args.follow || (job.status.is_terminal() && !is_part) {
        return followed(client, id).await;
    }
    stored(client, &job, args).await?;
    Ok(Exit::Success)
}

async fn followed(client: &Client, id: JobId) -> Result<Exit, Failure> {
    let hint = format!("the job goes on: jobrunner jobs logs -f {id}");
    match follow::until(None, &hint, follow::output_of(client, id)).await? {
        Waited::For(()) => Ok(Exit::Success),
        Waited::InVain(exit) => Ok(exit),
    }
}

/// Prints what is there now of the attempts and streams that are asked for.
async fn stored(client: &Client, job: &Job, args: &Args) -> Result<(), Failure> {
    let attempts = match (args.attempt, args.tail) {
        (Some(attempt), _) if attempt > job.attempt => {
            let message = format!("the job has {} attempts, and no attempt {attempt}", job.attempt);
            return Err(Failure::new(Trouble::NoInput, message));
        }
        (Some(attempt), _) => attempt..=attempt,
        (None, Some(_)) => job.attempt.max(1)..=job.attempt,
        (None, None) => 1..=job.attempt,
    };
    let streams: &[Stream] = match (args.stdout, args.stderr) {
        (true, _) => &[Stream::Stdout],
        (_, true) => &[Stream::Stderr],
        _ => &[Stream::Stdout, Stream::Stderr],
    };
    let mut shown = JobOutput::of(*attempts.start());
    for attempt in attempts {
        shown.begin(attempt)?;
        for stream in streams {
            // The only stream that is asked for has the standard output for itself.
            let to = if streams.len() == 1 { Stream::Stdout } else { *stream };
            if let Some(lines) = args.tail {
                let end = last_lines(client, job.id, attempt, *stream, lines).await?;
                shown.print(to, &end)?;
                continue;
            }
            let mut response = client.stored_output(job.id, attempt, *stream, None).await?;
            while let Some(part) = client.part(&mut response).await? {
                shown.print(to, &part)?;
            }
        }
    }
    shown.finish()
}

/// The last lines of a stream, found in ever larger parts of its end.
async fn last_lines(
    client: &Client,
    job: JobId,
    attempt: u32,
    stream: Stream,
    lines: usize,
) -> Result<Vec<u8>, Failure> {
    let mut wanted = FIRST_PART;
    loop {
        let mut response = client.stored_output(job, attempt, stream, Some(wanted)).await?;
        if !response.status().is_success() {
            return Ok(Vec::new());
        }
        let mut end = Vec::new();
        while let Some(part) = client.part(&mut response).await? {
            end.extend_from_slice(&part);
        }
        let is_whole = (end.len() as u64) < wanted;
        if let Some(start) = start_of_last(&end, lines, is_whole) {
            return Ok(end.split_off(start));
        }
        wanted = wanted.saturating_mul(8);
    }
}

/// Where the last lines begin; `None` if that is before the part that is there.
fn start_of_last(part: &[u8], lines: usize, is_whole: bool) -> Option<usize> {
    // The end of the last line begins no other one.
    let text = part.strip_suffix(b"\n").unwrap_or(part);
    if lines == 0 {
        return Some(part.len());
    }
    let breaks = text.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    let mut starts = breaks.map(|(at, _)| at + 1);
    starts.nth(lines - 1).or(is_whole.then_some(0))
}

#[cfg(test)]
mod tests {
    use super::start_of_last;

    #[test]
    fn the_last_lines_are_found_or_known_to_begin_earlier() {
        let of = |text: &str, lines| start_of_last(text.as_bytes(), lines, false);
        assert_eq!(of("a\nb\nc\n", 1), Some(4));
        assert_eq!(of("a\nb\nc", 2), Some(2));
        assert_eq!(of("a\nb\nc\n", 3), None);
        assert_eq!(start_of_last(b"a\nb\nc\n", 3, true), Some(0));
        assert_eq!(start_of_last(b"a\nb\n", 9, true), Some(0));
        assert_eq!(start_of_last(b"", 1, true), Some(0));
        assert_eq!(of("a\n\n", 1), Some(2), "an empty line is one");
        assert_eq!(of("a\nb", 0), Some(3));
    }
}
