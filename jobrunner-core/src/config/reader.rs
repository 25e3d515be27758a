use std::ffi::OsString;

use secrecy::SecretString;

use crate::Violation;

/// What the library for Postgres reads from the environment by itself where `DATABASE_URL` leaves
/// it out. What is not UTF-8 would count as unset there, and a word that it does not know as the
/// least safe one.
pub(crate) const LIBPQ: [&str; 12] = [
    "PGAPPNAME",
    "PGDATABASE",
    "PGHOST",
    "PGHOSTADDR",
    "PGOPTIONS",
    "PGPASSWORD",
    "PGPORT",
    "PGSSLCERT",
    "PGSSLKEY",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    "PGUSER",
];

const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// The text of a variable; `None` if it is not set.
///
/// # Errors
/// It is set, but not UTF-8. The error names the variable and not its value.
pub fn text(name: &str, value: Option<OsString>) -> Result<Option<String>, Violation> {
    let text = value.map(OsString::into_string).transpose();
    text.map_err(|_| Violation::new(name, "is not UTF-8"))
}

/// Reads variables and keeps what is wrong with them, by name and without their values.
pub(super) struct Reader<L> {
    lookup: L,
    wrong: Vec<Violation>,
}

impl<L: Fn(&str) -> Option<OsString>> Reader<L> {
    pub(super) fn new(lookup: L) -> Self {
        Self { lookup, wrong: Vec::new() }
    }

    /// What is wrong, if anything is.
    pub(super) fn finish(self) -> Result<(), Vec<Violation>> {
        if self.wrong.is_empty() { Ok(()) } else { Err(self.wrong) }
    }

    pub(super) fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.wrong.push(Violation::new(name, message));
    }

    /// A variable as it is set, blank or not.
    pub(super) fn set(&mut self, name: &str) -> Option<String> {
        text(name, (self.lookup)(name)).unwrap_or_else(|violation| {
            self.wrong.push(violation);
            None
        })
    }

    /// A variable, without the space around it; blank counts as unset.
    pub(super) fn word(&mut self, name: &str) -> Option<String> {
        self.text(name).map(|value| value.trim().to_owned())
    }

    /// A variable exactly as it is set; blank counts as unset.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.set(name).filter(|value| !value.trim().is_empty())
    }

    pub(super) fn secret(&mut self, name: &str) -> Option<SecretString> {
        self.text(name).map(SecretString::from)
    }

    /// A whole number above 0.
    pub(super) fn number(&mut self, name: &str, default: u64) -> u64 {
        let value = self.word(name);
        self.parsed(name, value, default, |value| {
            let number = value.parse().ok().filter(|number| *number > 0);
            number.ok_or("must be a whole number above 0")
        })
    }

    /// What a value means; the default if it means nothing or is not there.
    pub(super) fn parsed<T, E: Into<String>>(
        &mut self,
        name: &str,
        value: Option<String>,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> T {
        match value.map(|value| parse(&value)) {
            None => default,
            Some(Ok(parsed)) => parsed,
            Some(Err(message)) => {
                self.refuse(name, message);
                default
            }
        }
    }

    /// Judges the variables that the library for Postgres is going to read.
    pub(super) fn check_libpq(&mut self) {
        for name in LIBPQ {
            let value = self.set(name);
            self.parsed(name, value, (), |value| match name {
                "PGSSLMODE" if !SSL_MODES.contains(&value.to_ascii_lowercase().as_str()) => {
                    Err(format!("must be one of {}", SSL_MODES.join(", ")))
                }
                "PGPORT" if value.parse::<u16>().is_err() => {
                    Err("must be the number of a port".to_owned())
                }
                _ => Ok(()),
            });
        }
    }
}
