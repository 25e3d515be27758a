//! What can go wrong, sorted by what a caller can do about it.

mod conflict;

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

pub use conflict::Conflict;

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a request was not carried out. Nothing was stored unless a variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request is understood but breaks a rule; mend the named fields and send it again.
    #[error("{}", join(.0))]
    Invalid(Vec<Violation>),

    /// The credential is missing, wrong, expired, or its account is disabled: sign in again.
    #[error("{0}")]
    Unauthenticated(&'static str),

    /// The caller is known and may not do this, however it is asked.
    #[error("{0}")]
    Forbidden(String),

    /// There is no such thing, or the caller may not know of it: the two are not told apart.
    #[error("there is no such {0}")]
    NotFound(&'static str),

    /// The request is fine but does not fit the present state.
    #[error(transparent)]
    Conflict(#[from] Conflict),

    /// The request was carried out before, and what it made has been deleted since: it is not made
    /// again.
    #[error("{0}")]
    Gone(String),

    /// Too much of this is asked for at one time, or in a short time: ask again later. Nothing was
    /// looked at.
    #[error("{what}; try again in {} s", after.as_secs().max(1))]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// When it may be asked for again.
        after: Duration,
    },

    /// A part that JobRunner depends on did not answer; the same request may pass later. Whether a
    /// write took effect is unknown: retry it with the same idempotency key or lease token.
    #[error("{what} is unavailable")]
    Unavailable {
        /// Which part.
        what: &'static str,
        /// What it said.
        #[source]
        source: Source,
    },

    /// A defect in JobRunner, or damaged data. The text is for the log, not for the caller.
    #[error("{what} failed")]
    Internal {
        /// What was being done.
        what: &'static str,
        /// What went wrong.
        #[source]
        source: Source,
    },
}

impl Error {
    /// One broken rule.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation::new(field, message)])
    }

    /// What a request with the same idempotency key made is not there any more.
    pub(crate) fn gone(what: &str, id: impl fmt::Display) -> Self {
        Self::Gone(format!(
            "the {what} {id}, which this Idempotency-Key made, was deleted; to submit it again, use a fresh key"
        ))
    }

    /// A part that did not answer, with what it said.
    pub fn unavailable(what: &'static str, source: impl Into<Source>) -> Self {
        Self::Unavailable { what, source: source.into() }
    }

    /// A defect, with what went wrong.
    pub fn internal(what: &'static str, source: impl Into<Source>) -> Self {
        Self::Internal { what, source: source.into() }
    }
}

/// One field that breaks one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Where, as a path: `command`, `jobs[17].env.PATH`.
    pub field: String,
    /// What is wrong and what would be right, in one sentence without the field's name.
    pub message: String,
}

impl Violation {
    /// A violation of `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    /// The same violation seen from one level up: `env` inside `jobs[3]` is `jobs[3].env`. A
    /// violation of no field in particular becomes one of the parent.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        self.field = match self.field.as_str() {
            "" => parent.to_owned(),
            field => format!("{parent}.{field}"),
        };
        self
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::Invalid(vec![violation])
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.message)
    }
}

impl std::error::Error for Violation {}

fn join(violations: &[Violation]) -> String {
    let texts: Vec<String> = violations.iter().map(Violation::to_string).collect();
    texts.join("; ")
}
