//! The results for people.

use std::fmt::Write;

use crate::{
    machine::Machine,
    report::{Line, Report, Unit},
    series::Series,
};

const HEADS: [&str; 6] = ["", "median (range)", "limit of the same run", "ratio", "to reach", ""];

/// For a terminal.
pub(crate) fn text(report: &Report) -> String {
    let mut table = vec![HEADS.map(str::to_owned)];
    table.extend(lines(report));
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..HEADS.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = format!("\n{}\n\n", about(report));
    for row in &table {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// For a document.
pub(crate) fn markdown(report: &Report) -> String {
    let mut text = format!("{}\n\n| {} |\n", about(report), HEADS.join(" | "));
    text.push_str("|---|---|---|---|---|---|\n");
    for row in lines(report) {
        // Writing into a string does not fail.
        writeln!(text, "| {} |", row.join(" | ")).expect("memory");
    }
    text
}

/// Where and of what the figures are.
fn about(report: &Report) -> String {
    let Machine { processor, processors, memory_gib, kernel, file_system, postgres, redis, rust } =
        &report.machine;
    let mut commits: Vec<&str> = report.rows.iter().map(|row| row.commit.as_str()).collect();
    commits.dedup();
    format!(
        "{processors} × {processor}, {memory_gib} GiB, Linux {kernel}, {file_system}; {postgres}, \
         {redis}, {rust}; commit {}",
        commits.join(", ")
    )
}

fn lines(report: &Report) -> impl Iterator<Item = [String; 6]> {
    report.rows.iter().flat_map(|row| &row.lines).map(cells)
}

fn cells(line: &Line) -> [String; 6] {
    let limit = line.limit.as_ref().map(|limit| {
        format!("{}: {} {}", limit.what, line.unit.number(limit.values.median()), line.unit.sign())
    });
    let ratio = line.ratio().map(|ratio| range(&ratio, |value| format!("{value:.2}")));
    let verdict = line.target.map(|target| {
        let verdict = if target.is_met_by(line) { "ok" } else { "missed" };
        (target.in_words(line), verdict.to_owned())
    });
    let (target, verdict) = verdict.unwrap_or_default();
    [
        line.what.clone(),
        with_unit(&line.values, line.unit),
        limit.unwrap_or_default().trim_end().to_owned(),
        ratio.unwrap_or_default(),
        target,
        verdict,
    ]
}

fn with_unit(values: &Series, unit: Unit) -> String {
    format!("{} {}", range(values, |value| unit.number(value)), unit.sign()).trim_end().to_owned()
}

/// The median, and the range if there is more than one value.
fn range(values: &Series, show: impl Fn(f64) -> String) -> String {
    let [median, min, max] = [values.median(), values.min(), values.max()].map(show);
    if min == max { median } else { format!("{median} ({min}–{max})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::Measured, target::Target};

    fn report() -> Report {
        let rates =
            Line::new("end to end", Unit::JobsPerSecond, [900.0, 1_000.0].into_iter().collect())
                .beside("raw", [2_000.0, 2_000.0].into_iter().collect())
                .reaching(Target::ratio_at_least(0.75));
        let times = Line::new("idle", Unit::Milliseconds, [1.5].into_iter().collect())
            .reaching(Target::at_most(2.5));
        let mut report = Report::of_this_machine();
        report.add(Measured {
            row: "a row".to_owned(),
            at: String::new(),
            commit: String::new(),
            seconds: 0.0,
            lines: vec![rates, times],
        });
        report
    }

    #[test]
    fn the_table_says_what_was_reached_and_what_was_missed() {
        let table = markdown(&report());

        let row = "| end to end | 900 (900–1,000) jobs/s | raw: 2,000 jobs/s | 0.45 (0.45–0.50) | ≥ 0.75 × | missed |";
        assert!(table.contains(row), "{table}");
        assert!(table.contains("| idle | 1.50 ms |  |  | ≤ 2.50 | ok |"), "{table}");
    }

    #[test]
    fn the_columns_of_the_text_stand_below_each_other() {
        let text = text(&report());

        let place = |word: &str| {
            let line = text.lines().find(|line| line.contains(word)).expect("a line");
            line[..line.find(word).expect("a place")].chars().count()
        };
        assert_eq!(place("to reach"), place("≥ 0.75 ×"));
        assert_eq!(place("to reach"), place("≤ 2.50"));
    }
}
