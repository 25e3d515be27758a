use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;
use zxcvbn::{Score, zxcvbn};

use crate::Violation;

/// How many bytes a password has.
const LENGTHS: std::ops::RangeInclusive<usize> = 12..=1024;

/// What is guessed before anything else, beside the address of the account.
const KNOWN: &str = "jobrunner";

/// A password that may be set: there is no other way to one that is stored.
#[derive(Clone, Debug)]
pub struct NewPassword(SecretString);

impl NewPassword {
    /// A password that was chosen for the account with this address, in the form in which it is
    /// hashed.
    ///
    /// # Errors
    /// It has fewer than 12 or more than 1,024 bytes, or is guessed too soon, by the estimate of
    /// [zxcvbn](https://github.com/dropbox/zxcvbn):
    /// in fewer than 10⁸ attempts.
    pub fn choose(text: &str, email: &str) -> Result<Self, Violation> {
        let wrong = |message: String| Violation::new("password", message);
        let password = if text.len() > *LENGTHS.end() { String::new() } else { normal(text) };
        if !LENGTHS.contains(&text.len()) || !LENGTHS.contains(&password.len()) {
            let (least, most) = (LENGTHS.start(), LENGTHS.end());
            return Err(wrong(format!("must have {least} to {most} bytes")));
        }
        let mut known: Vec<&str> = email.split(['@', '.', '+', '-', '_']).collect();
        known.extend([email, KNOWN]);
        let estimate = zxcvbn(&password, &known);
        if estimate.score() >= Score::Three {
            return Ok(Self(password.into()));
        }
        let why = estimate.feedback().and_then(|feedback| feedback.warning());
        let why = why.map(|why| format!(": {}", why.to_string().trim_end_matches('.')));
        Err(wrong(format!(
            "is too easy to guess{}; take a few words that do not belong together",
            why.unwrap_or_default()
        )))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A text in the form that passwords are compared in (NFKC, as RFC 8265 asks for its kin): what
/// looks alike on two keyboards is alike.
pub(crate) fn normal(text: &str) -> String {
    text.nfkc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(password: &str) -> String {
        NewPassword::choose(password, "ada.lovelace@example.com").expect_err(password).message
    }

    #[test]
    fn passwords_are_bounded_in_bytes_before_and_after_they_are_normalised() {
        let words = "correct horse battery staple of mine; ".repeat(27);
        assert!(NewPassword::choose(&words[..1024], "a@b").is_ok());
        // U+FDFA becomes 33 bytes of 3.
        for wrong in ["", "k7#Qz!mW2p$", &words[..1025], &"\u{fdfa}".repeat(64)] {
            assert_eq!(refused(wrong), "must have 12 to 1024 bytes");
        }
        assert!(NewPassword::choose("k7#Qz!mW2p$L", "a@b").is_ok());
    }

    #[test]
    fn what_is_guessed_soon_is_refused_with_a_reason() {
        for wrong in [
            "password1234",
            "aaaaaaaaaaaaaaaaaaaa",
            "abcdefghijklmnop",
            "qwertyuiop[]",
            "lovelace-ada",
            "ada.lovelace@example.com",
            "jobrunnerjobrunner",
            "ＰＡＳＳＷＯＲＤ１２３４",
        ] {
            let why = refused(wrong);
            assert!(why.starts_with("is too easy to guess"), "{wrong}: {why}");
            assert!(!why.contains(". "), "{wrong}: {why}");
        }
        for good in ["correct horse battery", "2b1f6a0d9c3e4b7a8f5d6e7c", "Zwölf Boxkämpfer jagen"]
        {
            assert!(NewPassword::choose(good, "ada@example.com").is_ok(), "{good}");
        }
    }

    #[test]
    fn texts_that_look_alike_are_one_password() {
        let composed = NewPassword::choose("Zw\u{f6}lf Boxk\u{e4}mpfer", "a@b").expect("chosen");
        let other = NewPassword::choose("Zwo\u{308}lf Boxka\u{308}mpfer", "a@b").expect("chosen");
        assert_eq!(composed.expose(), other.expose());
    }
}
