//! Words that stand in the store, in the API and on pages, each with its variant.

/// The text is none of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be {0}")]
pub struct UnknownWord(pub(crate) &'static str);

/// Declares an enum of words. It is read from a word alone, also where serde would take an object
/// for one.
macro_rules! words {
    (
        $(#[$attribute:meta])*
        $name:ident {
            $(#[$of_first:meta])* $first:ident = $first_word:literal
            $(, $(#[$of_variant:meta])* $variant:ident = $word:literal)* $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[$of_first])* $first
            $(, $(#[$of_variant])* $variant)*
        }

        impl $name {
            /// Every one.
            pub const ALL: [Self; [$first_word $(, $word)*].len()] =
                [Self::$first $(, Self::$variant)*];

            /// What a text must be to be a word, after "must be".
            pub const ONE_OF: &'static str = concat!("one of ", $first_word $(, ", ", $word)*);

            /// The word, as it is written everywhere.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_word
                    $(, Self::$variant => $word)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::words::UnknownWord;

            fn from_str(text: &str) -> Result<Self, $crate::words::UnknownWord> {
                let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
                known.ok_or($crate::words::UnknownWord(Self::ONE_OF))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::strict::word(deserializer, Self::ONE_OF)
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use crate::{Role, Status, attempt::Reason, audit::AuditAction, job::Order};

    #[test]
    fn every_word_is_read_back_and_no_other() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        for order in Order::ALL {
            assert_eq!(order.to_string().parse(), Ok(order));
        }
        for wrong in ["Passed", "", "passed ", "pass"] {
            let refused = wrong.parse::<Status>().expect_err(wrong).to_string();
            assert_eq!(refused, "must be one of waiting, running, passed, failed, canceled");
        }
    }

    #[test]
    fn json_has_the_word_and_nothing_else() {
        for reason in Reason::ALL {
            let json = serde_json::to_string(&reason).expect("JSON");
            assert_eq!(json, format!("{:?}", reason.as_str()));
            assert_eq!(serde_json::from_str::<Reason>(&json).expect("a reason"), reason);
        }
        for wrong in [r#"{"admin":null}"#, "null", "1", r#""Admin""#] {
            assert!(serde_json::from_str::<Role>(wrong).is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<AuditAction>(r#""sign_in""#).is_ok());
    }
}
