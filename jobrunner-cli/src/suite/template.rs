use std::collections::BTreeMap;

/// Fills in `${name}`; `$${` stands for a `${` that is meant as it is. Other dollar signs are left
/// alone, so that shell commands can be written as usual.
pub(super) fn fill(text: &str, vars: &BTreeMap<String, String>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            filled.push_str(&rest[..at - 1]);
            filled.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        filled.push_str(&rest[..at]);
        let Some(end) = rest[at..].find('}') else {
            return Err(format!("has a ${{ without its }}: {text:?}"));
        };
        let name = &rest[at + 2..at + end];
        let value = vars.get(name).ok_or_else(|| unknown(name, vars))?;
        filled.push_str(value);
        rest = &rest[at + end + 1..];
    }
    filled.push_str(rest);
    Ok(filled)
}

fn unknown(name: &str, vars: &BTreeMap<String, String>) -> String {
    let known: Vec<&str> = vars.keys().map(String::as_str).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!("uses the unknown variable {name:?} (known: {known}; write $${{ for a shell variable)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let vars = [("a", "1"), ("b.c", "x y")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        fill(text, &vars.into())
    }

    #[test]
    fn variables_are_filled_in_wherever_they_stand() {
        assert_eq!(filled("${a}-${b.c}${a}").expect("filled"), "1-x y1");
        assert_eq!(filled("plain").expect("filled"), "plain");
    }

    #[test]
    fn shell_syntax_is_left_alone() {
        assert_eq!(filled("$HOME $(id) $${x:-1} $$").expect("filled"), "$HOME $(id) ${x:-1} $$");
    }

    #[test]
    fn unknown_and_unfinished_variables_are_named() {
        assert!(filled("${z}").expect_err("refused").contains("\"z\""));
        assert!(filled("${a").is_err());
    }
}
