//! What is wrong with a command line, in one line that says what to do next.

use clap::{CommandFactory, error::ErrorKind};

use crate::{args::Cli, exit::Failure, table::cut};

/// The longest that is told of what was typed wrongly.
const LONGEST: usize = 400;

/// The parser's refusal. Its words are kept, its layout is not: what is wrong, what was probably
/// meant, and where to read more.
pub(crate) fn failure(refusal: &clap::Error) -> Failure {
    let text = refusal.render().to_string();
    if refusal.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return missing_command(&text);
    }
    let mut parts = text.split("\n\n");
    let what = joined(parts.next().unwrap_or_default().trim_start_matches("error: "));
    let mut message = cut(&in_words(&what), LONGEST);
    let mut command = None;
    for part in parts {
        let part = joined(part);
        if let Some(tip) = part.strip_prefix("tip: ") {
            message.push_str(&format!("; {}", tip.replace(" tip: ", "; ")));
        } else if let Some(usage) = part.strip_prefix("Usage: ") {
            command = Some(words(usage));
        }
    }
    let command = command.unwrap_or_else(typed);
    if message.starts_with("unexpected argument") && command.ends_with(" submit") {
        message.push_str("; the program and its arguments come behind --");
    }
    Failure::usage(format!("{message}; see: {command} --help"))
}

/// What numbers must be, in place of what the standard library says of texts that are none.
const NUMBERS: [(&str, &str); 5] = [
    ("invalid digit found in string", "must be a whole number"),
    ("cannot parse integer from empty string", "must be a whole number"),
    ("number too large to fit in target type", "is too large"),
    ("invalid float literal", "must be a number"),
    ("cannot parse float from empty string", "must be a number"),
];

fn in_words(what: &str) -> String {
    for (said, meant) in NUMBERS {
        if let Some(before) = what.strip_suffix(said) {
            return format!("{before}{meant}");
        }
    }
    // `11 is not in 0..=10`
    let range = what.rsplit_once(": ").and_then(|(before, after)| {
        let (least, most) = after.split_once(" is not in ")?.1.split_once("..=")?;
        Some(format!("{before}: must be {least} to {most}"))
    });
    range.unwrap_or_else(|| what.to_owned())
}

/// The command that was typed, as far as it is one.
fn typed() -> String {
    let mut command = Cli::command();
    let mut words = vec!["jobrunner".to_owned()];
    for word in std::env::args().skip(1) {
        let Some(next) = command.find_subcommand(&word) else { continue };
        words.push(next.get_name().to_owned());
        command = next.clone();
    }
    words.join(" ")
}

/// The help of a command that only has commands, in one line.
fn missing_command(help: &str) -> Failure {
    let usage = help.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap_or_default();
    let command = words(usage);
    let mut lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let mut known = Vec::new();
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        // What stands further to the right is the rest of a description.
        let is_name = line.starts_with("  ") && !line.starts_with("   ");
        known.extend(line.split_whitespace().next().filter(|name| is_name && *name != "help"));
    }
    Failure::usage(format!("{command}: say one of {}; see: {command} --help", known.join(", ")))
}

/// The words of a usage before its options and arguments.
fn words(usage: &str) -> String {
    let is_command = |word: &&str| !word.starts_with(['[', '<', '-']);
    usage.split_whitespace().take_while(is_command).collect::<Vec<_>>().join(" ")
}

fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn numbers_are_told_in_words() {
        let of = |why: &str| in_words(&format!("invalid value 'x' for '-n <N>': {why}"));
        assert!(of("invalid digit found in string").ends_with("'-n <N>': must be a whole number"));
        assert!(of("x is not in 1..=4096").ends_with("'-n <N>': must be 1 to 4096"));
        assert!(of("must be so").ends_with("'-n <N>': must be so"));
    }
}
