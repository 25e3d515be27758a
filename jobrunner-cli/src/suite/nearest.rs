//! What somebody may have meant by a word that is not known.

/// How much alike words are that one may have been meant by the other, 0 to 1, by Jaro and Winkler;
/// what clap asks of options.
const ALIKE: f64 = 0.7;

/// Names that are known from elsewhere.
const ELSEWHERE: &[(&str, &str)] = &[
    ("cmd", "command"),
    ("cwd", "working_dir"),
    ("directory", "working_dir"),
    ("environment", "env"),
    ("retries", "max_attempts"),
    ("run", "shell"),
    ("script", "shell"),
    ("tests", "jobs"),
    ("timeout", "timeout_seconds"),
    ("variables", "vars"),
];

/// `; did you mean "x"?`, or nothing where no known word is near.
pub(super) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let elsewhere = ELSEWHERE.iter().find(|(name, _)| *name == word).map(|(_, meant)| *meant);
    let elsewhere = elsewhere.filter(|meant| known.clone().into_iter().any(|it| it == *meant));
    let lower = word.to_lowercase();
    let alike = |it: &&str| strsim::jaro_winkler(&lower, &it.to_lowercase());
    let nearest = || known.into_iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
    match elsewhere.or_else(|| nearest().filter(|it| alike(it) > ALIKE)) {
        Some(meant) => format!("; did you mean {meant:?}?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_meant_and_what_is_far_from_all_is_nothing() {
        let known = ["command", "env", "max_attempts", "matrix", "shell", "timeout_seconds"];
        for (word, meant) in [
            ("comand", "command"),
            ("Command", "command"),
            ("cmd", "command"),
            ("max-attempts", "max_attempts"),
            ("matix", "matrix"),
            ("timeout", "timeout_seconds"),
            ("script", "shell"),
        ] {
            assert_eq!(hint(word, known), format!("; did you mean {meant:?}?"), "{word}");
        }
        for word in ["zzz", "", "ü", "cwd"] {
            assert_eq!(hint(word, known), "", "{word}");
        }
        assert_eq!(hint("x", []), "");
    }
}
