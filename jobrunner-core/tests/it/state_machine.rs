use std::{fmt::Write, fs, path::Path};

use jobrunner_core::{Status, status::Change};

/// Everything that can happen, with what it means.
const CHANGES: [(Change, &str); 6] = [
    (Change::Start, "a worker leases it, to start the command"),
    (Change::Return, "a worker gives it back whose command was not started"),
    (Change::Retry, "the attempt ended, and another one follows"),
    (Change::Pass, "the attempt ended well"),
    (Change::Fail, "the last attempt ended badly"),
    (Change::Cancel, "somebody canceled it"),
];

/// The document is drawn from the table of transitions. `UPDATE_DOCS=1` writes it anew.
#[test]
fn the_state_machine_in_the_documents_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/STATE_MACHINE.md");
    let drawn = draw();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &drawn).expect("written");
    }
    let document = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        document == drawn,
        "docs/STATE_MACHINE.md is stale; write it with UPDATE_DOCS=1\n{drawn}"
    );
}

fn draw() -> String {
    let mut text = String::from(
        "# The states of a job\n\n\
         Drawn from `jobrunner-core/src/status.rs` by a test; `UPDATE_DOCS=1 cargo test -p jobrunner-core\n\
         --all-features --test it state_machine` writes it anew.\n\n\
         ```mermaid\nstateDiagram-v2\n    [*] --> waiting: submitted\n",
    );
    for from in Status::ALL {
        for (change, _) in CHANGES {
            if let Some(to) = from.after(change) {
                line(&mut text, &format!("    {from} --> {to}: {}", word(change)));
            }
        }
    }
    for end in Status::ALL.into_iter().filter(|status| status.is_terminal()) {
        line(&mut text, &format!("    {end} --> [*]"));
    }
    text.push_str("```\n\n| | ");
    for (change, _) in CHANGES {
        write!(text, "| {} ", word(change)).expect("text");
    }
    text.push_str("|\n|---|");
    text.push_str(&"---|".repeat(CHANGES.len()));
    text.push('\n');
    for from in Status::ALL {
        write!(text, "| **{from}** ").expect("text");
        for (change, _) in CHANGES {
            let to = from.after(change).map_or("", Status::as_str);
            write!(text, "| {to} ").expect("text");
        }
        text.push_str("|\n");
    }
    text = text.replace("| | | ", "| | ");
    text.push('\n');
    for (change, meaning) in CHANGES {
        line(&mut text, &format!("* **{}**: {meaning}.", word(change)));
    }
    text.push_str(
        "\nA worker leases short jobs up to 50 ms before a slot is free for them: they count as running. One\n\
         that is given back is charged nothing; one whose worker is lost has lost an attempt, started or not.\n\
         What follows the end of an attempt is decided in `retry.rs`; the loss of a worker has a budget of its\n\
         own. A job that was lost twice is a suspect: from then on it is leased alone, when nothing else can be,\n\
         so that no other job is lost with it, and its fourth loss ends it. Nothing leads out of passed, failed and canceled: a rerun is a new job.\n\n\
         A batch is waiting until one of its jobs started, running until all have ended, and then failed if\n\
         any failed, else canceled if any was canceled, else passed.\n",
    );
    text
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn word(change: Change) -> String {
    format!("{change:?}").to_lowercase()
}
