//! The last lines that a job has printed.

use std::collections::VecDeque;

use jobrunner_core::{JobId, Principal, Service, terminal::Terminal};

use crate::api::problem::Failure;

/// How much of its output is looked at.
const BYTES: u64 = 8 * 1024;

/// The longest line that is shown, in characters.
const LONGEST: usize = 400;

/// The last lines of a job's last attempt, so many at most: of what it wrote as errors, or if there
/// is nothing, of the rest. Nothing if the job is not there any more.
pub(super) async fn last_lines(
    service: &Service,
    caller: &Principal,
    job: JobId,
    count: usize,
) -> Result<Vec<String>, Failure> {
    let logs = match service.logs(caller, job, Some(BYTES)).await {
        Ok(logs) => logs,
        Err(jobrunner_core::Error::NotFound(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let of_errors = lines(&logs.stderr, count);
    Ok(if of_errors.is_empty() { lines(&logs.stdout, count) } else { of_errors })
}

fn lines(bytes: &[u8], count: usize) -> Vec<String> {
    let mut terminal = Terminal::default();
    let mut pieces = terminal.push(bytes);
    pieces.extend(terminal.finish());
    let (mut lines, mut line) = (VecDeque::new(), String::new());
    let mut keep = |line: &mut String| {
        if !line.trim().is_empty() {
            lines.push_back(line.chars().take(LONGEST).collect::<String>());
        }
        if lines.len() > count {
            lines.pop_front();
        }
        line.clear();
    };
    for piece in pieces {
        if piece.over {
            line.clear();
        }
        line.extend(piece.runs.iter().map(|run| run.text.as_str()));
        if piece.ends {
            keep(&mut line);
        }
    }
    keep(&mut line);
    lines.into()
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn the_last_lines_are_those_that_a_terminal_shows() {
        let shown = lines(b"one\n\x1b[31mtwo\x1b[0m\n\n10%\r20%\r99%\nend", 3);
        assert_eq!(shown, ["two", "99%", "end"]);
        assert!(lines(b"", 3).is_empty());
    }
}
