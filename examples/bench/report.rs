//! What was measured, as it is kept in a file.

use std::{fs, io::ErrorKind, path::Path};

use serde::{Deserialize, Serialize};

use crate::{machine::Machine, series::Series, target::Target};

/// The results of a run, and of earlier ones if they are in the same file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) rows: Vec<Measured>,
}

/// One row of the list with its figures.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) row: String,
    /// When it was begun, RFC 3339.
    pub(crate) at: String,
    /// The version of the code, as git names it.
    pub(crate) commit: String,
    pub(crate) seconds: f64,
    pub(crate) lines: Vec<Line>,
}

/// One figure.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) what: String,
    pub(crate) unit: Unit,
    pub(crate) values: Series,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) limit: Option<Limit>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) target: Option<Target>,
}

/// What bounds a figure, measured in the same rounds and in the same unit.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Limit {
    pub(crate) what: String,
    pub(crate) values: Series,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    JobsPerSecond,
    RequestsPerSecond,
    MegabytesPerSecond,
    Milliseconds,
    Microseconds,
    Mebibytes,
    Bytes,
    Count,
}

impl Report {
    pub(crate) fn of_this_machine() -> Self {
        Self { machine: Machine::this(), rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, measured: Measured) {
        self.rows.retain(|row| row.row != measured.row);
        self.rows.push(measured);
    }

    /// What a file holds; nothing if there is none yet.
    pub(crate) fn read(file: &Path) -> Result<Option<Self>, String> {
        let text = match fs::read(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot read {}: {error}", file.display())),
        };
        let report = serde_json::from_slice(&text);
        report.map(Some).map_err(|error| format!("{} is not of --json: {error}", file.display()))
    }

    /// Writes a file with these rows, and those of an earlier report that were not measured again.
    pub(crate) fn write(&self, file: &Path, earlier: Option<&Self>) -> Result<(), String> {
        let is_new = |row: &Measured| self.rows.iter().any(|new| new.row == row.row);
        let earlier = earlier.iter().flat_map(|report| &report.rows);
        let mut rows: Vec<&Measured> = earlier.filter(|row| !is_new(row)).collect();
        rows.extend(&self.rows);
        rows.sort_by_key(|row| crate::rows::place(&row.row));
        let report = serde_json::json!({"machine": self.machine, "rows": rows});
        let written = fs::write(file, format!("{report:#}\n"));
        written.map_err(|error| format!("cannot write {}: {error}", file.display()))
    }
}

impl Line {
    pub(crate) fn new(what: impl Into<String>, unit: Unit, values: Series) -> Self {
        Self { what: what.into(), unit, values, limit: None, target: None }
    }

    /// With its limit beside it.
    pub(crate) fn beside(mut self, what: &str, values: Series) -> Self {
        self.limit = Some(Limit { what: what.to_owned(), values });
        self
    }

    pub(crate) fn reaching(mut self, target: impl Into<Option<Target>>) -> Self {
        self.target = target.into();
        self
    }

    pub(crate) fn ratio(&self) -> Option<Series> {
        self.limit.as_ref().map(|limit| self.values.over(&limit.values))
    }
}

impl Unit {
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::JobsPerSecond => "jobs/s",
            Self::RequestsPerSecond => "req/s",
            Self::MegabytesPerSecond => "MB/s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
            Self::Mebibytes => "MiB",
            Self::Bytes => "bytes",
            Self::Count => "",
        }
    }

    /// A value without its unit, with three digits that matter.
    pub(crate) fn number(self, value: f64) -> String {
        let digits = match value.abs() {
            size if size >= 100.0 => 0,
            size if size >= 10.0 => 1,
            _ => 2,
        };
        let plain = format!("{value:.digits$}");
        let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
        format!("{}{rest}", in_thousands(whole))
    }
}

fn in_thousands(digits: &str) -> String {
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        let left = digits.len() - place;
        if place > 0 && left.is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(row: &str, value: f64) -> Measured {
        Measured {
            row: row.to_owned(),
            at: "2026-11-27T12:00:00Z".to_owned(),
            commit: "abc".to_owned(),
            seconds: 1.5,
            lines: vec![
                Line::new("a figure", Unit::Count, [value].into_iter().collect())
                    .beside("a limit", [10.0].into_iter().collect())
                    .reaching(Target::ratio_at_least(0.5)),
            ],
        }
    }

    #[test]
    fn a_file_keeps_the_rows_that_were_not_measured_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("results.json");
        let mut first = Report::of_this_machine();
        first.add(measured("memory", 1.0));
        first.add(measured("noop", 2.0));
        first.write(&file, None).expect("written");
        let earlier = Report::read(&file).expect("a report");
        let mut second = Report::of_this_machine();
        second.add(measured("noop", 7.0));
        second.write(&file, earlier.as_ref()).expect("written");

        let rows = Report::read(&file).expect("a report").expect("a file").rows;

        let mut found: Vec<(&str, f64)> =
            rows.iter().map(|row| (row.row.as_str(), row.lines[0].values.median())).collect();
        found.sort_by_key(|(row, _)| *row);
        assert_eq!(found, [("memory", 1.0), ("noop", 7.0)]);
    }

    #[test]
    fn numbers_show_what_matters_of_them() {
        assert_eq!(Unit::Count.number(1_234_567.8), "1,234,568");
        assert_eq!(Unit::Count.number(12.34), "12.3");
        assert_eq!(Unit::Count.number(0.456), "0.46");
        assert_eq!(Unit::Count.number(-123.0), "-123");
    }
}
