/// A command as a line that a shell understands in the same way.
pub(super) fn line(command: &[String]) -> String {
    let quoted: Vec<String> = command.iter().map(|argument| quote(argument)).collect();
    quoted.join(" ")
}

/// An argument, in quotes unless it is plain.
pub(super) fn quote(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_where_a_shell_would_read_them_otherwise() {
        let command = ["make", "V=1", "it's", "", "$(id)", "a b"].map(str::to_owned);
        assert_eq!(line(&command), "make V=1 'it'\\''s' '' '$(id)' 'a b'");
    }
}
