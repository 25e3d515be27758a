use sqlx_macros::FromRow;
use uuid::Uuid;

use crate::{
    Result,
    report::Case,
    store::engine::values::{case_status, number},
};

/// A case of a report.
#[derive(Debug, FromRow)]
pub struct CaseRow {
    pub place: i64,
    pub duration_ms: Option<i64>,
    pub status: i64,
    pub flaky: bool,
    pub class: String,
    pub name: String,
    pub file: Option<String>,
    pub message: Option<String>,
}

impl CaseRow {
    /// What a page goes on after: its place, as the pages of all lists have it.
    #[must_use]
    pub fn id(&self) -> Uuid {
        Uuid::from_u64_pair(0, self.place.unsigned_abs())
    }

    /// The place that such an id stands for.
    #[must_use]
    pub fn place_of(id: Uuid) -> i64 {
        i64::try_from(id.as_u64_pair().1).unwrap_or(i64::MAX)
    }

    /// What the row says.
    ///
    /// # Errors
    /// Something in it is out of range, or a word that is not known.
    pub fn into_case(self) -> Result<Case> {
        Ok(Case {
            class: self.class.into(),
            name: self.name,
            file: self.file,
            status: case_status(self.status)?,
            flaky: self.flaky,
            duration_ms: self.duration_ms.map(number).transpose()?,
            message: self.message,
        })
    }
}
